"""The rows of delivery: who has to be told what, and who is behind.

Architecture chapter 6; A-24, A-38. Access itself is judged by `parties.access` alone.
"""

from typing import Any

from django.db import connection

from hub.models import Snapshot, Subscription
from hub.policy import POLICIES
from ocpi.types import InterfaceRole, ModuleID
from parties import access
from parties.status import REGISTERED

_REGISTERED = [status.value for status in REGISTERED]


def reconcile() -> None:
    """Bring subscriptions and snapshots in line with who may have what.

    Whoever newly may see an owner's objects gets a snapshot of them; access that ended forgets
    its snapshot, so that a later one starts afresh.
    """
    registered = {"receiver__platform__status__in": _REGISTERED, "receiver__is_active": True}
    Subscription.objects.exclude(**registered).delete()
    for module in POLICIES:
        for statement in (_SUBSCRIBE, _PASS_OVER, _SNAPSHOT):
            _execute(statement, module)


def behind(module: ModuleID, *, only: int | None = None) -> list[tuple[int, bool]]:
    """Return (id, has snapshots to send) of the subscriptions somebody should work on now."""
    found = _execute(_BEHIND, module, only=only)
    return [(int(str(pk)), bool(waiting)) for pk, waiting in found]


def lag(module: ModuleID) -> dict[int, tuple[int, float]]:
    """Return changes behind and the age of the oldest in seconds, by subscription."""
    found = _execute(_LAG, module)
    return {int(str(pk)): (int(str(count)), float(str(age))) for pk, count, age in found}


def owners(subscription: Subscription) -> frozenset[str]:
    """Return whose objects a receiver may have now, and forget the snapshots of all others.

    Whoever reads the feed with these owners passes over the changes of the others for good; they
    come back by a new snapshot only.
    """
    module = ModuleID(subscription.module)
    found = _execute(_OWNERS, module, receiver=subscription.receiver_id)
    visible = frozenset(str(owner) for (owner,) in found)
    subscription.snapshots.exclude(owner__in=visible).delete()
    return visible


def pending_snapshot(subscription_id: int) -> Snapshot | None:
    """Return the oldest snapshot still to be sent."""
    waiting = Snapshot.objects.filter(subscription=subscription_id, finished_at=None)
    return waiting.order_by("id").first()


def start_afresh(platform_id: int) -> None:
    """Forget what a platform was told: after a new registration it gets everything again."""
    Subscription.objects.filter(receiver__platform=platform_id).delete()


def _execute(statement: str, module: ModuleID, **more: object) -> list[tuple[object, ...]]:
    pairs, parameters = access.access_pairs_sql(module)
    named: dict[str, Any] = {
        **parameters,
        "module": module.value,
        "role": InterfaceRole.RECEIVER.value,
        "registered": _REGISTERED,
        **more,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement.format(pairs=pairs), named)
        return cursor.fetchall() if cursor.description else []


_OWNERS = """
WITH pair (owner, receiver) AS ({pairs})
SELECT DISTINCT owner FROM pair WHERE receiver = %(receiver)s"""

_HORIZON = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"

_REACHABLE = """
JOIN parties_party p ON p.id = b.receiver_id AND p.is_active
JOIN parties_platform f ON f.id = p.platform_id AND f.status = ANY(%(registered)s)
JOIN parties_endpoint e ON e.platform_id = f.id AND e.module = %(module)s AND e.role = %(role)s"""

_SUBSCRIBE = f"""
WITH pair (owner, receiver) AS ({{pairs}}), b AS (SELECT DISTINCT receiver AS receiver_id FROM pair)
INSERT INTO hub_subscription
  (receiver_id, module, transaction, seq, failures, last_error, delivered)
SELECT b.receiver_id, %(module)s, {_HORIZON} - 1, 9223372036854775807, 0, '', 0 FROM b {_REACHABLE}
WHERE NOT EXISTS (SELECT FROM hub_subscription known
  WHERE known.receiver_id = b.receiver_id AND known.module = %(module)s)
ON CONFLICT DO NOTHING"""

_SNAPSHOT = """
WITH pair (owner, receiver) AS ({pairs})
INSERT INTO hub_snapshot (subscription_id, owner, cursor, sent)
SELECT b.id, pair.owner, 0, 0 FROM pair
JOIN hub_subscription b ON b.receiver_id = pair.receiver AND b.module = %(module)s
WHERE NOT EXISTS (SELECT FROM hub_snapshot s
  WHERE s.subscription_id = b.id AND s.owner = pair.owner)
ON CONFLICT DO NOTHING"""

_VISIBLE = """WITH pair (owner, receiver) AS ({pairs}), visible AS (
  SELECT receiver, array_agg(owner) AS owners FROM pair GROUP BY receiver)"""

_UNSEEN = """c.module = b.module AND c.owner = o.owner AND c.audience IN ('', p.key)
    AND (c.transaction, c.seq) > (b.transaction, b.seq)"""

# One look into the index for each owner, however many changes of others lie between.
_NEXT = f"""(SELECT first.seq FROM unnest(visible.owners) AS o(owner) CROSS JOIN LATERAL (
    SELECT c.seq FROM hub_change c WHERE {_UNSEEN} AND c.transaction < {_HORIZON}
    ORDER BY c.transaction, c.seq LIMIT 1) AS first LIMIT 1)"""

# One statement, so that what is passed over and whose snapshots are forgotten is decided at once.
# Only who stands still gets here, and only once in a thousand transactions.
_PASS_OVER = f"""
{_VISIBLE}, forgotten AS (
  DELETE FROM hub_snapshot s USING hub_subscription b
  WHERE b.id = s.subscription_id AND b.module = %(module)s
    AND NOT EXISTS (SELECT FROM pair WHERE pair.owner = s.owner AND pair.receiver = b.receiver_id))
UPDATE hub_subscription b SET transaction = {_HORIZON} - 1, seq = 9223372036854775807
FROM parties_party p LEFT JOIN visible ON visible.receiver = p.id
WHERE p.id = b.receiver_id AND b.module = %(module)s AND b.transaction < {_HORIZON} - 1000
  AND (b.lease_until IS NULL OR b.lease_until < now()) AND {_NEXT} IS NULL"""

_ONLY = """
  WHERE %(only)s::bigint IS NULL
    OR receiver = (SELECT receiver_id FROM hub_subscription WHERE id = %(only)s::bigint)"""

_BEHIND = f"""
{_VISIBLE.replace("FROM pair", f"FROM pair{_ONLY}")}
SELECT b.id, s.waiting FROM hub_subscription b {_REACHABLE}
JOIN visible ON visible.receiver = b.receiver_id
CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM hub_snapshot s
  WHERE s.subscription_id = b.id AND s.finished_at IS NULL) AS waiting) AS s
WHERE b.module = %(module)s
  AND (%(only)s::bigint IS NULL OR b.id = %(only)s::bigint)
  AND (f.next_attempt_at IS NULL OR f.next_attempt_at <= now())
  AND (b.lease_until IS NULL OR b.lease_until < now())
  AND (s.waiting OR {_NEXT} IS NOT NULL)
ORDER BY b.id"""

_LAG = f"""
{_VISIBLE}
SELECT b.id, count(*), extract(epoch FROM now() - min(c.created_at))::float
FROM hub_subscription b
JOIN parties_party p ON p.id = b.receiver_id
JOIN visible ON visible.receiver = b.receiver_id
CROSS JOIN LATERAL unnest(visible.owners) AS o(owner)
JOIN hub_change c ON {_UNSEEN}
WHERE b.module = %(module)s GROUP BY b.id"""
