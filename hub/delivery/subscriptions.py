"""Subscriptions and snapshots, kept in line with who may have what.

docs/architecture.md#delivery; A-24, A-38. Access itself is judged by `parties.access` alone.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import F, Q, QuerySet
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

_IS_STRICT = Q(subscription__receiver__platform__quirks__strict_receiver=True)
_RECONCILE_TIMEOUT = "10s"
# The number of an advisory lock of PostgreSQL: OCPI in ASCII.
_RECONCILE_LOCK = 0x4F435049


def reconcile() -> None:
    """Bring subscriptions and snapshots in line with who may have what.

    Where the latest state counts, a receiver that newly may have an owner's objects gets a snapshot
    of them. When its access ends the snapshot is deleted, and when it unregisters or registers anew
    the whole subscription, so that it starts afresh. Where every message counts there are no
    snapshots: a subscription begins with the oldest change of the feed, and outlasts the
    registration of its receiver. A receiver that is strict no longer gets snapshots anew, with what
    it was spared before.
    """
    registered = {"receiver__platform__status__in": REGISTERED, "receiver__is_active": True}
    registered_anew = {"receiver__platform__registered_at__gt": F("created_at")}
    steps: list[Callable[[], object]] = [
        feed_retention.adopt_restored_feed,
        _to_latest_states().exclude(**registered).delete,
        _to_latest_states().filter(**registered_anew).delete,
        Snapshot.objects.filter(~_IS_STRICT, strict=True).delete,
    ]
    steps += [
        partial(_execute, statement, module)
        for module, policy in POLICIES.items()
        for statement in _STEPS[policy.delivery]
    ]
    steps.append(partial(Snapshot.objects.filter(_IS_STRICT, strict=False).update, strict=True))
    for step in steps:
        _take(step)


def _take(step: Callable[[], object]) -> None:
    """Take a step unless another process is at it; if it takes too long, leave it for later.

    Each has its own transaction, as a short one: the feed is read only below the oldest that runs.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statements.LOCK, [_RECONCILE_LOCK])
            [is_free] = cursor.fetchone()
            if is_free:
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
    """Whether a newcomer gets other modules first, tariffs before locations (TAR-13, A-121)."""
    earlier = Snapshot.objects.filter(
        subscription__receiver=subscription.receiver_id,
        subscription__module__in=backlog.modules_before(ModuleID(subscription.module)),
        finished_at=None,
        created_at__gt=timezone.now() - timedelta(seconds=backlog.HEAD_START_SECONDS),
    )
    return earlier.exists()


def _to_latest_states() -> QuerySet[Subscription]:
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
