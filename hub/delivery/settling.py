"""Pushing a batch until each message is delivered or refused, or nothing passes any more."""

import math
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
# Each costs the whole time a request may take.
_SILENT_ATTEMPTS = 1
_PAUSE_SECONDS = 0.1


@dataclass(slots=True)
class Settled:
    """What is over and done with, and the lanes that are not."""

    delivered: list[Push] = field(default_factory=list)
    rejected: list[Result] = field(default_factory=list)
    left: frozenset[LaneKey] = frozenset()

    def add(self, result: Result) -> None:
        """Note a delivered or rejected push."""
        if result.outcome is Outcome.DELIVERED:
            self.delivered.append(result.push)
        else:
            self.rejected.append(result)

    @property
    def number(self) -> int:
        """How many pushes are settled."""
        return len(self.delivered) + len(self.rejected)

    def covers(self, key: LaneKey) -> bool:
        """Tell whether a lane is done, by itself or by its whole object."""
        return key not in self.left and whole(key) not in self.left


class Stopped(Exception):
    """Nothing passes at present; `settled` is what passed before.

    `answered` tells a receiver that fails or refuses from one that cannot be reached.
    """

    def __init__(self, cause: Result, settled: Settled, *, answered: bool) -> None:
        super().__init__(cause.reason)
        self.retry_after = cause.retry_after
        self.settled = settled
        self.answered = answered


def settle(
    target: Target, pushes: Sequence[Push], *, keep_lease: Callable[[], None], end: float
) -> Settled:
    """Push until all is settled, or until `end` on the monotonic clock: what is left is named.

    Raises `Stopped` when the receiver takes nothing at present. Whatever `keep_lease` raises before
    another attempt ends the work at once.
    """
    settled = Settled()
    waiting, failing = _attempt(target, list(pushes), settled, end=end)
    fruitless = 0
    while waiting:
        if fruitless >= _patience(failing, end):
            keep_lease()
            waiting = _given_up(target, waiting, failing, settled)
            failing, fruitless = [], 0
        if not waiting or time.monotonic() >= end:
            break
        if failing:
            _pause(fruitless)
        keep_lease()
        before = settled.number
        waiting, failing = _attempt(target, waiting, settled, end=end)
        fruitless = fruitless + 1 if failing and settled.number == before else 0
    return settled


def _patience(failing: list[Result], end: float) -> float:
    """Return after how many further attempts that settled nothing the failing are given up."""
    if not failing:
        return math.inf
    if any(result.outcome is Outcome.SILENT for result in failing):
        return 0 if time.monotonic() >= end else _SILENT_ATTEMPTS
    return _FRUITLESS_ATTEMPTS


def _pause(fruitless: int) -> None:
    database.release()
    jitter = random.uniform(0.5, 1.5)  # noqa: S311 - no secret
    time.sleep(_PAUSE_SECONDS * 2**fruitless * jitter)


def record(target: Target, settled: Settled) -> None:
    """Note what was refused, and that the receiver is well if it took anything."""
    paths = {push.path for push in settled.delivered}
    dead_letters.record(target.subscription_id, settled.rejected, delivered=paths)
    if settled.delivered:
        receivers.succeeded(target)


def _attempt(
    target: Target, waiting: list[Push], settled: Settled, *, end: float
) -> tuple[list[Push], list[Result]]:
    """Push once; return what is still to be pushed and the failures among it."""
    ready = _with_bodies(target, waiting)
    results: list[Result] = []
    if ready:
        database.release()
        seconds = min(leases.sending_seconds(), max(end - time.monotonic(), 0.0))
        results = send_all(target.receiver, ready, seconds=seconds)
    left = _sorted(ready, results, settled)
    settled.left = frozenset(push.lane for push in left)
    _stop_if_nothing_passes(results, settled)
    lost = {Outcome.TEMPORARY, Outcome.SILENT}
    return left, [result for result in results if result.outcome in lost]


def _sorted(ready: list[Push], results: list[Result], settled: Settled) -> list[Push]:
    """Note what is settled and return what is left."""
    again: list[Push] = []
    for result in results:
        if result.outcome in {Outcome.DELIVERED, Outcome.REJECTED}:
            settled.add(result)
        else:
            again.append(_next(result))
    tried = {result.push for result in results}
    return _absorbed([*again, *(push for push in ready if push not in tried)])


def _stop_if_nothing_passes(results: Iterable[Result], settled: Settled) -> None:
    """Stop at a failure that concerns every message; silence does while nothing is delivered."""
    fatal = {Outcome.UNREACHABLE} if settled.delivered else {Outcome.UNREACHABLE, Outcome.SILENT}
    for result in results:
        if result.outcome in fatal:
            raise Stopped(result, settled, answered=_has_answered(result))


def _given_up(
    target: Target, waiting: list[Push], failing: list[Result], settled: Settled
) -> list[Push]:
    """Pass over messages that keep failing while others pass; stop when none does."""
    if not _others_pass(target, failing[0], settled):
        return waiting
    failed = {result.push.lane for result in failing}
    for result in failing:
        settled.add(replace(result, outcome=Outcome.REJECTED))
    settled.left -= failed
    return [push for push in waiting if push.lane not in failed]


def _others_pass(target: Target, cause: Result, settled: Settled) -> bool:
    """Send again what passed, as it is now: a receiver that went down meanwhile loses nothing."""
    if not settled.delivered:
        raise Stopped(cause, settled, answered=_has_answered(cause))
    last = settled.delivered[-1]
    state = replace(last, lane=whole(last.lane), method="PUT", path=last.object_path, body=None)
    ready = _with_bodies(target, [state])
    database.release()
    results = send_all(target.receiver, ready, seconds=leases.sending_seconds())
    for result in results:
        if result.outcome not in {Outcome.DELIVERED, Outcome.REJECTED}:
            raise Stopped(result, settled, answered=_has_answered(result))
    return bool(results)


def _has_answered(result: Result) -> bool:
    """Tell whether the receiver said anything, be it of no use."""
    return result.http_status is not None or result.outcome is Outcome.TEMPORARY


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
