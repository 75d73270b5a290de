"""Subscriptions and snapshots: one row each, in line with who may have what.

docs/architecture.md#delivery; A-24, A-38. Access itself is judged by `parties.access` alone.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from hub.delivery import backlog, feed_retention
from hub.delivery.every_message import EVERY_MESSAGE_MODULES
from hub.delivery.sql import subscriptions as statements
from hub.models import Snapshot, Subscription
from hub.module_policy import POLICIES, Delivery
from ocpi.types import ModuleID
from parties import access
from parties.connection_status import REGISTERED

log = logging.getLogger(__name__)

_RECONCILE_TIMEOUT = "10s"
_RECONCILE_LOCK = 0x4F435049


def reconcile() -> None:
    """Bring subscriptions and snapshots in line with who may have what.

    Whoever newly may see an owner's objects gets a snapshot of them; access that ended forgets
    its snapshot, so that a later one starts afresh, and so does who registered anew. Where every
    message counts there are no snapshots: a subscription begins with the feed, and waits for a
    receiver that is gone.
    """
    registered = {"receiver__platform__status__in": REGISTERED, "receiver__is_active": True}
    anew = {"receiver__platform__registered_at__gt": F("created_at")}
    steps: list[Callable[[], object]] = [
        feed_retention.adopt_restored_feed,
        _forgettable().exclude(**registered).delete,
        _forgettable().filter(**anew).delete,
    ]
    steps += [
        partial(_execute, statement, module)
        for module, policy in POLICIES.items()
        for statement in _STEPS[policy.delivery]
    ]
    for step in steps:
        _briefly(step)


def _briefly(step: Callable[[], object]) -> None:
    """Take a step unless another process is at it; one that takes too long has to wait.

    A transaction each: the feed is read below the oldest one that runs.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statements.LOCK, [_RECONCILE_LOCK])
            [free] = cursor.fetchone()
            if free:
                cursor.execute(f"SET LOCAL statement_timeout = '{_RECONCILE_TIMEOUT}'")
                step()
    except (OperationalError, IntegrityError) as error:  # the latter: a row it names is gone
        log.warning("subscriptions are brought in line later: %s", error)


def pending_snapshot(subscription_id: int) -> Snapshot | None:
    """Return the oldest snapshot still to be sent, if its turn has come."""
    waiting = Snapshot.objects.filter(subscription=subscription_id, finished_at=None)
    oldest = waiting.order_by("id").select_related("subscription").first()
    return oldest if oldest and not _has_to_wait(oldest.subscription) else None


def _has_to_wait(subscription: Subscription) -> bool:
    """Whether a newcomer gets other things first, tariffs before locations (TAR-13, A-121)."""
    first = Snapshot.objects.filter(
        subscription__receiver=subscription.receiver_id,
        subscription__module__in=backlog.before(ModuleID(subscription.module)),
        finished_at=None,
        created_at__gt=timezone.now() - timedelta(seconds=backlog.FIRST_SECONDS),
    )
    return first.exists()


def _forgettable() -> QuerySet[Subscription]:
    return Subscription.objects.exclude(module__in=EVERY_MESSAGE_MODULES)


def _execute(statement: str, module: ModuleID) -> None:
    pairs, _ = access.access_pairs_sql(module)
    with connection.cursor() as cursor:
        cursor.execute(statement.format(pairs=pairs), backlog.parameters(module))


_STEPS = {
    Delivery.LATEST_STATE: (
        statements.SUBSCRIBE,
        statements.PASS_OVER,
        statements.BEGIN_SNAPSHOTS,
    ),
    Delivery.EVERY_MESSAGE: (statements.SUBSCRIBE_FROM_THE_BEGINNING,),
}
