"""The rows of delivery: who has to be told what, and who is behind.

Architecture chapter 6; A-24, A-38. Access itself is judged by `parties.access` alone.
"""

import logging
from collections.abc import Callable, Collection
from datetime import timedelta
from functools import partial
from itertools import takewhile
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from hub.delivery import restoring
from hub.delivery.restoring import DURABLE
from hub.feed import END_OF_TRANSACTION, HORIZON
from hub.models import Snapshot, Subscription
from hub.policy import POLICIES
from ocpi.types import InterfaceRole, ModuleID, Role
from parties import access
from parties.role_pairs import ROLE_PAIRS
from parties.status import REGISTERED

log = logging.getLogger(__name__)

COUNTED = 10_000
"""Changes behind that are worth counting one by one."""

_RECONCILE_TIMEOUT = "10s"
# For so long a newcomer's tariffs go before its locations; then it gets these without.
_FIRST_SECONDS = 60
_RECONCILE_LOCK = 0x4F435049

_REGISTERED = [status.value for status in REGISTERED]
# What is personal goes to the owner of a token, and to one of its roles: as eMSP, if it is one.
_TOKEN_OWNERS = sorted(
    {owner for owner, _ in ROLE_PAIRS[ModuleID.TOKENS]}, key=lambda role: role is not Role.EMSP
)


def reconcile() -> None:
    """Bring subscriptions and snapshots in line with who may have what.

    Whoever newly may see an owner's objects gets a snapshot of them; access that ended forgets
    its snapshot, so that a later one starts afresh. Where every message counts there are no
    snapshots: a subscription begins with the feed, and waits for a receiver that is gone.
    """
    registered = {"receiver__platform__status__in": _REGISTERED, "receiver__is_active": True}
    steps: list[Callable[[], object]] = [
        restoring.start_anew_if_restored,
        _forgettable().exclude(**registered).delete,
    ]
    steps += [
        partial(_execute, statement, module) for module in POLICIES for statement in _steps(module)
    ]
    for step in steps:
        _briefly(step)


def _steps(module: ModuleID) -> tuple[str, ...]:
    if module in DURABLE:
        return (_SUBSCRIBE_FROM_THE_BEGINNING,)
    return _SUBSCRIBE, _PASS_OVER, _SNAPSHOT


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
    except OperationalError as error:
        log.warning("subscriptions are brought in line later: %s", error)


def behind(module: ModuleID, *, only: int | None = None) -> list[tuple[int, bool]]:
    """Return (id, has snapshots to send) of the subscriptions somebody should work on now."""
    statement = _BEHIND_FOR_ONE if POLICIES[module].personal else _BEHIND
    found = _execute(statement, module, only=only, before=_before(module), first=_FIRST_SECONDS)
    return [(int(str(pk)), bool(waiting)) for pk, waiting in found]


def lag(
    module: ModuleID, subscription_ids: Collection[int], *, most: int | None = None
) -> dict[int, tuple[int, float]]:
    """Return changes behind and the age of the oldest in seconds, of those that are behind.

    Nobody is counted further than one beyond `most`, or `COUNTED`.
    """
    statement = _LAG_FOR_ONE if POLICIES[module].personal else _LAG
    found = _execute(statement, module, ids=list(subscription_ids), most=(most or COUNTED) + 1)
    return {int(str(pk)): (int(str(count)), float(str(age))) for pk, count, age in found}


def owners(subscription: Subscription) -> frozenset[str]:
    """Return whose objects a receiver may have now, and forget the snapshots of all others.

    Whoever reads the feed with these owners passes over the changes of the others for good; they
    come back by a new snapshot only.
    """
    visible = owners_now(subscription.pk, ModuleID(subscription.module))
    subscription.snapshots.exclude(owner__in=visible).delete()
    return visible


def owners_now(subscription_id: int, module: ModuleID) -> frozenset[str]:
    """Return whose objects the receiver of a subscription may have now."""
    statement = _OWNERS_FOR_ONE if POLICIES[module].personal else _OWNERS
    found = _execute(statement, module, id=subscription_id)
    return frozenset(str(owner) for (owner,) in found)


def pending_snapshot(subscription_id: int) -> Snapshot | None:
    """Return the oldest snapshot still to be sent, if its turn has come."""
    waiting = Snapshot.objects.filter(subscription=subscription_id, finished_at=None)
    oldest = waiting.order_by("id").select_related("subscription").first()
    return oldest if oldest and not _has_to_wait(oldest.subscription) else None


def _has_to_wait(subscription: Subscription) -> bool:
    """Tell whether a newcomer gets other things first, tariffs before locations (TAR-13, A-121)."""
    first = Snapshot.objects.filter(
        subscription__receiver=subscription.receiver_id,
        subscription__module__in=_before(ModuleID(subscription.module)),
        finished_at=None,
        created_at__gt=timezone.now() - timedelta(seconds=_FIRST_SECONDS),
    )
    return first.exists()


def _before(module: ModuleID) -> list[str]:
    """Return the modules whose objects a newcomer gets before those of this one."""
    return [each.value for each in takewhile(lambda other: other is not module, POLICIES)]


def start_afresh(platform_id: int) -> None:
    """Forget which states a platform was told: after a new registration it gets them again."""
    _forgettable().filter(receiver__platform=platform_id).delete()


def _forgettable() -> QuerySet[Subscription]:
    return Subscription.objects.exclude(module__in=DURABLE)


def _execute(statement: str, module: ModuleID, **more: object) -> list[tuple[object, ...]]:
    pairs, parameters = access.access_pairs_sql(module)
    named: dict[str, Any] = {
        **parameters,
        "module": module.value,
        "role": InterfaceRole.RECEIVER.value,
        "registered": _REGISTERED,
        "token_owners": [role.value for role in _TOKEN_OWNERS],
        **more,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement.format(pairs=pairs), named)
        return cursor.fetchall() if cursor.description else []


_OWNERS = """
WITH pair (owner, receiver) AS ({pairs})
SELECT DISTINCT owner FROM pair
WHERE receiver = (SELECT receiver_id FROM hub_subscription WHERE id = %(id)s)"""

_OWNERS_FOR_ONE = """
WITH pair (owner, receiver) AS ({pairs})
SELECT DISTINCT owner FROM pair JOIN parties_party p ON p.id = pair.receiver
WHERE p.key = (SELECT r.key FROM parties_party r
    JOIN hub_subscription b ON b.receiver_id = r.id WHERE b.id = %(id)s)
  AND p.role = ANY(%(token_owners)s)"""

_REACHABLE = """
JOIN parties_party p ON p.id = b.receiver_id AND p.is_active
JOIN parties_platform f ON f.id = p.platform_id AND f.status = ANY(%(registered)s)
JOIN parties_endpoint e ON e.platform_id = f.id AND e.module = %(module)s AND e.role = %(role)s"""


_WITHOUT = """WITH pair (owner, receiver) AS MATERIALIZED ({pairs}), b AS (
  SELECT receiver AS receiver_id FROM pair
  EXCEPT SELECT receiver_id FROM hub_subscription WHERE module = %(module)s)
INSERT INTO hub_subscription
  (receiver_id, module, transaction, seq, failures, last_error, delivered)"""

_SUBSCRIBE = f"""
{_WITHOUT}
SELECT b.receiver_id, %(module)s, {HORIZON} - 1, {END_OF_TRANSACTION}, 0, '', 0
FROM b {_REACHABLE}
ON CONFLICT DO NOTHING"""

# The feed of a party knows no roles: two subscriptions would bring everything twice.
_SUBSCRIBE_FROM_THE_BEGINNING = f"""
{_WITHOUT}
SELECT DISTINCT ON (p.key) b.receiver_id, %(module)s, 0, 0, 0, '', 0
FROM b {_REACHABLE}
WHERE p.role = ANY(%(token_owners)s) AND NOT EXISTS (
  SELECT FROM hub_subscription s JOIN parties_party other ON other.id = s.receiver_id
  WHERE s.module = %(module)s AND other.key = p.key)
ORDER BY p.key, array_position(%(token_owners)s, p.role::text)
ON CONFLICT DO NOTHING"""

_SNAPSHOT = """
WITH pair (owner, receiver) AS MATERIALIZED ({pairs}), missing AS (
  SELECT b.id, pair.owner FROM pair
  JOIN hub_subscription b ON b.receiver_id = pair.receiver AND b.module = %(module)s
  EXCEPT SELECT subscription_id, owner FROM hub_snapshot)
INSERT INTO hub_snapshot (subscription_id, owner, cursor, sent)
SELECT id, owner, 0, 0 FROM missing
ON CONFLICT DO NOTHING"""

_VISIBLE = """WITH pair (owner, receiver) AS MATERIALIZED ({pairs}), visible AS (
  SELECT receiver, array_agg(owner) AS owners FROM pair GROUP BY receiver)"""

_BEYOND = "c.module = b.module AND (c.transaction, c.seq) > (b.transaction, b.seq)"
_UNSEEN = f"{_BEYOND} AND c.owner = o.owner AND c.audience = ''"
_UNSEEN_BY_ONE = f"{_BEYOND} AND c.audience = p.key AND c.audience <> ''"

# One look into the index for each owner, however many changes of others lie between.
_NEXT = f"""(SELECT first.seq FROM unnest(visible.owners) AS o(owner) CROSS JOIN LATERAL (
    SELECT c.seq FROM hub_change c WHERE {_UNSEEN} AND c.transaction < {HORIZON}
    ORDER BY c.transaction, c.seq LIMIT 1) AS first LIMIT 1)"""

_NEXT_FOR_ONE = f"""(SELECT c.seq FROM hub_change c
    WHERE {_UNSEEN_BY_ONE} AND c.transaction < {HORIZON}
    ORDER BY c.transaction, c.seq LIMIT 1)"""

# One statement, so that what is passed over and whose snapshots are forgotten is decided at once.
# Only who stands still gets here, and only once in a thousand transactions.
_PASS_OVER = f"""
{_VISIBLE}, ended AS (
  SELECT s.owner, b.receiver_id FROM hub_snapshot s
  JOIN hub_subscription b ON b.id = s.subscription_id AND b.module = %(module)s
  EXCEPT SELECT owner, receiver FROM pair), forgotten AS (
  DELETE FROM hub_snapshot s USING hub_subscription b, ended
  WHERE b.receiver_id = ended.receiver_id AND b.module = %(module)s
    AND s.subscription_id = b.id AND s.owner = ended.owner)
UPDATE hub_subscription b SET transaction = {HORIZON} - 1, seq = {END_OF_TRANSACTION}
FROM parties_party p LEFT JOIN visible ON visible.receiver = p.id
WHERE p.id = b.receiver_id AND b.module = %(module)s AND b.transaction < {HORIZON} - 1000
  AND (b.lease_until IS NULL OR b.lease_until < now()) AND {_NEXT} IS NULL"""

_ONLY = """
  WHERE %(only)s::bigint IS NULL
    OR receiver = (SELECT receiver_id FROM hub_subscription WHERE id = %(only)s::bigint)"""

_DUE = """b.module = %(module)s
  AND (%(only)s::bigint IS NULL OR b.id = %(only)s::bigint)
  AND (f.next_attempt_at IS NULL OR f.next_attempt_at <= now())
  AND (b.lease_until IS NULL OR b.lease_until < now())"""

_BEHIND = f"""
{_VISIBLE.replace("FROM pair", f"FROM pair{_ONLY}")}
SELECT b.id, s.waiting FROM hub_subscription b {_REACHABLE}
JOIN visible ON visible.receiver = b.receiver_id
CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM hub_snapshot s
  WHERE s.subscription_id = b.id AND s.finished_at IS NULL) AND NOT EXISTS (
    SELECT FROM hub_snapshot f JOIN hub_subscription o ON o.id = f.subscription_id
    WHERE o.receiver_id = b.receiver_id AND o.module = ANY(%(before)s::text[])
      AND f.finished_at IS NULL AND f.created_at > now() - make_interval(secs => %(first)s)
  ) AS waiting) AS s
WHERE {_DUE} AND (s.waiting OR {_NEXT} IS NOT NULL)
ORDER BY b.id"""

_BEHIND_FOR_ONE = f"""
SELECT b.id, false FROM hub_subscription b {_REACHABLE}
WHERE {_DUE} AND {_NEXT_FOR_ONE} IS NOT NULL
ORDER BY b.id"""

_LAG = f"""
{_VISIBLE}
SELECT b.id, behind.number, extract(epoch FROM now() - oldest.created_at)::float
FROM hub_subscription b
JOIN parties_party p ON p.id = b.receiver_id
JOIN visible ON visible.receiver = b.receiver_id
CROSS JOIN LATERAL (SELECT count(*) AS number FROM (
  SELECT FROM unnest(visible.owners) AS o(owner) JOIN hub_change c ON {_UNSEEN}
  LIMIT %(most)s) AS counted) AS behind
CROSS JOIN LATERAL (SELECT min(first.created_at) AS created_at
  FROM unnest(visible.owners) AS o(owner) CROSS JOIN LATERAL (
    SELECT c.created_at FROM hub_change c WHERE {_UNSEEN}
    ORDER BY c.transaction, c.seq LIMIT 1) AS first) AS oldest
WHERE b.module = %(module)s AND b.id = ANY(%(ids)s) AND behind.number > 0"""

_LAG_FOR_ONE = f"""
SELECT b.id, behind.number, extract(epoch FROM now() - oldest.created_at)::float
FROM hub_subscription b
JOIN parties_party p ON p.id = b.receiver_id
CROSS JOIN LATERAL (SELECT count(*) - jsonb_array_length(b.ahead) AS number FROM (
  SELECT FROM hub_change c WHERE {_UNSEEN_BY_ONE} LIMIT %(most)s) AS counted) AS behind
CROSS JOIN LATERAL (SELECT c.created_at FROM hub_change c WHERE {_UNSEEN_BY_ONE}
  ORDER BY c.transaction, c.seq LIMIT 1) AS oldest
WHERE b.module = %(module)s AND b.id = ANY(%(ids)s) AND behind.number > 0"""
