"""A database that was restored into another cluster, whose transactions count from elsewhere.

The feed is ordered by the cluster's transaction numbers. Changes and positions that lie above its
counter come from another one: nothing would be delivered until the counter has caught up.
"""

import logging

from django.db import connection

from hub.feed import END_OF_TRANSACTION, HORIZON
from hub.models import Snapshot, Subscription

log = logging.getLogger(__name__)

_NEXT = "pg_snapshot_xmax(pg_current_snapshot())::text::bigint"

_IS_RESTORED = f"""
SELECT EXISTS (SELECT FROM hub_subscription WHERE transaction >= {_NEXT})
  OR EXISTS (SELECT FROM hub_subscription b CROSS JOIN LATERAL (
    SELECT c.transaction FROM hub_change c WHERE c.module = b.module
    ORDER BY c.transaction DESC, c.seq DESC LIMIT 1) AS last WHERE last.transaction >= {_NEXT})"""

_RENUMBER = f"UPDATE hub_change SET transaction = 0 WHERE transaction >= {_NEXT}"

# Also ends the lease of who read the feed by the old numbers.
_START_ANEW = f"""
UPDATE hub_subscription SET transaction = {HORIZON} - 1, seq = {END_OF_TRANSACTION},
  lease = NULL, lease_until = NULL"""


def start_anew_if_restored() -> None:
    """Put old changes before all new ones; every subscription gets everything by snapshots."""
    with connection.cursor() as cursor:
        cursor.execute(_IS_RESTORED)
        [is_restored] = cursor.fetchone() or (False,)
        if not is_restored:
            return
        log.warning("the feed is numbered by another database cluster: everybody gets a snapshot")
        cursor.execute("SET LOCAL statement_timeout = 0")  # once, however long the feed is
        cursor.execute(_RENUMBER)
        cursor.execute(_START_ANEW)
    Snapshot.objects.all().delete()
    log.warning("%s subscriptions start anew", Subscription.objects.count())
