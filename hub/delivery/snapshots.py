"""The current objects of an owner, for a receiver that newly may see them.

Piece by piece beside the live feed, under the same lease: each object is sent as it is at that
moment, so the order between snapshot and live changes does not matter.
"""

from urllib.parse import quote
from uuid import uuid4

from django.db.models import F
from django.utils import timezone

from hub.delivery import states, subscriptions
from hub.delivery.lanes import Push
from hub.delivery.leases import Lease
from hub.delivery.receivers import Target
from hub.delivery.settling import record, settle
from hub.models import Snapshot
from ocpi.types import PartyRef, fold

_BATCH = 100


def step(lease: Lease, target: Target) -> bool:
    """Send one piece of the oldest pending snapshot; False when there is none."""
    pending = subscriptions.pending_snapshot(target.subscription_id)
    if pending is None:
        return False
    found = states.objects(target.policy, pending.owner, pending.cursor, _BATCH)
    pushes = [_push(pending.owner, object_id, text) for _, object_id, text in found]
    settled = settle(target, pushes, keep_lease=lease.prolong)
    record(target, settled)
    lease.delivered(settled.delivered)
    _advance(pending, found[-1][0] if found else pending.cursor, len(found))
    return True


def _push(owner: str, object_id: str, text: str) -> Push:
    ref = PartyRef.parse(owner)
    path = "/".join(quote(step, safe="") for step in (ref.country_code, ref.party_id, object_id))
    return Push((owner, fold(object_id), ""), "PUT", path, text, path, str(uuid4()))


def _advance(snapshot: Snapshot, cursor: int, count: int) -> None:
    Snapshot.objects.filter(pk=snapshot.pk, cursor=snapshot.cursor).update(
        cursor=cursor,
        sent=F("sent") + count,
        finished_at=timezone.now() if count < _BATCH else None,
    )
