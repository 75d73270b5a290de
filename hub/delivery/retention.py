"""How long the feed is kept, and what a receiver gets whose position is no longer in it.

docs/architecture.md#delivery; `HUB_FEED_DAYS`. Where the newest state counts, a change goes when it
is old: if a receiver had not reached it, the hub forgets that receiver's snapshot of that owner,
and reconciling subscriptions begins a new one. What no snapshot can say stays until its receivers
are past it: a DELETE, and all where every message counts.

The feed is ordered by the cluster's transaction numbers. In a database that was restored into
another cluster, changes and positions that lie above its counter come from elsewhere: nothing would
be delivered until the counter has caught up. Subscriptions to states get everything by snapshots
then. Where every message counts, a subscription goes on with the first that was not delivered: some
may be repeated, none is lost.
"""

import logging
import time
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

from database import sql
from hub.delivery.durable import DURABLE
from hub.feed import END_OF_TRANSACTION, HORIZON
from hub.models import Snapshot, Subscription

log = logging.getLogger(__name__)

_BATCH = 5_000
_LONGEST_SECONDS = 30.0

# Where every message counts, an old change goes once its receiver's position has reached it; if
# nobody is subscribed for it, once it has expired (COALESCE). Of states it goes even if somebody
# has not read it: a snapshot will say the same. A DELETE waits until every position of the module
# has passed it, since no snapshot can say that something is gone.
# By primary key, which is about the order of age: so no index on `created_at` is needed, which
# every write would have to keep.
_WINDOW = """
WITH looked_at AS (
  SELECT seq, transaction, module, owner, audience, method, created_at < %(old)s AS is_old,
    module = ANY(%(durable)s::text[]) AS is_durable, created_at < %(expired)s AS is_expired
  FROM hub_change WHERE seq > %(after)s::bigint ORDER BY seq LIMIT %(batch)s::bigint
), over AS (
  SELECT c.seq, c.transaction, c.module, c.owner, c.is_durable FROM looked_at c
  WHERE c.is_old AND CASE WHEN c.is_durable THEN
    (SELECT COALESCE(bool_and((b.transaction, b.seq) >= (c.transaction, c.seq)), c.is_expired)
      FROM hub_subscription b JOIN parties_party p ON p.id = b.receiver_id
      WHERE b.module = c.module AND p.holder = c.audience)
  ELSE c.method <> 'DELETE' OR NOT EXISTS (SELECT FROM hub_subscription b
    WHERE b.module = c.module AND (b.transaction, b.seq) < (c.transaction, c.seq)) END
), missed AS (
  SELECT DISTINCT ON (module, owner) module, owner, transaction, seq FROM over
  WHERE NOT is_durable ORDER BY module, owner, transaction DESC, seq DESC
), forgotten AS (
  DELETE FROM hub_snapshot s USING hub_subscription b, missed m
  WHERE b.id = s.subscription_id AND b.module = m.module AND s.owner = m.owner
    AND (b.transaction, b.seq) < (m.transaction, m.seq) RETURNING s.id
), pruned AS (DELETE FROM hub_change c USING over WHERE c.seq = over.seq RETURNING c.seq)
SELECT max(seq), bool_and(is_old), count(*), (SELECT count(*) FROM pruned),
  (SELECT count(*) FROM forgotten) FROM looked_at"""


def prune() -> tuple[int, int]:
    """Remove old changes that nobody needs; return how many, and how many snapshots it forgot."""
    now = timezone.now()
    parameters = {
        "old": now - timedelta(days=settings.HUB_FEED_DAYS),
        "expired": now - timedelta(days=settings.HUB_DELIVERY_EXPIRY_DAYS),
        "durable": DURABLE,
        "batch": _BATCH,
    }
    changes = snapshots = after = 0
    end = time.monotonic() + _LONGEST_SECONDS
    while time.monotonic() < end:
        [(last, all_old, seen, pruned, forgotten)] = sql.rows(
            _WINDOW, {**parameters, "after": after}
        )
        changes, snapshots = changes + pruned, snapshots + forgotten
        # The first batch with a young change is the last: by seq all later ones are younger still,
        # give or take seconds.
        if not all_old or seen < _BATCH:
            break
        after = last
    return changes, snapshots


def _renumbered(column: str) -> str:
    """Return SQL that moves every position of a JSON column to transaction 0, keeping its seq."""
    return f"""COALESCE((SELECT jsonb_agg(jsonb_build_array(0, position -> 1))
    FROM jsonb_array_elements({column}) AS position), '[]')"""


_FIRST_UNASSIGNED = "pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
"""The first transaction number that this cluster has not given out yet."""

# One position or one last change of a module above the counter is enough to tell: whatever was
# written here has a lower number.
_IS_RESTORED = f"""
SELECT EXISTS (SELECT FROM hub_subscription WHERE transaction >= {_FIRST_UNASSIGNED})
  OR EXISTS (SELECT FROM hub_subscription b CROSS JOIN LATERAL (
    SELECT c.transaction FROM hub_change c WHERE c.module = b.module
    ORDER BY c.transaction DESC, c.seq DESC LIMIT 1) AS last
    WHERE last.transaction >= {_FIRST_UNASSIGNED})"""

# `xmin` is the low 32 bits of the transaction that wrote the row here. If they differ from those of
# `transaction`, the row was copied in by a restore: 812 in `transaction`, 5 in `xmin`.
_FOREIGN = f"c.transaction <> 0 AND c.transaction & {2**32 - 1} <> c.xmin::text::bigint"

# Before _RENUMBER: it compares old numbers. A durable subscription is put just before its first
# undelivered old change or, if there is none, after all old changes. New changes are left out:
# their numbers cannot be compared with an old position. `audience <> ''` lets the partial index of
# audiences be used.
_RESUME_DURABLE = f"""
UPDATE hub_subscription b SET transaction = 0,
  seq = COALESCE((SELECT min(c.seq) - 1 FROM hub_change c
    WHERE c.module = b.module AND c.audience = p.holder AND c.audience <> ''
      AND (c.transaction, c.seq) > (b.transaction, b.seq) AND (c.transaction = 0 OR {_FOREIGN})),
    {END_OF_TRANSACTION}),
  ahead = {_renumbered("ahead")}, in_doubt = {_renumbered("in_doubt")},
  lease = NULL, lease_until = NULL
FROM parties_party p WHERE p.id = b.receiver_id AND b.module = ANY(%s)"""

# Their order within transaction 0 is that of `seq`, given under each object's lock.
_RENUMBER = f"UPDATE hub_change c SET transaction = 0 WHERE {_FOREIGN}"

# Like _RESUME_DURABLE it ends the lease: its worker still has positions by the old numbers.
_RESTART_BY_SNAPSHOT = f"""
UPDATE hub_subscription SET transaction = {HORIZON} - 1, seq = {END_OF_TRANSACTION},
  compacted_to = 0, lease = NULL, lease_until = NULL WHERE NOT module = ANY(%s)"""


def adopt_restored_feed() -> None:
    """Take over a feed that another database cluster numbered; do nothing if there is none.

    Its changes become transaction 0, before all new ones. Runs inside the caller's transaction. The
    order matters: durable positions are found by the old numbers, before these are replaced.
    """
    with connection.cursor() as cursor:
        cursor.execute(_IS_RESTORED)
        [is_restored] = cursor.fetchone() or (False,)
        if not is_restored:
            return
        log.warning("the feed is numbered by another database cluster: positions are set anew")
        cursor.execute("SET LOCAL statement_timeout = 0")  # once, however long the feed is
        cursor.execute(_RESUME_DURABLE, [DURABLE])
        cursor.execute(_RENUMBER)
        cursor.execute(_RESTART_BY_SNAPSHOT, [DURABLE])
    Snapshot.objects.all().delete()
    log.warning("%s subscriptions were given new positions", Subscription.objects.count())
