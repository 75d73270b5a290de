"""Who has to be told something, and how far behind each is.

docs/architecture.md#delivery; A-24, A-38. Access itself is judged by `parties.access` alone. The
looks that every change costs are prepared once and ask about one module only.
"""

from collections.abc import Collection
from functools import lru_cache
from itertools import takewhile
from typing import Any

from database import sql
from hub.feed import HORIZON
from hub.module_policy import POLICIES
from ocpi.types import InterfaceRole, ModuleID, Role
from parties import access
from parties.connection_status import REGISTERED
from parties.role_pairs import role_pairs

COUNTED = 10_000
"""Changes behind that are worth counting one by one."""

FIRST_SECONDS = 60
"""For so long a newcomer's tariffs go before its locations; then it gets these without."""

_REGISTERED = [status.value for status in REGISTERED]
# What is personal goes to the owner of a token, and to one of its roles: as eMSP, if it is one.
_TOKEN_OWNERS = [
    role.value
    for role in sorted(
        {owner for owner, _ in role_pairs(ModuleID.TOKENS)}, key=lambda role: role is not Role.EMSP
    )
]


def behind(module: ModuleID, *, only: int | None = None) -> list[tuple[int, bool]]:
    """Return (id, has snapshots to send) of the subscriptions somebody should work on now."""
    statement = _BEHIND[POLICIES[module].personal, only is not None]
    return rows(statement, module, id=only, before=before(module), first=FIRST_SECONDS)


def lag(
    module: ModuleID, subscription_ids: Collection[int], *, most: int | None = None
) -> dict[int, tuple[int, float]]:
    """Return changes behind and the age of the oldest in seconds, of those that are behind.

    Nobody is counted further than one beyond `most`, or `COUNTED`.
    """
    statement = _LAG_FOR_ONE if POLICIES[module].personal else _LAG
    found = rows(statement, module, ids=list(subscription_ids), most=(most or COUNTED) + 1)
    return {pk: (count, age) for pk, count, age in found}


def owners(subscription_id: int, module: ModuleID) -> frozenset[str]:
    """Return whose objects the receiver of a subscription may have now."""
    found = rows(_OWNERS_OF[POLICIES[module].personal], module, id=subscription_id)
    return frozenset(owner for (owner,) in found)


def before(module: ModuleID) -> list[str]:
    """Return the modules whose objects a newcomer gets before those of this one."""
    return [*takewhile(lambda other: other != module, POLICIES)]


def rows(statement: str, module: ModuleID, **more: object) -> list[Any]:
    """Run a prepared statement that names `{pairs}` and returns rows."""
    pairs, _ = access.access_pairs_sql(module)
    return sql.rows(_text(statement, pairs), parameters(module, **more))


def parameters(module: ModuleID, **more: object) -> dict[str, Any]:
    """Return what statements about a module's subscriptions name."""
    _, of_access = access.access_pairs_sql(module)
    return {
        **of_access,
        "module": module,
        "role": InterfaceRole.RECEIVER.value,
        "registered": _REGISTERED,
        "token_owners": _TOKEN_OWNERS,
        **more,
    }


@lru_cache(maxsize=64)
def _text(statement: str, pairs: str) -> str:
    """Leave out what only readers need: psycopg parses long texts anew each time."""
    return " ".join(statement.format(pairs=pairs).split())


REACHABLE = """
JOIN parties_party p ON p.id = b.receiver_id AND p.is_active
JOIN parties_platform f ON f.id = p.platform_id AND f.status = ANY(%(registered)s)
JOIN parties_endpoint e ON e.platform_id = f.id AND e.module = %(module)s AND e.role = %(role)s"""
"""SQL that joins a subscription `b` to its party `p`, platform `f` and endpoint `e`, if all are."""

VISIBLE = """WITH pair (owner, receiver) AS MATERIALIZED ({pairs}), visible AS (
  SELECT receiver, array_agg(owner) AS owners FROM pair GROUP BY receiver)"""
"""SQL of whose objects each receiver may have."""

_RECEIVER = "(SELECT receiver_id FROM hub_subscription WHERE id = %(id)s::bigint)"
_VISIBLE_TO_ONE = f"""WITH pair (owner, receiver) AS ({{pairs}}), visible AS (
  SELECT receiver, array_agg(owner) AS owners FROM pair WHERE receiver = {_RECEIVER}
  GROUP BY receiver)"""

OWNERS = {
    False: f"SELECT DISTINCT owner FROM pair WHERE receiver = {_RECEIVER}",
    True: """SELECT DISTINCT owner FROM pair JOIN parties_party p ON p.id = pair.receiver
WHERE p.holder = (SELECT r.holder FROM parties_party r
    JOIN hub_subscription b ON b.receiver_id = r.id WHERE b.id = %(id)s::bigint)
  AND p.role = ANY(%(token_owners)s)""",
}
"""SQL, on `pair`, of whose objects the receiver of a subscription may have: not personal, or so."""

_OWNERS_OF = {
    is_personal: f"WITH pair (owner, receiver) AS ({{pairs}}) {owners}"
    for is_personal, owners in OWNERS.items()
}

_BEYOND = "c.module = b.module AND (c.transaction, c.seq) > (b.transaction, b.seq)"
_UNSEEN = f"{_BEYOND} AND c.owner = o.owner AND c.audience = ''"
_UNSEEN_BY_ONE = f"{_BEYOND} AND c.audience = p.holder AND c.audience <> ''"

# An owner of whom the receiver has read everything costs one look into the index; a join of all
# changes with all it may see would go through a million others to find that nothing is left.
NEXT = f"""(SELECT first.seq FROM unnest(visible.owners) AS o(owner) CROSS JOIN LATERAL (
    SELECT c.seq FROM hub_change c WHERE {_UNSEEN} AND c.transaction < {HORIZON}
    ORDER BY c.transaction, c.seq LIMIT 1) AS first LIMIT 1)"""
"""SQL of the next change: one look into the index for each owner, whatever lies between."""

_NEXT_FOR_ONE = f"""(SELECT c.seq FROM hub_change c
    WHERE {_UNSEEN_BY_ONE} AND c.transaction < {HORIZON}
    ORDER BY c.transaction, c.seq LIMIT 1)"""

_DUE = """b.module = %(module)s
  AND (f.next_attempt_at IS NULL OR f.next_attempt_at <= now())
  AND (b.lease_until IS NULL OR b.lease_until < now())"""


def _behind(visible: str, due: str) -> str:
    return f"""{visible}
SELECT b.id, s.waiting FROM hub_subscription b {REACHABLE}
JOIN visible ON visible.receiver = b.receiver_id
CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM hub_snapshot s
  WHERE s.subscription_id = b.id AND s.finished_at IS NULL) AND NOT EXISTS (
    SELECT FROM hub_snapshot f JOIN hub_subscription o ON o.id = f.subscription_id
    WHERE o.receiver_id = b.receiver_id AND o.module = ANY(%(before)s::text[])
      AND f.finished_at IS NULL
      AND f.created_at > now() - make_interval(secs => %(first)s::float8)
  ) AS waiting) AS s
WHERE {due} AND (s.waiting OR {NEXT} IS NOT NULL)
ORDER BY b.id"""


def _behind_for_one(due: str) -> str:
    return f"""SELECT b.id, false FROM hub_subscription b {REACHABLE}
WHERE {due} AND {_NEXT_FOR_ONE} IS NOT NULL
ORDER BY b.id"""


_ONLY = f"{_DUE} AND b.id = %(id)s::bigint"
_BEHIND = {
    (False, False): _behind(VISIBLE, _DUE),
    (False, True): _behind(_VISIBLE_TO_ONE, _ONLY),
    (True, False): _behind_for_one(_DUE),
    (True, True): _behind_for_one(_ONLY),
}
"""By whether what a module has is personal, and whether one subscription is asked about."""

_LAG = f"""
{VISIBLE}
SELECT b.id, behind.number, extract(epoch FROM now() - oldest.created_at)::float8
FROM hub_subscription b
JOIN parties_party p ON p.id = b.receiver_id
JOIN visible ON visible.receiver = b.receiver_id
CROSS JOIN LATERAL (SELECT count(*) AS number FROM (
  SELECT FROM unnest(visible.owners) AS o(owner) JOIN hub_change c ON {_UNSEEN}
  LIMIT %(most)s::bigint) AS counted) AS behind
CROSS JOIN LATERAL (SELECT min(first.created_at) AS created_at
  FROM unnest(visible.owners) AS o(owner) CROSS JOIN LATERAL (
    SELECT c.created_at FROM hub_change c WHERE {_UNSEEN}
    ORDER BY c.transaction, c.seq LIMIT 1) AS first) AS oldest
WHERE b.module = %(module)s AND b.id = ANY(%(ids)s::bigint[]) AND behind.number > 0"""

_LAG_FOR_ONE = f"""
SELECT b.id, behind.number, extract(epoch FROM now() - oldest.created_at)::float8
FROM hub_subscription b
JOIN parties_party p ON p.id = b.receiver_id
CROSS JOIN LATERAL (SELECT count(*) - jsonb_array_length(b.ahead) AS number FROM (
  SELECT FROM hub_change c WHERE {_UNSEEN_BY_ONE} LIMIT %(most)s::bigint) AS counted) AS behind
CROSS JOIN LATERAL (SELECT c.created_at FROM hub_change c WHERE {_UNSEEN_BY_ONE}
  ORDER BY c.transaction, c.seq LIMIT 1) AS oldest
WHERE b.module = %(module)s AND b.id = ANY(%(ids)s::bigint[]) AND behind.number > 0"""
