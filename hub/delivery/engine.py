"""The engine: one subscription's backlog, from claim to release."""

import logging
import time

from django.conf import settings

from database import sql
from hub import feed
from hub.delivery import leases, receipts, snapshots
from hub.delivery.attempts import settle
from hub.delivery.batch_result import BatchResult, ReceiverUnavailable
from hub.delivery.leases import Lease, LeaseLost
from hub.delivery.policy import DeliveryPolicy, policy_of
from hub.delivery.subscriber import Subscriber, find_subscriber
from hub.feed import Batch
from ocpi.types import ModuleID

log = logging.getLogger(__name__)

# How long a thread works on one subscription before others get their turn.
_BUDGET_SECONDS = 20.0
# At a long request time-out the budget grows: a message that hangs is tried twice before others go
# on without it.
_ATTEMPTS_WITHIN = 2
# Bodies of a batch in memory; the number of its changes is HUB_DELIVERY_BATCH.
_BATCH_BYTES = 8_000_000
# A long backlog is read compacted: what a later change replaces is left out. In the last seconds of
# the budget it is read whole, so that what changes all the time is not put off for ever.
_UNCOMPACTED_SECONDS = 10.0


def deliver(subscription_id: int, *, insist: bool = False) -> ModuleID | None:
    """Work on one subscription until nothing is left, nothing passes or the time is up.

    Return its module, or None while another worker is at it. A platform that backs off is left
    alone, unless an operator wants it tried at once (`insist`).
    """
    lease = leases.claim(subscription_id)
    if lease is None:
        return None
    end = time.monotonic() + max(_BUDGET_SECONDS, _ATTEMPTS_WITHIN * settings.HUB_REQUEST_TIMEOUT)
    try:
        while _step(lease, end, insist=insist) and time.monotonic() < end:
            pass
    except LeaseLost:
        log.warning("subscription %s: the lease ran out", subscription_id)
    finally:
        lease.release()
        sql.release()
    return lease.module


def _step(lease: Lease, end: float, *, insist: bool) -> bool:
    """Send what changed, then a chunk of a snapshot; False when that was all.

    Access is looked up anew in each step: where it ended nothing more goes out, and changes of an
    object that a new snapshot has sent already are read.
    """
    subscriber = find_subscriber(lease.subscription_id, lease.module)
    if subscriber is None or (subscriber.is_paused and not insist):
        return False
    policy = policy_of(subscriber)
    try:
        batch = _read(policy, end)
        result = _deliver_batch(lease, policy, batch, end=end)
        if result.left:
            return False
        # While more of the feed waits to be read, held messages are no reason to rest. A round that
        # settled nothing is one: without a pause the held message would be tried in a tight loop.
        if result.held and (batch.complete or not result.settled):
            lease.rest(result.why_held)
            return False
        if not batch.complete:
            return True
        return subscriber.has_snapshot and snapshots.step(lease, policy, end=end)
    except ReceiverUnavailable as reason:
        _back_off(lease, subscriber, reason)
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


def _read(policy: DeliveryPolicy, end: float) -> Batch:
    """Read a batch; of a long backlog only what no later change replaces."""
    subscriber = policy.subscriber
    may_compact = policy.compacts and time.monotonic() < end - _UNCOMPACTED_SECONDS
    # Within a backlog that an earlier batch compacted: go on like that without reading it whole.
    if may_compact and subscriber.position.transaction < subscriber.compacted_to:
        return _read_batch(subscriber, compacted=True)
    batch = _read_batch(subscriber)
    return _read_batch(subscriber, compacted=True) if may_compact and not batch.complete else batch


def _read_batch(subscriber: Subscriber, *, compacted: bool = False) -> Batch:
    return feed.read(
        subscriber.selection,
        subscriber.position,
        excluded=subscriber.ahead,
        # What is in doubt failed before and is sent last. A batch of nothing else would leave no
        # room for what passes, and as long as nothing passes nothing is given up either.
        limit=settings.HUB_DELIVERY_BATCH + len(subscriber.in_doubt),
        most_bytes=_BATCH_BYTES,
        compacted=compacted,
    )


def _deliver_batch(
    lease: Lease, policy: DeliveryPolicy, batch: Batch, *, end: float
) -> BatchResult:
    """Send a batch and record its result; something is left when time is up."""
    plan = policy.plan(batch)
    try:
        result = settle(policy, plan, lease=lease, end=end)
    except ReceiverUnavailable as reason:
        _record(lease, policy, batch, reason.so_far)
        raise
    _record(lease, policy, batch, result)
    return result


def _record(lease: Lease, policy: DeliveryPolicy, batch: Batch, result: BatchResult) -> None:
    """Record what became of a batch, and advance to the first gap."""
    recording = receipts.recording(policy, result)
    positions = policy.positions(batch, result)
    lease.advance(positions, delivered=len(result.delivered), preceding=recording)
