"""How long the feed is kept, and what a receiver gets that was away for longer.

docs/architecture.md#delivery; `HUB_FEED_DAYS`. Where the newest state counts, a change goes when it
is old. Whoever had not come so far forgets its snapshot of that owner, and so gets a new one. What
no snapshot tells stays until everybody is past it: a DELETE, and all where every message counts.
"""

import time
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from database import sql
from hub.delivery.restoration import DURABLE

_BATCH = 5_000
_LONGEST_SECONDS = 30.0

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
        if not all_old or seen < _BATCH:
            break
        after = last
    return changes, snapshots
