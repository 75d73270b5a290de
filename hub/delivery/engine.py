"""One subscription's backlog, from claim to release."""

import logging
import time
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from database import sql
from hub import feed
from hub.delivery import batch as delivery_batch
from hub.delivery import current_state, leases, plan_durable, plan_latest, snapshots
from hub.delivery import target as delivery_target
from hub.delivery.batch import Settled, Stopped, settle
from hub.delivery.leases import Lease, LeaseLost
from hub.delivery.plan_durable import Plan, Terms
from hub.delivery.target import Target
from hub.feed import Batch, Position
from ocpi.types import ModuleID

log = logging.getLogger(__name__)

_BUDGET_SECONDS = 20.0
# A message that hangs is tried twice before others go on without it.
_ATTEMPTS_WITHIN = 2
_BATCH_BYTES = 8_000_000
# Before the last seconds of its time nothing of a long backlog is sent that a later change
# replaces; in them it is, so that what changes all the time is not put off for ever.
_CATCHING_UP_SECONDS = 10.0
# For so long a message that keeps failing is tried while others of its receiver pass.
_PATIENCE = timedelta(hours=1)


def deliver(subscription_id: int, *, insist: bool = False) -> ModuleID | None:
    """Work on one subscription until nothing is left, nothing passes or the time is up.

    Return its module, or None while another worker is at it. A platform that backs off since the
    work was found is left alone, unless somebody insists.
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
    """Send what changed, then a piece of a snapshot; False when that was all.

    Who may have what is asked anew each time: access that ended stops here, and what a new
    snapshot has sent already is not passed over when it changes.
    """
    target = delivery_target.target(lease.subscription_id, lease.module)
    if target is None or (target.is_paused and not insist):
        return False
    try:
        batch = _read(target, end)
        settled = _deliver_batch(lease, target, batch, end=end)
        if settled.left:
            return False
        if settled.held and (batch.complete or not settled.pushes):
            lease.rest(settled.trouble)
            return False
        if not batch.complete:
            return True
        return target.has_snapshot and snapshots.step(lease, target, end=end)
    except Stopped as stopped:
        log.warning("%s: %s", target, stopped)
        lease.failed(str(stopped))
        delivery_target.failed(
            target,
            str(stopped),
            answered=stopped.answered,
            is_refusal=stopped.is_refusal,
            retry_after=stopped.retry_after,
        )
        return False


def _read(target: Target, end: float) -> Batch:
    """Read a batch; of a long backlog only what nothing further on replaces."""
    may_be_thinned = not target.is_durable and time.monotonic() < end - _CATCHING_UP_SECONDS
    if may_be_thinned and target.position.transaction < target.thinned_to:
        return _read_batch(target, thinned=True)
    batch = _read_batch(target)
    return _read_batch(target, thinned=True) if may_be_thinned and not batch.complete else batch


def _read_batch(target: Target, *, thinned: bool = False) -> Batch:
    return feed.read(
        target.selection,
        target.position,
        besides=target.ahead,
        limit=settings.HUB_DELIVERY_BATCH + len(target.in_doubt),
        most_bytes=_BATCH_BYTES,
        thinned=thinned,
    )


def _deliver_batch(lease: Lease, target: Target, batch: Batch, *, end: float) -> Settled:
    """Send a batch and note what of it is done; something is left when time is up."""
    plan = _durable(lease, target, batch) if target.is_durable else _latest(target, batch)
    try:
        settled = settle(target, plan, lease=lease, end=end)
    except Stopped as stopped:
        _note(lease, target, batch, stopped.settled)
        raise
    _note(lease, target, batch, settled)
    return settled


def _latest(target: Target, batch: Batch) -> Plan:
    """Plan what each lane sends."""
    found = plan_latest.lanes(batch.changes)
    if not found:
        return Plan([])
    present = current_state.revisions(target.policy, found)
    patches = target.receiver.patch_supported
    thinned_to = max(target.thinned_to, batch.thinned_to)
    decided = (
        plan_latest.push(lane, present, patch_supported=patches, thinned_to=thinned_to)
        for lane in found
    )
    return Plan([push for push in decided if push is not None])


def _durable(lease: Lease, target: Target, batch: Batch) -> Plan:
    """Plan every message; what must not be applied twice is in doubt from now on."""
    now = timezone.now()
    terms = Terms(
        owners=target.owners,
        not_before=now - timedelta(days=settings.HUB_DELIVERY_EXPIRY_DAYS),
        patient_since=now - _PATIENCE,
        in_doubt=target.in_doubt,
        patch_supported=target.receiver.patch_supported,
    )
    plan = plan_durable.plan(batch.changes, terms)
    doubtful = plan_durable.doubtful(plan.pushes)
    if doubtful:
        lease.sending(target.in_doubt | doubtful)
    return plan


def _note(lease: Lease, target: Target, batch: Batch, settled: Settled) -> None:
    """Record what was refused, then advance behind what is done without a gap."""
    recording = delivery_batch.recording(target, settled)
    reached = _before_the_gap(target, batch, settled)
    done: frozenset[Position] = frozenset()
    if target.is_durable:
        done = target.ahead.union(*(push.settles for push in settled.pushes))
    lease.advance(
        reached,
        delivered=len(settled.delivered),
        ahead={place for place in done if place > reached},
        in_doubt=(target.in_doubt | settled.in_doubt) - done if target.is_durable else (),
        thinned_to=batch.thinned_to,
        after=recording,
    )


def _before_the_gap(target: Target, batch: Batch, settled: Settled) -> Position:
    """Return how far everything is done, so that little is sent twice."""
    waiting = {place for push in (*settled.left, *settled.held) for place in push.settles}
    if not waiting:
        return batch.reached
    reached = target.position
    for change in batch.changes:
        if change.position in waiting:
            break
        reached = change.position
    return reached
