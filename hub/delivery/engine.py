"""The engine: one subscription's backlog, from claim to release.

Each is a lane of its own. What it asks the database is gathered with what other lanes ask at the
same moment; whatever takes patience (a receiver that fails, a snapshot) waits in a thread.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from django.conf import settings

from hub import feed
from hub.delivery import attempts, gathered, leases, receipts, snapshots
from hub.delivery.attempts import Attempt
from hub.delivery.batch_result import BatchResult, ReceiverUnavailable
from hub.delivery.gathered import Gathered, patiently, quickly
from hub.delivery.leases import Advance, Lease, LeaseLost
from hub.delivery.policy import DeliveryPolicy, plan_all, policy_of
from hub.delivery.push import Plan, Prepared, Push
from hub.delivery.receiver import send_soon
from hub.delivery.subscriber import Subscriber, find_subscribers
from hub.feed import Batch, Reading
from ocpi.types import ModuleID

log = logging.getLogger(__name__)

# How long a lane works on one subscription before others get their turn.
_BUDGET_SECONDS = 20.0
# At a long request time-out the budget grows: a message that hangs is tried twice before others go
# on without it.
_ATTEMPTS_WITHIN = 2
# Bodies of a batch in memory; the number of its changes is HUB_DELIVERY_BATCH.
_BATCH_BYTES = 8_000_000
# A long backlog is read compacted: what a later change replaces is left out. In the last seconds of
# the budget it is read whole, so that what changes all the time is not put off for ever.
_UNCOMPACTED_SECONDS = 10.0


def deliver_and_wait(subscription_id: int, *, insist: bool = False) -> ModuleID | None:
    """Do as `deliver`, for a thread."""
    return gathered.submit(deliver(subscription_id, insist=insist)).result()


async def deliver(subscription_id: int, *, insist: bool = False) -> ModuleID | None:
    """Work on one subscription until nothing is left, nothing passes or the time is up.

    Return its module, or None while another worker is at it. A platform that backs off is left
    alone, unless an operator wants it tried at once (`insist`).
    """
    begun = await _beginnings.ask(subscription_id)
    if begun is None:
        return None
    lease, subscriber = begun
    end = time.monotonic() + max(_BUDGET_SECONDS, _ATTEMPTS_WITHIN * settings.HUB_REQUEST_TIMEOUT)
    try:
        while await _step(lease, subscriber, end, insist=insist) and time.monotonic() < end:
            subscriber = await _subscribers.ask(lease)
    except LeaseLost:
        log.warning("subscription %s: the lease ran out", subscription_id)
    finally:
        await _releases.ask(lease)
    return lease.module


async def _step(lease: Lease, subscriber: Subscriber | None, end: float, *, insist: bool) -> bool:
    """Send what changed, then a chunk of a snapshot; False when that was all.

    Access is looked up anew for each step: where it ended nothing more goes out, and changes of an
    object that a new snapshot has sent already are read.
    """
    if subscriber is None or (subscriber.is_paused and not insist):
        return False
    policy = policy_of(subscriber)
    try:
        batch, result = await _deliver_batch(lease, policy, end=end)
        if result.left:
            return False
        # While more of the feed waits to be read, held messages are no reason to rest. A round that
        # settled nothing is one: without a pause the held message would be tried in a tight loop.
        if result.held and (batch.complete or not result.settled):
            await quickly(lease.rest, result.why_held)
            return False
        if not batch.complete:
            return True
        return subscriber.has_snapshot and await patiently(snapshots.step, lease, policy, end=end)
    except ReceiverUnavailable as reason:
        await quickly(_back_off, lease, subscriber, reason)
        return False


def _back_off(lease: Lease, subscriber: Subscriber, reason: ReceiverUnavailable) -> None:
    log.warning("%s: %s", subscriber, reason)
    lease.failed(str(reason))
    subscriber.failed(
        str(reason),
        answered=reason.answered,
        is_refusal=reason.is_refusal,
        retry_after=reason.retry_after,
    )


async def _read_and_plan(policy: DeliveryPolicy, end: float) -> tuple[Batch, Plan]:
    """Plan a batch; of a long backlog only what no later change replaces."""
    may_compact = policy.compacts and time.monotonic() < end - _UNCOMPACTED_SECONDS
    # Within a backlog that an earlier batch compacted: go on like that without reading it whole.
    # Alone: such a reading takes its time, and who has one change to wait for must not wait for it.
    if may_compact and policy.subscriber.is_within_compacted:
        return await quickly(_plan_compacted, policy)
    batch, plan = await _plans.ask(policy)
    if may_compact and not batch.complete:
        return await quickly(_plan_compacted, policy)
    return batch, plan


def _reading(subscriber: Subscriber) -> Reading:
    return Reading(
        subscriber.selection,
        subscriber.position,
        excluded=subscriber.ahead,
        # What is in doubt failed before and is sent last. A batch of nothing else would leave no
        # room for what passes, and as long as nothing passes nothing is given up either.
        limit=settings.HUB_DELIVERY_BATCH + len(subscriber.in_doubt),
        most_bytes=_BATCH_BYTES,
    )


async def _deliver_batch(
    lease: Lease, policy: DeliveryPolicy, *, end: float
) -> tuple[Batch, BatchResult]:
    """Send a batch and record its result; something is left when time is up."""
    batch, plan = await _read_and_plan(policy, end)
    try:
        result = await _settle(lease, policy, plan, end=end)
    except ReceiverUnavailable as reason:
        await _record(lease, policy, batch, reason.so_far)
        raise
    await _record(lease, policy, batch, result)
    return batch, result


async def _settle(lease: Lease, policy: DeliveryPolicy, plan: Plan, *, end: float) -> BatchResult:
    """Push once, and in a thread whatever that leaves; as `attempts.settle`."""
    if plan.doubtful:
        await quickly(attempts.note_doubts, policy.subscriber, plan, lease)
    ready, lost = await _prepare(policy, plan.pushes)
    seconds = attempts.seconds_until(end)
    receiver = policy.subscriber.receiver
    results = await send_soon(receiver, ready, seconds=seconds) if ready else []
    first = Attempt(ready, lost, results)
    if first.settles_all:
        return attempts.go_on(policy, plan, first, lease=lease, end=end)
    return await patiently(attempts.go_on, policy, plan, first, lease=lease, end=end)


async def _prepare(policy: DeliveryPolicy, waiting: list[Push]) -> Prepared:
    """Give each state its text; mostly none lacks it, and no thread is asked."""
    spells = policy.subscriber.receiver.one_spelling
    if not spells and all(push.body is not None for push in waiting):
        return Prepared(waiting, [])
    return await quickly(policy.prepare, waiting)


async def _record(lease: Lease, policy: DeliveryPolicy, batch: Batch, result: BatchResult) -> None:
    """Record what became of a batch, and advance to the first gap."""
    if receipts.only_receipts(policy, result):
        recording = receipts.recording(policy, result)
    else:
        recording = await quickly(receipts.recording, policy, result)
    positions = policy.positions(batch, result)
    if not await _advances.ask(Advance(lease, positions, len(result.delivered), recording)):
        raise LeaseLost


def _begin(subscription_ids: Sequence[int]) -> list[tuple[Lease, Subscriber | None] | None]:
    """Claim subscriptions and look up whose they are; None where another worker is at it."""
    claimed = leases.claim_all(subscription_ids)
    held = [lease for lease in claimed if lease is not None]
    try:
        found = dict(zip(held, _find(held), strict=True))
    except BaseException:
        leases.release_all(held)
        raise
    return [(lease, found[lease]) if lease is not None else None for lease in claimed]


def _find(held: Sequence[Lease]) -> list[Subscriber | None]:
    """Look up whose subscriptions these are, module by module."""
    by_module: dict[ModuleID, list[int]] = defaultdict(list)
    for lease in held:
        by_module[lease.module].append(lease.subscription_id)
    found = {
        each: subscriber
        for module, ids in by_module.items()
        for each, subscriber in zip(ids, find_subscribers(ids, module), strict=True)
    }
    return [found[lease.subscription_id] for lease in held]


def _plan_each(policies: Sequence[DeliveryPolicy]) -> list[tuple[Batch, Plan]]:
    """Read a batch for each and plan it."""
    batches = feed.read_all([_reading(policy.subscriber) for policy in policies])
    plans = plan_all(list(zip(policies, batches, strict=True)))
    return list(zip(batches, plans, strict=True))


def _plan_compacted(policy: DeliveryPolicy) -> tuple[Batch, Plan]:
    """Read and plan a batch of a long backlog without what a later change replaces."""
    [batch] = feed.read_all([replace(_reading(policy.subscriber), compacted=True)])
    [plan] = plan_all([(policy, batch)])
    return batch, plan


_beginnings = Gathered[int, tuple[Lease, Subscriber | None] | None](_begin)
_subscribers = Gathered[Lease, Subscriber | None](_find)
_plans = Gathered[DeliveryPolicy, tuple[Batch, Plan]](_plan_each)
_advances = Gathered[Advance, bool](leases.advance_all)
_releases = Gathered[Lease, None](leases.release_all)
