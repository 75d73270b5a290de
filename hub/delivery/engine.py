"""One subscription's backlog, from claim to release (architecture chapter 6)."""

import logging
import time

from django.conf import settings

from hub import feed
from hub.delivery import lanes, leases, receivers, snapshots, states
from hub.delivery.lanes import Lane, Push
from hub.delivery.leases import Lease, LeaseLost
from hub.delivery.receivers import Target
from hub.delivery.settling import Settled, Stopped, record, settle
from hub.feed import Batch, Position
from parties import database

log = logging.getLogger(__name__)

_BUDGET_SECONDS = 20.0
# A message that hangs is tried twice before others go on without it.
_ATTEMPTS_WITHIN = 2
_BATCH_BYTES = 8_000_000


def deliver(subscription_id: int) -> None:
    """Work on one subscription until nothing is left, nothing passes or the time is up."""
    lease = leases.claim(subscription_id)
    if lease is None:
        return
    end = time.monotonic() + max(_BUDGET_SECONDS, _ATTEMPTS_WITHIN * settings.HUB_REQUEST_TIMEOUT)
    try:
        while _step(lease, end) and time.monotonic() < end:
            pass
    except LeaseLost:
        log.warning("subscription %s: the lease ran out", subscription_id)
    finally:
        lease.release()
        database.release()


def _step(lease: Lease, end: float) -> bool:
    """Send what changed, then a piece of a snapshot; False when that was all.

    Who may have what is asked anew each time: access that ended stops here, and what a new
    snapshot has sent already is not passed over when it changes.
    """
    target = receivers.target(lease.subscription_id)
    if target is None:
        return False
    try:
        batch = _read(target)
        if not _deliver_batch(lease, target, batch, end=end):
            return False
        return not batch.complete or snapshots.step(lease, target, end=end)
    except Stopped as stopped:
        log.warning("%s: %s", target, stopped)
        record(target, stopped.settled)
        lease.failed(str(stopped))
        receivers.failed(
            target, str(stopped), answered=stopped.answered, retry_after=stopped.retry_after
        )
        return False


def _read(target: Target) -> Batch:
    return feed.read(
        target.module,
        target.position,
        receiver=target.party,
        owners=target.owners,
        limit=settings.HUB_DELIVERY_BATCH,
        most_bytes=_BATCH_BYTES,
    )


def _deliver_batch(lease: Lease, target: Target, batch: Batch, *, end: float) -> bool:
    """Send a batch and advance behind what of it is done without a gap; False when time is up."""
    found = lanes.lanes(batch.changes)
    try:
        settled = settle(target, _pushes(target, found), keep_lease=lease.prolong, end=end)
    except Stopped as stopped:
        _advance(lease, batch, found, stopped.settled)
        raise
    record(target, settled)
    _advance(lease, batch, found, settled)
    return not settled.left


def _advance(lease: Lease, batch: Batch, found: list[Lane], settled: Settled) -> None:
    reached = _before_the_gap(batch, found, settled) if settled.left else batch.reached
    delivered = len(settled.delivered)
    if reached is None:
        lease.delivered(delivered)
    else:
        lease.advance(reached, delivered=delivered)


def _pushes(target: Target, found: list[Lane]) -> list[Push]:
    if not found:
        return []
    present = states.revisions(target.policy, found)
    patches = target.receiver.patch_supported
    decided = (lanes.push(lane, present, patch_supported=patches) for lane in found)
    return [push for push in decided if push is not None]


def _before_the_gap(batch: Batch, found: list[Lane], settled: Settled) -> Position | None:
    """Return how far everything is done, so that little is sent twice."""
    waiting = [lane for lane in found if not settled.covers(lane.key)]
    still_open = {change.position for lane in waiting for change in lane.changes}
    reached = None
    for change in batch.changes:
        if change.position in still_open:
            break
        reached = change.position
    return reached
