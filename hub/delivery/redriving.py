"""Sending again what a receiver refused: the present state of the object, where there is one.

Under the subscription's lease, so that nothing newer is overtaken. A letter leaves when its message
is delivered; one that is refused again is replaced by a letter with the new reason.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from hub.delivery import leases, receivers, states
from hub.delivery.durable import Plan
from hub.delivery.lanes import LaneKey, Push, path_of
from hub.delivery.leases import Lease, LeaseLost
from hub.delivery.receivers import Target
from hub.delivery.settling import Settled, Stopped, record, settle
from hub.models import DeadLetter
from parties import database

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
    left: int = 0
    why: str = ""


def redrive(
    letters: Collection[int], *, tell: Callable[[Redriven], object] = lambda _: None
) -> list[Redriven]:
    """Send again what these letters are about, and tell of each batch."""
    results = []
    for subscription_id, ids in _by_subscription(letters).items():
        for result in _redrive(subscription_id, ids):
            tell(result)
            results.append(result)
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
        batch = list(
            DeadLetter.objects.filter(pk__in=ids[start : start + _BATCH])
            .select_related("subscription__receiver")
            .order_by("id")
        )
        if not batch:
            continue
        result = _batch(subscription_id, batch)
        yield result
        if result.why:
            return


def _batch(subscription_id: int, letters: list[DeadLetter]) -> Redriven:
    to = str(letters[0].subscription)
    lease = _patiently(subscription_id)
    if lease is None:
        return Redriven(to, left=len(letters), why="delivery is at work on it; try again")
    try:
        return _send(lease, letters, to)
    except LeaseLost:
        return Redriven(to, left=len(letters), why="another worker took over; try again")
    finally:
        lease.release()
        database.release()


def _patiently(subscription_id: int) -> Lease | None:
    """Claim the subscription as soon as its present worker is done."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        lease = leases.claim(subscription_id)
        if lease is not None or time.monotonic() > end:
            return lease
        database.release()
        time.sleep(_LOOK_AGAIN_SECONDS)


def _send(lease: Lease, letters: list[DeadLetter], to: str) -> Redriven:
    target = receivers.target(lease.subscription_id)
    if target is None:
        return Redriven(to, left=len(letters), why="not connected, or no endpoint for this module")
    allowed = [letter for letter in letters if letter.owner in target.owners]
    if not allowed:
        owners = ", ".join(sorted({letter.owner for letter in letters}))
        why = f"the receiver may no longer have anything of {owners}"
        return Redriven(to, left=len(letters), why=why)
    why, by_lane = "", _by_lane(allowed)
    try:
        end = time.monotonic() + leases.sending_seconds()
        plan = _plan(target, by_lane)
        settled = settle(target, plan, lease=lease, end=end)
    except Stopped as stopped:
        settled, why = stopped.settled, str(stopped)
    moot = by_lane.keys() - {push.lane for push in plan.pushes}
    lease.delivered(len(settled.delivered))
    return _told(target, settled, by_lane, moot, Redriven(to, left=len(letters), why=why))


def _by_lane(letters: Iterable[DeadLetter]) -> dict[LaneKey, list[DeadLetter]]:
    found: dict[LaneKey, list[DeadLetter]] = defaultdict(list)
    for letter in letters:
        found[letter.owner, letter.object_key, ""].append(letter)
    return found


def _plan(target: Target, by_lane: Mapping[LaneKey, Sequence[DeadLetter]]) -> Plan:
    """Plan one message for each object, whatever was refused of it."""
    present = states.texts(target.policy, by_lane, party=target.party)
    decided = (_push(lane, own[-1], present.get(lane)) for lane, own in by_lane.items())
    return Plan([push for push in decided if push is not None])


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

    return replace(
        so_far,
        delivered=number(delivered),
        refused=number(refused),
        moot=number(moot),
        left=so_far.left - number(gone),
        why=so_far.why or settled.trouble or ("it took too long" if settled.left else ""),
    )
