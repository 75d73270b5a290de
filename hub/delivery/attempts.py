"""Attempts at a batch, until each message is delivered or rejected, or nothing passes any more."""

import logging
import math
import random
import time
from dataclasses import replace
from typing import NamedTuple

from django.db import DatabaseError

from database import sql
from hub.delivery import leases
from hub.delivery.batch_result import BatchResult, ReceiverUnavailable
from hub.delivery.leases import Lease
from hub.delivery.policy import DeliveryPolicy
from hub.delivery.push import SETTLED, Outcome, Plan, Push, Result
from hub.delivery.receiver import send_all
from hub.delivery.subscriber import Subscriber

log = logging.getLogger(__name__)

# How many attempts in a row may settle nothing before the failing are given up.
_FRUITLESS_ATTEMPTS = 4
# The same where no answer came: each attempt costs the whole request time-out.
_SILENT_ATTEMPTS = 1
# Doubled with each fruitless attempt.
_PAUSE_SECONDS = 0.1
_FAILED = {Outcome.TEMPORARY, Outcome.SILENT}


class Attempt(NamedTuple):
    """What was to be pushed once, what was lost before it, and what became of what was sent."""

    ready: list[Push]
    lost: list[Result]
    results: list[Result]

    @property
    def settles_all(self) -> bool:
        """Whether nothing remains to be pushed."""
        settled = all(result.outcome in SETTLED for result in self.results)
        return settled and len(self.results) == len(self.ready)


def settle(policy: DeliveryPolicy, plan: Plan, *, lease: Lease, end: float) -> BatchResult:
    """Push until all is settled or held, or until `end` on the monotonic clock.

    Raises `ReceiverUnavailable` when the receiver takes nothing at present, and `LeaseLost`. Once
    the receiver's access to any owner has ended, nothing more goes out.
    """
    note_doubts(policy.subscriber, plan, lease)
    return go_on(policy, plan, _attempt(policy, plan.pushes, end=end), lease=lease, end=end)


def go_on(
    policy: DeliveryPolicy, plan: Plan, first: Attempt, *, lease: Lease, end: float
) -> BatchResult:
    """Push what the first attempt left, as `settle` does; asks nobody if it left nothing."""
    so_far = BatchResult(rejected=list(plan.refused))
    waiting, failing = _note(policy, first, so_far)
    fruitless = 0
    while waiting:
        if fruitless >= _patience(policy.subscriber, failing, end):
            lease.prolong()
            _give_up(policy, waiting, failing, so_far, plan)
            waiting, failing, fruitless = so_far.left, [], 0
        if not waiting or time.monotonic() >= end:
            break
        if failing:
            _pause(fruitless)
        if not _may_go_on(policy.subscriber, lease):
            break
        before = len(so_far.settled)
        waiting, failing = _note(policy, _attempt(policy, waiting, end=end), so_far)
        fruitless = fruitless + 1 if failing and len(so_far.settled) == before else 0
    return so_far


def _may_go_on(subscriber: Subscriber, lease: Lease) -> bool:
    """Whether what is left of a batch may be sent; raises `LeaseLost`."""
    try:
        lease.prolong()
        # An agreement may be withdrawn in the middle of a batch of 500: of what is left, which was
        # read and planned before, not one more goes out.
        return subscriber.may_have_all()
    except DatabaseError:
        # Broken off as at the end of its time: what was delivered can then be recorded.
        log.exception("%s: the rest of a batch waits", subscriber)
        return False


def note_doubts(subscriber: Subscriber, plan: Plan, lease: Lease) -> None:
    """Note what must not be repeated as it was, if there is any; raises `LeaseLost`."""
    # Before the first byte: if the worker dies while PATCH 101 is on its way, nothing else shows
    # that it may have been applied, and the next worker would add the same charging period again.
    if plan.doubtful:
        lease.sending(subscriber.in_doubt | plan.doubtful)


def _patience(subscriber: Subscriber, failing: list[Result], end: float) -> float:
    """Return how many attempts in a row may settle nothing before the failing are given up."""
    if not failing:
        return math.inf
    # What failed in an earlier task is likely to fail again, and may hang: each further attempt
    # could cost a whole time-out in which nothing else goes out to this receiver.
    if all(result.push.settles & subscriber.in_doubt for result in failing):
        return 0
    if any(result.outcome is Outcome.SILENT for result in failing):
        return 0 if time.monotonic() >= end else _SILENT_ATTEMPTS
    return _FRUITLESS_ATTEMPTS


def _pause(fruitless: int) -> None:
    sql.release()
    jitter = random.uniform(0.5, 1.5)  # noqa: S311 - no secret
    time.sleep(_PAUSE_SECONDS * 2**fruitless * jitter)


def _attempt(policy: DeliveryPolicy, waiting: list[Push], *, end: float) -> Attempt:
    ready, lost = policy.prepare(waiting)
    results: list[Result] = []
    if ready:
        sql.release()
        results = send_all(policy.subscriber.receiver, ready, seconds=seconds_until(end))
    return Attempt(ready, lost, results)


def seconds_until(end: float) -> float:
    """Return how long messages may be started, until `end` at most."""
    return min(leases.sending_seconds(), max(end - time.monotonic(), 0.0))


def _note(
    policy: DeliveryPolicy, attempt: Attempt, so_far: BatchResult
) -> tuple[list[Push], list[Result]]:
    """Note an attempt's results; return what is still to be pushed and the failures among it."""
    ready, lost, results = attempt
    for result in (*lost, *results):
        so_far.add(result)
    so_far.left = _left(policy, ready, results)
    _stop_if_nothing_passes(policy.subscriber, results, so_far)
    return so_far.left, [result for result in results if result.outcome in _FAILED]


def _left(policy: DeliveryPolicy, ready: list[Push], results: list[Result]) -> list[Push]:
    tried = {result.push for result in results}
    failed = [result for result in results if result.outcome not in SETTLED]
    return policy.next_attempt(failed, [push for push in ready if push not in tried])


def _stop_if_nothing_passes(
    subscriber: Subscriber, results: list[Result], so_far: BatchResult
) -> None:
    """Raise at a failure that concerns every message: unreachable, or silent while none passes."""
    silent = [result for result in results if result.outcome is Outcome.SILENT]
    fatal = [result for result in results if result.outcome is Outcome.UNREACHABLE]
    # A receiver that hangs on L1 but took L2 to L9 in the same attempt is there: L1 is what fails.
    # If it took nothing, the rest of the batch would only cost a time-out each.
    if not _others_pass(subscriber, silent, so_far):
        fatal += silent
    if fatal:
        raise ReceiverUnavailable(subscriber.shown_reason(fatal[0]), fatal[0], so_far)


def _others_pass(subscriber: Subscriber, failing: list[Result], so_far: BatchResult) -> bool:
    """Whether others pass: now, or in an earlier task what lies beyond each of the failing."""
    if so_far.delivered:
        return True
    # CDR 101 fails, and nothing new came beside it. An earlier task delivered 102, which is noted
    # as ahead of the gap: that is proof enough for 101. For 103, which came later, it is none.
    last = max(subscriber.ahead, default=None)
    return last is not None and all(
        min(result.push.settles, default=last) < last for result in failing
    )


def _give_up(
    policy: DeliveryPolicy,
    waiting: list[Push],
    failing: list[Result],
    so_far: BatchResult,
    plan: Plan,
) -> None:
    """Reject or hold what fails, now that others pass; stop when none does."""
    subscriber = policy.subscriber
    if not _others_pass(subscriber, failing, so_far):
        raise ReceiverUnavailable(subscriber.shown_reason(failing[0]), failing[0], so_far)
    rejected, held = policy.give_up(failing, so_far, plan.overdue)
    for result in rejected:
        so_far.add(replace(result, outcome=Outcome.REJECTED))
    # A later PATCH of the same Session is not given up with the first: it settles other changes.
    given_up = {result.push.key: result.push.settles for result in rejected}
    left = [
        push
        for push in waiting
        if push.key not in given_up or not push.settles <= given_up[push.key]
    ]
    held_keys = {result.push.key for result in held}
    so_far.held += [push for push in left if push.key in held_keys]
    so_far.why_held = subscriber.shown_reason(held[0]) if held else so_far.why_held
    so_far.left = [push for push in left if push.key not in held_keys]
