"""The current objects of an owner, for a receiver that newly may see them.

Piece by piece beside the live feed, under the same lease: each object is sent as it is at that
moment, so the order between snapshot and live changes does not matter.
"""

from itertools import takewhile
from urllib.parse import quote
from uuid import uuid4

from django.db.models import F
from django.utils import timezone

from hub.delivery import states, subscriptions
from hub.delivery.lanes import LaneKey, Push
from hub.delivery.leases import Lease
from hub.delivery.receivers import Target
from hub.delivery.settling import Settled, Stopped, record, settle
from hub.delivery.states import Piece, StoredText
from hub.models import Snapshot
from ocpi.types import PartyRef, fold

_BATCH = 100


def step(lease: Lease, target: Target, *, end: float) -> bool:
    """Send one piece of the oldest pending snapshot; False when there is none."""
    pending = subscriptions.pending_snapshot(target.subscription_id)
    if pending is None:
        return False
    piece = states.objects(target.policy, pending.owner, after=pending.cursor, limit=_BATCH)
    pushes = [_push(pending.owner, each.object_id, each.text) for each in piece.objects]
    try:
        settled = settle(target, pushes, keep_lease=lease.prolong, end=end)
    except Stopped as stopped:
        _advance(lease, pending, piece, stopped.settled)
        raise
    record(target, settled)
    _advance(lease, pending, piece, settled)
    return True


def _push(owner: str, object_id: str, text: str) -> Push:
    ref = PartyRef.parse(owner)
    path = "/".join(quote(step, safe="") for step in (ref.country_code, ref.party_id, object_id))
    return Push((owner, fold(object_id), ""), "PUT", path, text, path, str(uuid4()))


def _advance(lease: Lease, snapshot: Snapshot, piece: Piece, settled: Settled) -> None:
    """Move the cursor up to the first object that is not settled."""
    lease.delivered(len(settled.delivered))
    over = list(takewhile(lambda each: settled.covers(_lane(snapshot, each)), piece.objects))
    finished = piece.is_last and len(over) == len(piece.objects)
    Snapshot.objects.filter(pk=snapshot.pk, cursor=snapshot.cursor).update(
        cursor=over[-1].seq if over else snapshot.cursor,
        sent=F("sent") + len(over),
        finished_at=timezone.now() if finished else None,
    )


def _lane(snapshot: Snapshot, each: StoredText) -> LaneKey:
    return (snapshot.owner, fold(each.object_id), "")
