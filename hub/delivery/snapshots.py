"""Snapshots: all objects of an owner, for a receiver that newly may have them.

They are sent chunk by chunk beside the live feed, under the same lease. Each object goes out as it
is at that moment, so the order between snapshot and live changes does not matter.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import takewhile
from urllib.parse import quote
from uuid import uuid4

from django.db.models import Count, F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from hub.delivery import current_state, subscriptions
from hub.delivery.attempts import settle
from hub.delivery.batch_result import BatchResult, ReceiverUnavailable
from hub.delivery.current_state import Chunk
from hub.delivery.leases import Lease
from hub.delivery.policy import DeliveryPolicy
from hub.delivery.push import PartKey, Plan, Push
from hub.delivery.receipts import record
from hub.delivery.sql.current_state import ObjectRow
from hub.delivery.subscriber import Subscriber
from hub.models import Snapshot
from hub.module_policy import POLICIES
from hub.store.identity import variant_query
from hub.store.reads import Viewer
from ocpi.types import InterfaceRole, ModuleID
from ocpi.versions import VERSIONS
from parties.holders import ref_of

# Objects of a chunk. While its last ones are awaited, nothing else goes out: few large ones.
_CHUNK = 250


@dataclass(frozen=True, slots=True)
class Progress:
    """How many objects of its unfinished snapshots a subscription has sent, and of how many."""

    sent: int
    total: int


def step(lease: Lease, policy: DeliveryPolicy, *, end: float) -> bool:
    """Send one chunk of the oldest pending snapshot; False when there is none."""
    subscriber = policy.subscriber
    pending = subscriptions.pending_snapshot(subscriber.subscription_id)
    if pending is None:
        return False
    owners, strict = frozenset({pending.owner}), subscriber.receiver.strict
    viewer = Viewer(subscriber.party, owners, strict=strict)
    chunk = current_state.objects(subscriber.policy, viewer, after=pending.cursor, limit=_CHUNK)
    pushes = [_push(subscriber, pending.owner, each) for each in chunk.objects]
    try:
        result = settle(policy, Plan(pushes), lease=lease, end=end)
    except ReceiverUnavailable as reason:
        record(policy, reason.so_far)
        _advance(lease, pending, chunk, reason.so_far)
        raise
    record(policy, result)
    _advance(lease, pending, chunk, result)
    return True


def _push(subscriber: Subscriber, owner: str, each: ObjectRow) -> Push:
    path = _path(subscriber, owner, each)
    return Push(
        _key(owner, each), "PUT", path, each.text, path, str(uuid4()), revision=each.revision
    )


def _path(subscriber: Subscriber, owner: str, each: ObjectRow) -> str:
    ref, module = ref_of(owner), VERSIONS[each.version].modules[subscriber.module]
    kind = module.kept
    prefix = module.steps_to(kind, InterfaceRole.RECEIVER) if kind else ()
    steps = (*prefix, ref.country_code, ref.party_id, each.object_id)
    query = variant_query(kind, each.object_key) if kind else ""
    return "/".join(quote(step, safe="") for step in steps) + query


def _advance(lease: Lease, snapshot: Snapshot, chunk: Chunk, result: BatchResult) -> None:
    """Move the cursor up to the first object that is not settled."""
    lease.delivered(len(result.delivered))
    left = {push.key for push in result.left}
    # L1 and L3 are delivered, L2 hangs: the cursor moves to L1, and L3 is sent once more. A state
    # may be repeated, so a list of exceptions is not worth keeping.
    settled = list(takewhile(lambda each: _key(snapshot.owner, each) not in left, chunk.objects))
    finished = chunk.is_last and len(settled) == len(chunk.objects)
    Snapshot.objects.filter(pk=snapshot.pk, cursor=snapshot.cursor).update(
        cursor=settled[-1].seq if settled else snapshot.cursor,
        sent=F("sent") + len(settled),
        finished_at=timezone.now() if finished else None,
    )


def _key(owner: str, each: ObjectRow) -> PartKey:
    return (owner, each.object_key, "")


def progress(subscription_ids: Collection[int]) -> Mapping[int, Progress]:
    """Return how far the unfinished snapshots of each subscription are."""
    unfinished = Snapshot.objects.filter(subscription__in=subscription_ids, finished_at=None)
    summed = [
        _summed(unfinished.filter(subscription__module=name), ModuleID(name))
        for name in unfinished.values_list("subscription__module", flat=True).distinct()
    ]
    rows = summed[0].union(*summed[1:], all=True) if summed else ()
    return {pk: Progress(sent, sent + left) for pk, sent, left in rows}


def _summed(
    unfinished: QuerySet[Snapshot], module: ModuleID
) -> QuerySet[Snapshot, tuple[int, int, int]]:
    """Select (subscription, objects sent, objects left) for the snapshots of one module."""
    objects = POLICIES[module].model._default_manager  # noqa: SLF001 - a documented name of Django
    ahead = objects.filter(owner=OuterRef("owner"), audience="", seq__gt=OuterRef("cursor"))
    counted = ahead.order_by().values("owner").annotate(number=Count("*")).values("number")
    with_rest = unfinished.annotate(rest=Coalesce(Subquery(counted), 0))
    grouped = with_rest.values("subscription").annotate(
        all_sent=Sum(F("sent")), all_rest=Sum("rest")
    )
    return grouped.values_list("subscription", "all_sent", "all_rest")
