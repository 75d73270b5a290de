"""A database that was restored into another cluster, whose transactions count from elsewhere.

The feed is ordered by the cluster's transaction numbers. Changes and positions that lie above its
counter come from another one: nothing would be delivered until the counter has caught up.

Subscriptions to states get everything by snapshots. Where every message counts, a subscription goes
on with the first that was not delivered: some may be repeated, none is lost.
"""

import logging

from django.db import connection

from hub.feed import END_OF_TRANSACTION, HORIZON
from hub.models import Snapshot, Subscription
from hub.policy import POLICIES, Delivery

log = logging.getLogger(__name__)


def _renumbered(column: str) -> str:
    """Return the SQL of a list of places after all old changes became transaction 0."""
    return f"""COALESCE((SELECT jsonb_agg(jsonb_build_array(0, place -> 1))
    FROM jsonb_array_elements({column}) AS place), '[]')"""


_NEXT = "pg_snapshot_xmax(pg_current_snapshot())::text::bigint"

DURABLE = [name.value for name, row in POLICIES.items() if row.delivery is Delivery.DURABLE]
"""Modules of which every message counts."""

_IS_RESTORED = f"""
SELECT EXISTS (SELECT FROM hub_subscription WHERE transaction >= {_NEXT})
  OR EXISTS (SELECT FROM hub_subscription b CROSS JOIN LATERAL (
    SELECT c.transaction FROM hub_change c WHERE c.module = b.module
    ORDER BY c.transaction DESC, c.seq DESC LIMIT 1) AS last WHERE last.transaction >= {_NEXT})"""

# A row that was written here bears its own transaction, cut to 32 bits, in `xmin`.
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
