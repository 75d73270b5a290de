"""What is written of a batch's result: receipts, dead letters, and how the platform did.

docs/decisions/0008-who-has-what.md. A receipt says what a receiver took of each object, and when.
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from database import sql
from database.sql import Statement
from hub.delivery import dead_letters
from hub.delivery.batch_result import BatchResult
from hub.delivery.policy import DeliveryPolicy
from hub.delivery.push import Push, Result
from hub.delivery.sql import receipts as statements
from hub.delivery.subscriber import Subscriber
from parties import deviations
from parties.deviations import Deviation, Met


def record(policy: DeliveryPolicy, result: BatchResult) -> None:
    """Record the result of a batch that moves no position."""
    sql.in_one_transaction(recording(policy, result))


def only_receipts(policy: DeliveryPolicy, result: BatchResult) -> bool:
    """Whether `recording` asks the database nothing itself: nothing is refused or news."""
    return not result.rejected and not (result.delivered and policy.subscriber.is_news)


def recording(policy: DeliveryPolicy, result: BatchResult) -> list[Statement]:
    """Record what was rejected; return the statements to run in one transaction with the position.

    A dead letter counts until a later push makes up for it. Any delivery shows that the platform is
    well.
    """
    subscriber = policy.subscriber
    _note_deviations(subscriber, result)
    if result.delivered:
        subscriber.succeeded()
    subscription_id = subscriber.subscription_id
    superseding = [push for push in result.settled if policy.supersedes(push)]
    dropping = dead_letters.drop(subscription_id, superseding)
    receipts = _receipts(subscription_id, result.delivered, result.failed.values())
    if not result.rejected:
        return dropping + receipts
    # Dropped first, and not with the position: where L1 was refused before and is again now, the
    # new dead letter stays. Dropped afterwards, it would go with the old one.
    sql.in_one_transaction(dropping)
    dead_letters.add(subscription_id, result.rejected)
    return receipts


def _note_deviations(subscriber: Subscriber, result: BatchResult) -> None:
    without_envelope = (
        Met(Deviation.NO_ENVELOPE, f"{each.push.method} {subscriber.module}", each.reason)
        for each in result.rejected
        if each.http_status and not each.status_code
    )
    deviations.note(subscriber.platform_id, without_envelope)
    for method, oddities in result.odd:
        met = deviations.odd_envelope(f"{method} {subscriber.module}", oddities)
        deviations.note(subscriber.platform_id, met)


class _Line(NamedTuple):
    """What a receipt says: the revision that was taken, and how a later attempt failed."""

    revision: int | None
    error: str = ""
    in_doubt: bool = False


def _receipts(
    subscription_id: int, delivered: Iterable[Push], failed: Collection[Result]
) -> list[Statement]:
    """Return the statement that writes a batch's receipts, none if there are none.

    It has one line for each object or part: of several that were delivered the last counts.
    """
    lines = {push.key: _Line(push.revision) for push in delivered}
    for result in failed:
        # The PUT with revision 7 passed, the PATCH with 8 behind it failed: revision 7 is there,
        # and the receipt has the error of 8 beside it.
        taken = lines.get(result.push.key)
        revision = taken.revision if taken else None
        lines[result.push.key] = _Line(revision, result.reason, result.in_doubt)
    if not lines:
        return []
    named = {
        "subscriptions": [subscription_id] * len(lines),
        "owners": [owner for owner, _, _ in lines],
        "keys": [key for _, key, _ in lines],
        "parts": [part for _, _, part in lines],
        "revisions": [line.revision for line in lines.values()],
        "errors": [line.error for line in lines.values()],
        "in_doubt": [line.in_doubt for line in lines.values()],
    }
    return [(statements.NOTE, named)]
