"""Sending again what a receiver refused: the present state of the object, where there is one.

Under the subscription's lease, so that nothing newer is overtaken; where every message counts, what
waits in the feed and is part of the state goes with it. A letter leaves when its message is
delivered; one that is refused again is replaced by a letter with the new reason.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from database import sql
from hub.delivery import current_state, leases, retry
from hub.delivery import target as delivery_target
from hub.delivery.batch import Settled, Stopped, record, settle
from hub.delivery.leases import Lease, LeaseLost
from hub.delivery.plan_durable import Plan
from hub.delivery.plan_latest import LaneKey, Push, path_of
from hub.delivery.target import Target
from hub.feed import Position
from hub.models import DeadLetter

_BATCH = 100
_PATIENCE_SECONDS = 30.0
_LOOK_AGAIN_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Redriven:
    """What became of some letters of one subscription."""

    to: str
    delivered: int = 0
    refused: int = 0
    moot: int = 0
    """Of objects that are gone: nothing is sent of them."""
    gone: int = 0
    """No longer in the list when it was their turn: discarded, or sent again by others."""
    left: int = 0
    why: str = ""
    """Why some are left, and whose."""
    stopped: bool = False
    """Whether nothing more passes at present."""


def redrive(
    letters: Collection[int], *, tell: Callable[[Redriven], object] = lambda _: None
) -> list[Redriven]:
    """Send again what these letters are about, and tell of each batch."""
    results = []
    for subscription_id, ids in _by_subscription(letters).items():
        for result in _redrive(subscription_id, ids):
            tell(result)
            results.append(result)
    done = sum(each.delivered + each.refused + each.moot for each in results)
    if gone := len(letters) - done - DeadLetter.objects.filter(pk__in=letters).count():
        results.append(Redriven("nobody", gone=gone))
        tell(results[-1])
    return results


def _by_subscription(letters: Collection[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    rows = DeadLetter.objects.filter(pk__in=letters).order_by("subscription", "id")
    for subscription_id, pk in rows.values_list("subscription", "pk"):
        found[subscription_id].append(pk)
    return found


def _redrive(subscription_id: int, ids: list[int]) -> Iterator[Redriven]:
    """Work on one subscription's letters, a batch at a time, until nothing passes."""
    for start in range(0, len(ids), _BATCH):
        batch = _still_there(ids[start : start + _BATCH])
        if not batch:
            continue
        result = _batch(subscription_id, batch)
        yield result
        if result.stopped:
            return


def _still_there(ids: Collection[int]) -> list[DeadLetter]:
    letters = DeadLetter.objects.filter(pk__in=ids).order_by("id")
    return list(letters.select_related("subscription__receiver"))


def _batch(subscription_id: int, letters: list[DeadLetter]) -> Redriven:
    to = str(letters[0].subscription)
    lease = _patiently(subscription_id)
    if lease is None:
        return _stopped(to, letters, "delivery is at work on it; try again")
    try:
        # Whoever held the lease may have sent them: a CDR would be posted twice.
        return _send(lease, _still_there([letter.pk for letter in letters]), to)
    except LeaseLost:
        return _stopped(to, letters, "another worker took over; try again")
    finally:
        lease.release()
        sql.release()


def _stopped(to: str, letters: Sequence[DeadLetter], why: str) -> Redriven:
    return Redriven(to, left=len(letters), why=why, stopped=True)


def _patiently(subscription_id: int) -> Lease | None:
    """Claim the subscription as soon as its present worker is done."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        lease = leases.claim(subscription_id)
        if lease is not None or time.monotonic() > end:
            return lease
        sql.release()
        time.sleep(_LOOK_AGAIN_SECONDS)


def _send(lease: Lease, letters: list[DeadLetter], to: str) -> Redriven:
    target = delivery_target.target(lease.subscription_id, lease.module)
    if target is None:
        return _stopped(to, letters, "not connected, or no endpoint for this module")
    if target.is_paused:
        return _stopped(to, letters, f"it backs off until {target.paused_until:%H:%M:%S} UTC")
    by_lane = _by_lane(letter for letter in letters if letter.owner in target.owners)
    so_far = Redriven(to, left=len(letters), why=_whose(letters, target))
    plan = _plan(lease, target, by_lane)
    try:
        settled = settle(target, plan, lease=lease, end=time.monotonic() + leases.sending_seconds())
    except Stopped as stopped:
        settled = stopped.settled
        so_far = replace(so_far, why=_joined(so_far.why, str(stopped)), stopped=True)
    _advance(lease, target, settled)
    moot = by_lane.keys() - {push.lane for push in (*plan.pushes, *settled.pushes)}
    return _told(target, settled, by_lane, moot, so_far)


def _whose(letters: Iterable[DeadLetter], target: Target) -> str:
    """Say whose letters stay because the receiver may not have them."""
    owners = ", ".join(sorted({letter.owner for letter in letters} - target.owners))
    return f"the receiver may no longer have anything of {owners}" if owners else ""


def _by_lane(letters: Iterable[DeadLetter]) -> dict[LaneKey, list[DeadLetter]]:
    found: dict[LaneKey, list[DeadLetter]] = defaultdict(list)
    for letter in letters:
        found[letter.owner, letter.object_key, ""].append(letter)
    return found


def _plan(lease: Lease, target: Target, by_lane: Mapping[LaneKey, Sequence[DeadLetter]]) -> Plan:
    """Plan one message for each object, whatever was refused of it.

    What of the feed it contains is in doubt from now on: sent later it would be applied twice.
    """
    present = current_state.texts(target.policy, by_lane, party=target.party)
    decided = (_push(lane, own[-1], present.get(lane)) for lane, own in by_lane.items())
    pushes = [push for push in decided if push is not None]
    if target.is_durable:
        pushes = [replace(push, body=None) if push.is_state else push for push in pushes]
    ready, lost = retry.ready(target, pushes)
    contained = frozenset[Position]().union(*(push.settles for push in ready))
    if contained:
        lease.sending(target.in_doubt | contained)
    return Plan(ready, lost)


def _advance(lease: Lease, target: Target, settled: Settled) -> None:
    """Pass over what of the feed is dealt with."""
    done = target.ahead.union(*(push.settles for push in settled.pushes))
    lease.advance(
        target.position,
        delivered=len(settled.delivered),
        ahead=done,
        in_doubt=(target.in_doubt | settled.in_doubt) - done,
    )


def _push(lane: LaneKey, last: DeadLetter, state: tuple[str, int] | None) -> Push | None:
    """Send what is there now, what is posted as it was; nothing of what is gone but its DELETE."""
    path = path_of(last.path, lane)
    method, body, revision = "PUT", *(state or ("", 0))
    if last.method == "POST" or state is None:
        method, path, body = last.method, last.path, last.body or ""
    if state is None and method in {"PUT", "PATCH"}:
        return None
    return Push(lane, method, path, body, path, last.correlation_id, revision=revision)


def _told(
    target: Target,
    settled: Settled,
    by_lane: Mapping[LaneKey, Sequence[DeadLetter]],
    moot: Collection[LaneKey],
    so_far: Redriven,
) -> Redriven:
    """Remove the letters of what is over; what was refused again has a new one."""
    refused = {result.push.lane for result in settled.rejected}
    delivered = {push.lane for push in settled.delivered} - refused
    ids = {lane: [letter.pk for letter in own] for lane, own in by_lane.items()}
    gone = {*delivered, *refused, *moot} & ids.keys()
    DeadLetter.objects.filter(pk__in=[pk for lane in gone for pk in ids[lane]]).delete()
    record(target, settled)

    def number(lanes: Collection[LaneKey]) -> int:
        return sum(len(ids.get(lane, ())) for lane in lanes)

    too_long = "it took too long" if settled.left and not so_far.stopped else ""
    return replace(
        so_far,
        delivered=number(delivered),
        refused=number(refused),
        moot=number(moot),
        left=so_far.left - number(gone),
        why=_joined(so_far.why, settled.trouble, too_long),
        stopped=so_far.stopped or bool(too_long),
    )


def _joined(*sentences: str) -> str:
    return "; ".join(filter(None, sentences))
