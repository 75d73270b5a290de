"""Pushing a batch until each message is delivered or refused, or nothing passes any more."""

import math
import random
import time
from dataclasses import dataclass, field, replace

from database import sql
from database.sql import Statement
from hub.delivery import dead_letters, leases, outcomes, retry
from hub.delivery import target as delivery_target
from hub.delivery.leases import Lease
from hub.delivery.plan_durable import Plan
from hub.delivery.plan_latest import LaneKey, Push, whole
from hub.delivery.push import SETTLED, Outcome, Result, send_all
from hub.delivery.target import Target
from hub.feed import Position
from parties import observed_habits
from parties.observed_habits import Habit

_FRUITLESS_ATTEMPTS = 4
# Each costs the whole time a request may take.
_SILENT_ATTEMPTS = 1
_PAUSE_SECONDS = 0.1
# So much may be dealt with beyond a message that fails: it is written with every batch.
_MOST_AHEAD = 2_000


@dataclass(slots=True)
class Settled:
    """What is over and done with, what is left, and what of it may have arrived nevertheless.

    `held` fails while others pass, or comes after such a message: it is tried again later.
    """

    delivered: list[Push] = field(default_factory=list)
    rejected: list[Result] = field(default_factory=list)
    left: list[Push] = field(default_factory=list)
    in_doubt: set[Position] = field(default_factory=set)
    held: list[Push] = field(default_factory=list)
    trouble: str = ""
    """Why something is held."""
    failed: dict[LaneKey, Result] = field(default_factory=dict)
    """The last attempt of each lane that is neither delivered nor rejected."""

    def add(self, result: Result) -> None:
        """Note what became of a push."""
        self.failed.pop(result.push.lane, None)
        if result.outcome is Outcome.DELIVERED:
            self.delivered.append(result.push)
        elif result.outcome is Outcome.REJECTED:
            self.rejected.append(result)
        else:
            self.failed[result.push.lane] = result
            self.in_doubt |= result.push.settles if result.in_doubt else frozenset()

    @property
    def pushes(self) -> list[Push]:
        """What is delivered or rejected."""
        return [*self.delivered, *(result.push for result in self.rejected)]

    @property
    def number(self) -> int:
        """How many pushes are settled."""
        return len(self.delivered) + len(self.rejected)


class Stopped(Exception):
    """Nothing passes at present; `settled` is what passed before.

    `answered` tells a receiver that fails or refuses from one that cannot be reached, `is_refusal`
    one that seems not to know the hub's token.
    """

    def __init__(self, target: Target, cause: Result, settled: Settled) -> None:
        super().__init__(_why(target, cause))
        self.retry_after = cause.retry_after
        self.settled = settled
        self.answered = cause.http_status is not None or cause.outcome is Outcome.TEMPORARY
        self.is_refusal = cause.is_refusal


def settle(target: Target, plan: Plan, *, lease: Lease, end: float) -> Settled:
    """Push until all is settled or held, or until `end` on the monotonic clock.

    Raises `Stopped` when the receiver takes nothing at present, and `LeaseLost`. Access that ended
    ends the work at once.
    """
    settled = Settled(rejected=list(plan.refused))
    waiting, failing = _attempt(target, plan.pushes, settled, end=end)
    fruitless = 0
    while waiting:
        if fruitless >= _patience(target, failing, end):
            lease.prolong()
            over = _poison(target, failing, settled, plan.overdue)
            waiting = _without(target, waiting, failing, over, settled)
            failing, fruitless = [], 0
        if not waiting or time.monotonic() >= end:
            break
        if failing:
            _pause(fruitless)
        lease.prolong()
        if not delivery_target.may_have_all(target):
            break
        before = settled.number
        waiting, failing = _attempt(target, waiting, settled, end=end)
        fruitless = fruitless + 1 if failing and settled.number == before else 0
    return settled


def _patience(target: Target, failing: list[Result], end: float) -> float:
    """Return after how many further attempts that settled nothing to go on without the failing."""
    if not failing:
        return math.inf
    if target.is_durable and all(result.push.settles & target.in_doubt for result in failing):
        return 0  # so it was before
    if any(result.outcome is Outcome.SILENT for result in failing):
        return 0 if time.monotonic() >= end else _SILENT_ATTEMPTS
    return _FRUITLESS_ATTEMPTS


def _pause(fruitless: int) -> None:
    sql.release()
    jitter = random.uniform(0.5, 1.5)  # noqa: S311 - no secret
    time.sleep(_PAUSE_SECONDS * 2**fruitless * jitter)


def record(target: Target, settled: Settled) -> None:
    """Note what became of a batch that moves no position."""
    sql.together(recording(target, settled))


def recording(target: Target, settled: Settled) -> list[Statement]:
    """Note what was refused; return what is to be written besides, in one go with the position.

    A refusal counts until something passes under its path; where every message counts, until the
    whole object does. A receiver that took anything is well.
    """
    bare = (result for result in settled.rejected if result.http_status and not result.status_code)
    met = (
        (Habit.NO_ENVELOPE, f"{result.push.method} {target.module}: {result.reason}")
        for result in bare
    )
    observed_habits.note(target.platform_id, met)
    if settled.delivered:
        delivery_target.succeeded(target)
    number = target.subscription_id
    superseded = [push for push in settled.pushes if push.is_state or not target.is_durable]
    forgetting = [*dead_letters.forgetting(number, superseded)]
    noting = [*outcomes.noting(number, settled.delivered, settled.failed.values())]
    if not settled.rejected:
        return forgetting + noting
    sql.together(forgetting)  # first: what is refused now may be of the same path
    dead_letters.record(number, settled.rejected)
    return noting


def _attempt(
    target: Target, waiting: list[Push], settled: Settled, *, end: float
) -> tuple[list[Push], list[Result]]:
    """Push once; return what is still to be pushed and the failures among it."""
    ready, lost = retry.ready(target, waiting)
    results: list[Result] = []
    if ready:
        sql.release()
        seconds = min(leases.sending_seconds(), max(end - time.monotonic(), 0.0))
        results = send_all(target.receiver, ready, seconds=seconds)
    for result in (*lost, *results):
        settled.add(result)
    left = _left(target, ready, results)
    settled.left = left
    _stop_if_nothing_passes(target, results, settled)
    failed = {Outcome.TEMPORARY, Outcome.SILENT}
    return left, [result for result in results if result.outcome in failed]


def _left(target: Target, ready: list[Push], results: list[Result]) -> list[Push]:
    """Return what is still to be sent: first what failed, then what was not tried."""
    failed = (result for result in results if result.outcome not in SETTLED)
    again = [retry.again(target, result) for result in failed]
    tried = {result.push for result in results}
    left = [*again, *(push for push in ready if push not in tried)]
    return left if target.is_durable else retry.absorbed(left)


def _stop_if_nothing_passes(target: Target, results: list[Result], settled: Settled) -> None:
    """Stop at a failure that concerns every message; silence does while nothing passes."""
    silent = [result for result in results if result.outcome is Outcome.SILENT]
    fatal = [result for result in results if result.outcome is Outcome.UNREACHABLE]
    if not _go_by(target, silent, settled):
        fatal += silent
    if fatal:
        raise Stopped(target, fatal[0], settled)


def _go_by(target: Target, failing: list[Result], settled: Settled) -> bool:
    """Tell whether others pass: now, or behind each of the failing since it first failed."""
    if settled.delivered:
        return True
    last = max(target.ahead, default=None)
    return last is not None and all(
        min(result.push.settles, default=last) < last for result in failing
    )


def _poison(
    target: Target, failing: list[Result], settled: Settled, overdue: frozenset[Position]
) -> list[Result]:
    """Return what of the failing to give up, now that others pass; stops when none does.

    Where every message counts nothing is sent twice to prove it: what passed tells, and what fails
    has its time. What settles nothing, as a letter sent again, blocks nothing either: it is left.
    """
    if not _go_by(target, failing, settled):
        raise Stopped(target, failing[0], settled)
    if not target.is_durable:
        return failing if _others_pass(target, settled) else []
    if not settled.delivered:
        return []
    blocking = frozenset[Position]().union(*(result.push.settles for result in failing))
    if blocking and len(target.ahead) > _MOST_AHEAD:
        overdue |= {min(blocking)}
    return [result for result in failing if result.push.settles & overdue]


def _without(
    target: Target,
    waiting: list[Push],
    failing: list[Result],
    over: list[Result],
    settled: Settled,
) -> list[Push]:
    """Pass over what is given up, and hold the objects of all else that fails."""
    for result in over:
        settled.add(replace(result, outcome=Outcome.REJECTED))
    given_up = {result.push.lane: result.push.settles for result in over}
    left = [
        push
        for push in waiting
        if push.lane not in given_up or not push.settles <= given_up[push.lane]
    ]
    kept = [result for result in failing if result not in over] if target.is_durable else []
    held = {result.push.lane for result in kept}
    settled.held += [push for push in left if push.lane in held]
    settled.trouble = _why(target, kept[0]) if kept else settled.trouble
    settled.left = [push for push in left if push.lane not in held]
    return settled.left


def _others_pass(target: Target, settled: Settled) -> bool:
    """Send again what passed, as it is now: a receiver that went down meanwhile loses nothing."""
    last = settled.delivered[-1]
    if last.method != "DELETE":
        path = last.object_path
        last = replace(last, lane=whole(last.lane), method="PUT", path=path, body=None)
    ready, _ = retry.ready(target, [last])
    sql.release()
    results = send_all(target.receiver, ready, seconds=leases.sending_seconds())
    for result in results:
        if result.outcome not in SETTLED:
            raise Stopped(target, result, settled)
    return bool(results)


def _why(target: Target, cause: Result) -> str:
    """Say why something failed, where many may read it."""
    return cause.reason if target.is_about_drivers else cause.told
