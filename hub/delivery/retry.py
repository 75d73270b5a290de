"""What is sent after a failure, and with which state of the object.

Where the newest state counts, a state is read anew before each attempt. Where every message
counts, a PATCH that the receiver cannot apply, or may have applied already, becomes the object's
state: with it go all changes that it contains, which sent later would be applied twice.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from hub.delivery import current_state
from hub.delivery.plan_durable import as_state
from hub.delivery.plan_latest import LaneKey, Push, whole
from hub.delivery.push import Outcome, Result
from hub.delivery.target import Target
from hub.feed import Position


def again(target: Target, result: Result) -> Push:
    """Return what to try after a failure."""
    push = result.push
    if target.is_durable:
        return as_state(push) if push.method == "PATCH" else push
    if result.outcome is Outcome.UNKNOWN:  # the receiver needs the whole object (TF-39)
        path = push.object_path
        return replace(push, lane=whole(push.lane), method="PUT", path=path, body=None)
    # A state is read anew, so that the newest one goes out.
    return replace(push, body=None) if push.is_state else push


def absorbed(waiting: Iterable[Push]) -> list[Push]:
    """Let the PUT of a whole object stand for all that waits about it.

    Sent beside it, an older change of a part could arrive behind the newer whole.
    """
    waiting = list(waiting)
    wholes = {push.lane for push in waiting if push.lane == whole(push.lane)}
    by_lane: dict[LaneKey, list[Push]] = defaultdict(list)
    for push in waiting:
        by_lane[whole(push.lane) if whole(push.lane) in wholes else push.lane].append(push)
    return [_one(lane, pushes) for lane, pushes in by_lane.items()]


def _one(lane: LaneKey, pushes: list[Push]) -> Push:
    last = next(push for push in reversed(pushes) if push.lane == lane)
    return replace(last, settles=_places(pushes)) if len(pushes) > 1 else last


def _places(pushes: Iterable[Push]) -> frozenset[Position]:
    return frozenset[Position]().union(*(push.settles for push in pushes))


def ready(target: Target, waiting: list[Push]) -> tuple[list[Push], list[Result]]:
    """Give each state its text; return what can be sent, and what is lost because it is gone."""
    missing = {push.lane for push in waiting if push.body is None}
    if not missing:
        return waiting, []
    if target.is_durable:
        return _with_all_they_contain(target, waiting, missing)
    found = current_state.texts(target.policy, missing, party=target.party)
    there = (push for push in waiting if push.body is not None or push.lane in found)
    return [_filled(push, found) for push in there], []


def _filled(push: Push, found: Mapping[LaneKey, tuple[str, int]]) -> Push:
    if push.body is not None:
        return push
    text, revision = found[push.lane]
    return replace(push, body=text, revision=revision)


def _with_all_they_contain(
    target: Target, waiting: list[Push], missing: set[LaneKey]
) -> tuple[list[Push], list[Result]]:
    found = current_state.with_changes(target.policy, missing, target.selection, target.position)
    sent, lost = [], []
    for push in waiting:
        if push.body is not None and push.lane not in found:
            sent.append(push)
        elif push.lane not in found:
            reason = "not sent: the hub does not hold this object any more"
            lost.append(Result(push, Outcome.REJECTED, reason))
        elif push.body is None and push.lane in missing:
            missing.discard(push.lane)
            text, revision, contained = found[push.lane]
            settles = push.settles | contained
            sent.append(replace(push, body=text, revision=revision, settles=settles))
    return sent, lost
