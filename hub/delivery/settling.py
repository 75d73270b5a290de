"""Pushing a batch until each message is delivered or refused, or nothing passes any more."""

import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from hub.delivery import dead_letters, leases, receivers, states
from hub.delivery.lanes import LaneKey, Push, whole
from hub.delivery.pushing import Outcome, Result, send_all
from hub.delivery.receivers import Target
from parties import database

_FRUITLESS_ATTEMPTS = 4
_PAUSE_SECONDS = 0.1


@dataclass(slots=True)
class Settled:
    """What is over and done with."""

    delivered: int = 0
    rejected: list[Result] = field(default_factory=list)
    keys: set[LaneKey] = field(default_factory=set)

    def add(self, result: Result) -> None:
        """Count a delivered or rejected push."""
        if result.outcome is Outcome.DELIVERED:
            self.delivered += 1
        else:
            self.rejected.append(result)
        self.keys.add(result.push.lane)

    def covers(self, key: LaneKey) -> bool:
        """Tell whether a lane is done, by itself or by its whole object."""
        return key in self.keys or whole(key) in self.keys


class Stopped(Exception):
    """Nothing passes at present; `settled` is what passed before.

    `answered` tells a receiver that fails from one that cannot be reached.
    """

    def __init__(self, cause: Result, settled: Settled, *, answered: bool) -> None:
        super().__init__(cause.reason)
        self.retry_after = cause.retry_after
        self.settled = settled
        self.answered = answered


def settle(target: Target, pushes: Sequence[Push], *, keep_lease: Callable[[], None]) -> Settled:
    """Push until all is settled; raises `Stopped` when the receiver takes nothing at present.

    Whatever `keep_lease` raises before another attempt ends the work at once.
    """
    settled = Settled()
    waiting, failing = _attempt(target, list(pushes), settled)
    fruitless = 0
    while waiting:
        if fruitless == _FRUITLESS_ATTEMPTS:
            waiting = _given_up(waiting, failing, settled)
        elif failing:
            database.release()
            jitter = random.uniform(0.5, 1.5)  # noqa: S311 - no secret
            time.sleep(_PAUSE_SECONDS * 2**fruitless * jitter)
        keep_lease()
        before = len(settled.keys)
        waiting, failing = _attempt(target, waiting, settled)
        fruitless = fruitless + 1 if failing and len(settled.keys) == before else 0
    return settled


def record(target: Target, settled: Settled) -> None:
    """Note what was refused, and that the receiver is well if it took anything."""
    dead_letters.bury(target.subscription_id, settled.rejected)
    if settled.delivered:
        receivers.succeeded(target)


def _attempt(
    target: Target, waiting: list[Push], settled: Settled
) -> tuple[list[Push], list[Result]]:
    """Push once; return what is still to be pushed and the failures among it."""
    ready = _with_bodies(target, waiting)
    if not ready:
        return [], []
    database.release()
    results = send_all(target.receiver, ready, seconds=leases.sending_seconds())
    again: list[Push] = []
    for result in results:
        if result.outcome in {Outcome.DELIVERED, Outcome.REJECTED}:
            settled.add(result)
        else:
            again.append(_next(result))
    for result in results:
        if result.outcome is Outcome.UNREACHABLE:
            raise Stopped(result, settled, answered=False)
    tried = {result.push for result in results}
    unsent = (push for push in ready if push not in tried)
    return _absorbed([*again, *unsent]), [r for r in results if r.outcome is Outcome.TEMPORARY]


def _given_up(waiting: list[Push], failing: list[Result], settled: Settled) -> list[Push]:
    """Pass over messages that keep failing while others pass; stop when none does."""
    if not settled.keys:
        raise Stopped(failing[0], settled, answered=True)
    for result in failing:
        settled.add(replace(result, outcome=Outcome.REJECTED))
    failed = {result.push.lane for result in failing}
    return [push for push in waiting if push.lane not in failed]


def _with_bodies(target: Target, pushes: list[Push]) -> list[Push]:
    """Read the current state of what has no body yet; what is gone by now needs no push."""
    missing = {push.lane for push in pushes if push.body is None}
    if not missing:
        return pushes
    found = states.texts(target.policy, missing)
    filled = (
        replace(push, body=found.get(push.lane)) if push.body is None else push for push in pushes
    )
    return [push for push in filled if push.body is not None]


def _next(result: Result) -> Push:
    """Return what to try after a failure."""
    push = result.push
    if result.outcome is Outcome.UNKNOWN:  # the receiver needs the whole object (TF-39)
        path = push.object_path
        return replace(push, lane=whole(push.lane), method="PUT", path=path, body=None)
    # A state is read anew, so that the newest one goes out.
    return replace(push, body=None) if push.is_state else push


def _absorbed(waiting: Iterable[Push]) -> list[Push]:
    """Let the PUT of a whole object stand for all that waits about it.

    Sent beside it, an older change of a part could arrive behind the newer whole.
    """
    by_lane = {push.lane: push for push in waiting}
    return [push for key, push in by_lane.items() if key == whole(key) or whole(key) not in by_lane]
