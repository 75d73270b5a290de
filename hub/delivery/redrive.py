"""Redrive: what a receiver refused is sent again, as the present state where there is one.

It happens under the subscription's lease, so that nothing newer is overtaken. Where every message
counts, a state settles the waiting changes that it contains. A dead letter is deleted when its
message is delivered; one that is refused again is replaced by one with the new reason.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from database import sql
from hub.delivery import current_state, leases
from hub.delivery.attempts import settle
from hub.delivery.batch_result import BatchResult, ReceiverUnavailable
from hub.delivery.current_state import StateText
from hub.delivery.leases import Lease, LeaseLost
from hub.delivery.policy import DeliveryPolicy, policy_of
from hub.delivery.push import PartKey, Plan, Push, path_of
from hub.delivery.receipts import record
from hub.delivery.subscriber import Subscriber, find_subscriber
from hub.feed import Batch
from hub.models import DeadLetter

_BATCH = 100
# How long to wait for another worker's lease to end, and how often to look.
_PATIENCE_SECONDS = 30.0
_LOOK_AGAIN_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class RedriveResult:
    """What became of some dead letters of one subscription: how many of each."""

    to: str
    delivered: int = 0
    refused: int = 0
    moot: int = 0
    """Of objects that are gone: nothing is sent of them."""
    gone: int = 0
    """No longer in the list when it was their turn: discarded, or sent again by others."""
    left: int = 0
    why: str = ""
    """Why some are left."""
    stopped: bool = False
    """Whether nothing more of this subscription is tried now."""


def redrive(
    dead_letters: Collection[int], *, report: Callable[[RedriveResult], object] = lambda _: None
) -> list[RedriveResult]:
    """Send again what these dead letters are about, and report each batch."""
    results = []
    for subscription_id, ids in _by_subscription(dead_letters).items():
        for result in _redrive(subscription_id, ids):
            report(result)
            results.append(result)
    done = sum(each.delivered + each.refused + each.moot for each in results)
    still_there = DeadLetter.objects.filter(pk__in=dead_letters).count()
    if gone := len(dead_letters) - done - still_there:
        results.append(RedriveResult("nobody", gone=gone))
        report(results[-1])
    return results


def _by_subscription(dead_letters: Collection[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    rows = DeadLetter.objects.filter(pk__in=dead_letters).order_by("subscription", "id")
    for subscription_id, pk in rows.values_list("subscription", "pk"):
        found[subscription_id].append(pk)
    return found


def _redrive(subscription_id: int, ids: list[int]) -> Iterator[RedriveResult]:
    """Work on one subscription's dead letters, a batch at a time, until nothing passes."""
    for start in range(0, len(ids), _BATCH):
        batch = _still_there(ids[start : start + _BATCH])
        if not batch:
            continue
        result = _redrive_batch(subscription_id, batch)
        yield result
        if result.stopped:
            return


def _still_there(ids: Collection[int]) -> list[DeadLetter]:
    found = DeadLetter.objects.filter(pk__in=ids).order_by("id")
    return list(found.select_related("subscription__receiver"))


def _redrive_batch(subscription_id: int, dead_letters: list[DeadLetter]) -> RedriveResult:
    to = str(dead_letters[0].subscription)
    lease = _claimed(subscription_id)
    if lease is None:
        return _stopped(to, dead_letters, "delivery is at work on it; try again")
    try:
        # Read again under the lease: its last holder may have sent some, and a CDR would be posted
        # twice.
        return _send(lease, _still_there([each.pk for each in dead_letters]), to)
    except LeaseLost:
        return _stopped(to, dead_letters, "another worker took over; try again")
    finally:
        lease.release()
        sql.release()


def _stopped(to: str, dead_letters: Sequence[DeadLetter], why: str) -> RedriveResult:
    return RedriveResult(to, left=len(dead_letters), why=why, stopped=True)


def _claimed(subscription_id: int) -> Lease | None:
    """Claim the subscription as soon as its present worker is done; None if that takes too long."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        lease = leases.claim(subscription_id)
        if lease is not None or time.monotonic() > end:
            return lease
        sql.release()
        time.sleep(_LOOK_AGAIN_SECONDS)


def _send(lease: Lease, dead_letters: list[DeadLetter], to: str) -> RedriveResult:
    subscriber = find_subscriber(lease.subscription_id, lease.module)
    if subscriber is None:
        return _stopped(to, dead_letters, "not connected, or no endpoint for this module")
    if subscriber.is_paused:
        return _stopped(
            to, dead_letters, f"it backs off until {subscriber.paused_until:%H:%M:%S} UTC"
        )
    policy = policy_of(subscriber)
    by_key = _by_key(each for each in dead_letters if each.owner in subscriber.owners)
    so_far = RedriveResult(to, left=len(dead_letters), why=_withheld(dead_letters, subscriber))
    plan = _plan(policy, by_key)
    try:
        result = settle(policy, plan, lease=lease, end=time.monotonic() + leases.sending_seconds())
    except ReceiverUnavailable as reason:
        result = reason.so_far
        so_far = replace(so_far, why=_joined(so_far.why, str(reason)), stopped=True)
    _advance(lease, policy, result)
    # Neither sent nor settled: nothing is left to be sent of these objects.
    moot = by_key.keys() - {push.key for push in (*plan.pushes, *result.settled)}
    return _concluded(policy, result, by_key, moot, so_far)


def _withheld(dead_letters: Iterable[DeadLetter], subscriber: Subscriber) -> str:
    """Say whose objects are not sent because the receiver may not have them any more."""
    owners = ", ".join(sorted({each.owner for each in dead_letters} - subscriber.owners))
    return f"the receiver may no longer have anything of {owners}" if owners else ""


def _by_key(dead_letters: Iterable[DeadLetter]) -> dict[PartKey, list[DeadLetter]]:
    found: dict[PartKey, list[DeadLetter]] = defaultdict(list)
    for each in dead_letters:
        found[each.owner, each.object_key, ""].append(each)
    return found


def _plan(policy: DeliveryPolicy, by_key: Mapping[PartKey, Sequence[DeadLetter]]) -> Plan:
    """Plan one message for each object, whatever was refused of it."""
    subscriber = policy.subscriber
    present = current_state.texts(
        subscriber.policy, by_key, party=subscriber.party, strict=subscriber.receiver.strict
    )
    decided = (_push(key, own[-1], present.get(key)) for key, own in by_key.items())
    return policy.redrive([push for push in decided if push is not None])


def _advance(lease: Lease, policy: DeliveryPolicy, result: BatchResult) -> None:
    """Note the changes of the feed that were settled by a state, though none was read from it."""
    nothing_read = Batch((), policy.subscriber.position, complete=True)
    positions = policy.positions(nothing_read, result)
    lease.advance(positions, delivered=len(result.delivered))


def _push(key: PartKey, last: DeadLetter, state: StateText | None) -> Push | None:
    """Send the present state, a POST as it was, and of what is gone only a DELETE."""
    if last.method != "POST" and state is not None:
        path = path_of(last.path, key)
        return Push(
            key, "PUT", path, state.text, path, last.correlation_id, revision=state.revision
        )
    if last.method in {"PUT", "PATCH"}:
        return None
    revision = state.revision if state else 0
    path, body = last.path, last.body or ""
    return Push(key, last.method, path, body, path, last.correlation_id, revision=revision)


def _concluded(
    policy: DeliveryPolicy,
    result: BatchResult,
    by_key: Mapping[PartKey, Sequence[DeadLetter]],
    moot: Collection[PartKey],
    so_far: RedriveResult,
) -> RedriveResult:
    """Delete the dead letters that are dealt with; what was refused again gets a new one."""
    refused = {each.push.key for each in result.rejected}
    delivered = {push.key for push in result.delivered} - refused
    ids = {key: [each.pk for each in own] for key, own in by_key.items()}
    gone = {*delivered, *refused, *moot} & ids.keys()
    DeadLetter.objects.filter(pk__in=[pk for key in gone for pk in ids[key]]).delete()
    record(policy, result)

    def number(keys: Collection[PartKey]) -> int:
        return sum(len(ids.get(key, ())) for key in keys)

    too_long = "it took too long" if result.left and not so_far.stopped else ""
    return replace(
        so_far,
        delivered=number(delivered),
        refused=number(refused),
        moot=number(moot),
        left=so_far.left - number(gone),
        why=_joined(so_far.why, result.why_held, too_long),
        stopped=so_far.stopped or bool(too_long),
    )


def _joined(*sentences: str) -> str:
    return "; ".join(filter(None, sentences))
