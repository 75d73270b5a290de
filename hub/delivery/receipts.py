"""What is written of a batch's result: receipts, dead letters, and how the platform did.

docs/decisions/0008-who-has-what.md. A receipt says what a receiver took of each object, and when.
"""

from collections.abc import Collection, Iterable, Iterator

from database import sql
from database.sql import Statement
from hub.delivery import dead_letters
from hub.delivery.batch_result import BatchResult
from hub.delivery.policy import DeliveryPolicy
from hub.delivery.push import PartKey, Push, Result
from hub.delivery.sql import receipts as statements
from hub.delivery.subscriber import Subscriber
from parties import deviations
from parties.deviations import Deviation


def record(policy: DeliveryPolicy, result: BatchResult) -> None:
    """Record the result of a batch that moves no position."""
    sql.in_one_transaction(recording(policy, result))


def recording(policy: DeliveryPolicy, result: BatchResult) -> list[Statement]:
    """Record what was rejected; return the statements to run in one go with the position.

    A dead letter counts until something makes up for it. A receiver that took anything is well.
    """
    subscriber = policy.subscriber
    _note_deviations(subscriber, result)
    if result.delivered:
        subscriber.succeeded()
    number = subscriber.subscription_id
    superseded = [push for push in result.settled if policy.supersedes(push)]
    dropping = [*dead_letters.drop(number, superseded)]
    receipts = [*_receipts(number, result.delivered, result.failed.values())]
    if not result.rejected:
        return dropping + receipts
    # First, and not with the position: L1 refused before and again now has one dead letter, the new
    # one. Dropped afterwards, that would go with the old.
    sql.in_one_transaction(dropping)
    dead_letters.add(number, result.rejected)
    return receipts


def _note_deviations(subscriber: Subscriber, result: BatchResult) -> None:
    bare = (each for each in result.rejected if each.http_status and not each.status_code)
    met = (
        (Deviation.NO_ENVELOPE, f"{each.push.method} {subscriber.module}: {each.reason}")
        for each in bare
    )
    deviations.note(subscriber.platform_id, met)


_Attempt = tuple[int | None, str, bool]


def _receipts(
    subscription_id: int, delivered: Iterable[Push], failed: Collection[Result]
) -> Iterator[Statement]:
    """Return the statement that notes what was taken, and what was tried in vain.

    One for a whole batch, with a line for each object or part: of PUT and PATCH the last counts.
    """
    lines: dict[PartKey, _Attempt] = {push.key: (push.revision, "", False) for push in delivered}
    for result in failed:
        # The PUT with revision 7 passed, the PATCH with 8 behind it failed: revision 7 is there,
        # and the receipt has the error of 8 beside it.
        revision, _, _ = lines.get(result.push.key, (None, "", False))
        lines[result.push.key] = (revision, result.reason, result.in_doubt)
    if lines:
        named = {
            "subscription": subscription_id,
            "owners": [owner for owner, _, _ in lines],
            "keys": [key for _, key, _ in lines],
            "parts": [part for _, _, part in lines],
            "revisions": [revision for revision, _, _ in lines.values()],
            "errors": [error for _, error, _ in lines.values()],
            "in_doubt": [in_doubt for _, _, in_doubt in lines.values()],
        }
        yield statements.NOTE, named
