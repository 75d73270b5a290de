"""How long the feed is kept, and what a receiver gets whose position is no longer in it.

docs/architecture.md#delivery; `HUB_FEED_DAYS`. Where the latest state counts, a change is deleted
when it is old: if a receiver had not reached it, the hub deletes that receiver's snapshot of that
owner too, and reconciling subscriptions begins a new one. What no snapshot can replace is kept
until its receivers are past it: a DELETE, and all changes where every message counts.

The feed is ordered by the database cluster's transaction numbers. After a restore into another
cluster, changes and positions have numbers above its counter, and nothing would be delivered until
the counter has caught up. Where the latest state counts, everything then goes out again by
snapshots. Where every message counts, a subscription goes on with the first message that was not
delivered: some may be repeated, none is lost.
"""

import logging
import time
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

from database import sql
from hub.delivery.every_message import EVERY_MESSAGE_MODULES
from hub.delivery.sql import feed_retention as statements
from hub.models import Snapshot, Subscription

log = logging.getLogger(__name__)

_BATCH = 5_000
# So much time each run has; the next one goes on.
_LONGEST_SECONDS = 30.0


def prune() -> tuple[int, int]:
    """Delete old changes that nobody needs; return how many, and how many snapshots went too."""
    now = timezone.now()
    parameters = {
        "old": now - timedelta(days=settings.HUB_FEED_DAYS),
        "expired": now - timedelta(days=settings.HUB_DELIVERY_EXPIRY_DAYS),
        "every_message": EVERY_MESSAGE_MODULES,
        "batch": _BATCH,
    }
    changes = snapshots = after = 0
    end = time.monotonic() + _LONGEST_SECONDS
    while time.monotonic() < end:
        [pruned] = sql.rows(statements.PRUNE, {**parameters, "after": after})
        changes, snapshots = changes + pruned.changes, snapshots + pruned.snapshots
        # A batch with a young change is the last: in the order of seq all later changes are younger
        # still, give or take seconds.
        if not pruned.all_old or pruned.seen < _BATCH:
            break
        after = pruned.last or 0
    return changes, snapshots


def adopt_restored_feed() -> None:
    """Renumber the feed if it comes from another database cluster.

    Its changes become transaction 0, before all new ones. Runs inside the caller's transaction.
    Where every message counts, positions have to be found by the old numbers, before these are
    replaced.
    """
    with connection.cursor() as cursor:
        cursor.execute(statements.IS_RESTORED)
        [is_restored] = cursor.fetchone() or (False,)
        if not is_restored:
            return
        log.warning("the feed is numbered by another database cluster: positions are set anew")
        cursor.execute("SET LOCAL statement_timeout = 0")  # once, however long the feed is
        cursor.execute(statements.RESUME_EVERY_MESSAGE, [EVERY_MESSAGE_MODULES])
        cursor.execute(statements.RENUMBER)
        cursor.execute(statements.RESTART_BY_SNAPSHOT, [EVERY_MESSAGE_MODULES])
        cursor.execute(statements.RESTART_FIGURES)
    Snapshot.objects.all().delete()
    log.warning("%s subscriptions were given new positions", Subscription.objects.count())
