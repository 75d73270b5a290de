"""The rows of delivery: who has to be told what, in line with who may have what.

docs/architecture.md#delivery; A-24, A-38. Access itself is judged by `parties.access` alone.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from hub.delivery import backlog, retention
from hub.delivery.backlog import NEXT, REACHABLE, VISIBLE
from hub.delivery.durable import DURABLE
from hub.feed import END_OF_TRANSACTION, HORIZON
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
        retention.adopt_restored_feed,
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
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_RECONCILE_LOCK])
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
    """Tell whether a newcomer gets other things first, tariffs before locations (TAR-13, A-121)."""
    first = Snapshot.objects.filter(
        subscription__receiver=subscription.receiver_id,
        subscription__module__in=backlog.before(ModuleID(subscription.module)),
        finished_at=None,
        created_at__gt=timezone.now() - timedelta(seconds=backlog.FIRST_SECONDS),
    )
    return first.exists()


def _forgettable() -> QuerySet[Subscription]:
    return Subscription.objects.exclude(module__in=DURABLE)


def _execute(statement: str, module: ModuleID) -> None:
    pairs, _ = access.access_pairs_sql(module)
    with connection.cursor() as cursor:
        cursor.execute(statement.format(pairs=pairs), backlog.parameters(module))


_WITHOUT = """WITH pair (owner, receiver) AS MATERIALIZED ({pairs}), b AS (
  SELECT receiver AS receiver_id FROM pair
  EXCEPT SELECT receiver_id FROM hub_subscription WHERE module = %(module)s)
INSERT INTO hub_subscription
  (receiver_id, module, transaction, seq, failures, last_error, delivered)"""

_SUBSCRIBE = f"""
{_WITHOUT}
SELECT b.receiver_id, %(module)s, {HORIZON} - 1, {END_OF_TRANSACTION}, 0, '', 0
FROM b {REACHABLE}
ON CONFLICT DO NOTHING"""

# The feed of a party knows no roles: two subscriptions would bring everything twice.
_SUBSCRIBE_FROM_THE_BEGINNING = f"""
{_WITHOUT}
SELECT DISTINCT ON (p.holder) b.receiver_id, %(module)s, 0, 0, 0, '', 0
FROM b {REACHABLE}
WHERE p.role = ANY(%(token_owners)s) AND NOT EXISTS (
  SELECT FROM hub_subscription s JOIN parties_party other ON other.id = s.receiver_id
  WHERE s.module = %(module)s AND other.holder = p.holder)
ORDER BY p.holder, array_position(%(token_owners)s, p.role::text)
ON CONFLICT DO NOTHING"""

_SNAPSHOT = """
WITH pair (owner, receiver) AS MATERIALIZED ({pairs}), missing AS (
  SELECT b.id, pair.owner FROM pair
  JOIN hub_subscription b ON b.receiver_id = pair.receiver AND b.module = %(module)s
  EXCEPT SELECT subscription_id, owner FROM hub_snapshot)
INSERT INTO hub_snapshot (subscription_id, owner, cursor, sent)
SELECT id, owner, 0, 0 FROM missing
ON CONFLICT DO NOTHING"""

# One statement, so that what is passed over and whose snapshots are forgotten is decided at once.
# A receiver whose owners say nothing for months would stay at transaction 1,000 while the feed is
# at 9,000,000: no DELETE since could be pruned, and a new agreement would bring all that the new
# owner said meanwhile, beside its snapshot.
# Only who stands still gets here, and only once in a thousand transactions.
_PASS_OVER = f"""
{VISIBLE}, ended AS (
  SELECT s.owner, b.receiver_id FROM hub_snapshot s
  JOIN hub_subscription b ON b.id = s.subscription_id AND b.module = %(module)s
  EXCEPT SELECT owner, receiver FROM pair), forgotten AS (
  DELETE FROM hub_snapshot s USING hub_subscription b, ended
  WHERE b.receiver_id = ended.receiver_id AND b.module = %(module)s
    AND s.subscription_id = b.id AND s.owner = ended.owner)
UPDATE hub_subscription b SET transaction = {HORIZON} - 1, seq = {END_OF_TRANSACTION}
FROM parties_party p LEFT JOIN visible ON visible.receiver = p.id
WHERE p.id = b.receiver_id AND b.module = %(module)s AND b.transaction < {HORIZON} - 1000
  AND (b.lease_until IS NULL OR b.lease_until < now()) AND {NEXT} IS NULL"""

_STEPS = {
    Delivery.LATEST: (_SUBSCRIBE, _PASS_OVER, _SNAPSHOT),
    Delivery.DURABLE: (_SUBSCRIBE_FROM_THE_BEGINNING,),
}
