"""How long the feed is kept, and what a receiver gets whose position is no longer in it.

docs/architecture.md#delivery; `HUB_FEED_DAYS`. Where the newest state counts, a change goes when it
is old. Whoever had not come so far forgets its snapshot of that owner, and so gets a new one. What
no snapshot tells stays until everybody is past it: a DELETE, and all where every message counts.

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

# A CDR goes when the position of its receiver is behind it; one that nobody receives, when it has
# expired (COALESCE). A Location's change goes whoever has not read it: its present state says the
# same. A DELETE does not, since no snapshot can say that something is gone.
# The oldest stand first in the primary key: no index is written for this with every change.
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
    """Remove what is old and nobody's due; return how many changes, and snapshots begun anew."""
    now = timezone.now()
    terms = {
        "old": now - timedelta(days=settings.HUB_FEED_DAYS),
        "expired": now - timedelta(days=settings.HUB_DELIVERY_EXPIRY_DAYS),
        "durable": DURABLE,
        "batch": _BATCH,
    }
    changes = snapshots = after = 0
    end = time.monotonic() + _LONGEST_SECONDS
    while time.monotonic() < end:
        [(last, all_old, seen, pruned, forgotten)] = sql.rows(_WINDOW, {**terms, "after": after})
        changes, snapshots = changes + pruned, snapshots + forgotten
        # A young change ends it: those behind it are younger still, but for some seconds.
        if not all_old or seen < _BATCH:
            break
        after = last
    return changes, snapshots


def _renumbered(column: str) -> str:
    """Return the SQL of a list of positions after all old changes became transaction 0."""
    return f"""COALESCE((SELECT jsonb_agg(jsonb_build_array(0, position -> 1))
    FROM jsonb_array_elements({column}) AS position), '[]')"""


_NEXT = "pg_snapshot_xmax(pg_current_snapshot())::text::bigint"

# One position or one last change of a module above the counter is enough to tell: whatever was
# written here has a lower number.
_IS_RESTORED = f"""
SELECT EXISTS (SELECT FROM hub_subscription WHERE transaction >= {_NEXT})
  OR EXISTS (SELECT FROM hub_subscription b CROSS JOIN LATERAL (
    SELECT c.transaction FROM hub_change c WHERE c.module = b.module
    ORDER BY c.transaction DESC, c.seq DESC LIMIT 1) AS last WHERE last.transaction >= {_NEXT})"""

# A row that was written here bears its own transaction, cut to 32 bits, in `xmin`. One that was
# restored bears that of the restore: 812 in `transaction`, 5 in `xmin`.
_FOREIGN = "c.transaction <> 0 AND c.transaction & 4294967295 <> c.xmin::text::bigint"

# By the old numbers still. Behind all old changes, which will be transaction 0, if none is left.
_GO_ON = f"""
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

# Also ends the lease of who read the feed by the old numbers.
_START_ANEW = f"""
UPDATE hub_subscription SET transaction = {HORIZON} - 1, seq = {END_OF_TRANSACTION},
  thinned_to = 0, lease = NULL, lease_until = NULL WHERE NOT module = ANY(%s)"""


def start_anew_if_restored() -> None:
    """Put old changes before all new ones, and every subscription where nothing is lost to it."""
    with connection.cursor() as cursor:
        cursor.execute(_IS_RESTORED)
        [is_restored] = cursor.fetchone() or (False,)
        if not is_restored:
            return
        log.warning("the feed is numbered by another database cluster: everybody gets a snapshot")
        cursor.execute("SET LOCAL statement_timeout = 0")  # once, however long the feed is
        cursor.execute(_GO_ON, [DURABLE])
        cursor.execute(_RENUMBER)
        cursor.execute(_START_ANEW, [DURABLE])
    Snapshot.objects.all().delete()
    log.warning("%s subscriptions start anew", Subscription.objects.count())
