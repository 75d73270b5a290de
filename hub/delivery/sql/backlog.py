"""Statements about which subscriptions are behind, and how far.

Each has two forms: what is personal is found by its audience, all else by its owner.
"""

from typing import NamedTuple

from database.sql import Query
from hub.delivery.sql.reach import (
    NEXT,
    NEXT_FOR_ONE,
    OWNERS,
    REACHABLE,
    UNSEEN,
    UNSEEN_BY_ONE,
    VISIBLE,
    VISIBLE_TO_SOME,
)
from hub.delivery.sql.tables import CHANGE, PARTY, SNAPSHOT, SUBSCRIPTION


class BehindRow(NamedTuple):
    """A subscription that can be worked on now."""

    id: int
    has_snapshot: bool


class LagRow(NamedTuple):
    """A subscription that is behind: by how many changes, and how old the oldest is."""

    id: int
    number: int
    seconds: float


_DUE = """b.module = %(module)s
  AND (f.next_attempt_at IS NULL OR f.next_attempt_at <= now())
  AND (b.lease_until IS NULL OR b.lease_until < now())"""
_ONLY = f"{_DUE} AND b.id = ANY(%(ids)s::bigint[])"


def _behind(visible: str, due: str) -> Query[BehindRow]:
    return Query(
        f"""{visible}
SELECT b.id, s.waiting FROM {SUBSCRIPTION} b {REACHABLE}
JOIN visible ON visible.receiver = b.receiver_id
CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM {SNAPSHOT} s
  WHERE s.subscription_id = b.id AND s.finished_at IS NULL) AND NOT EXISTS (
    SELECT FROM {SNAPSHOT} f JOIN {SUBSCRIPTION} o ON o.id = f.subscription_id
    WHERE o.receiver_id = b.receiver_id AND o.module = ANY(%(earlier_modules)s::text[])
      AND f.finished_at IS NULL
      AND f.created_at > now() - make_interval(secs => %(head_start)s::float8)
  ) AS waiting) AS s
WHERE {due} AND (s.waiting OR {NEXT} IS NOT NULL)
ORDER BY b.id""",
        BehindRow,
    )


def _behind_for_one(due: str) -> Query[BehindRow]:
    return Query(
        f"""SELECT b.id, false FROM {SUBSCRIPTION} b {REACHABLE}
WHERE {due} AND {NEXT_FOR_ONE} IS NOT NULL
ORDER BY b.id""",
        BehindRow,
    )


BEHIND = {
    (False, False): _behind(VISIBLE, _DUE),
    (False, True): _behind(VISIBLE_TO_SOME, _ONLY),
    (True, False): _behind_for_one(_DUE),
    (True, True): _behind_for_one(_ONLY),
}
"""By whether a module is personal, and whether only some subscriptions are asked about.

One whose time has come and that nobody works on: it has a change to send, or a snapshot whose turn
it is (`HEAD_START_SECONDS`).
"""

_LAG_OF_ALL = f"""
{VISIBLE}
SELECT b.id, behind.number, extract(epoch FROM now() - oldest.created_at)::float8
FROM {SUBSCRIPTION} b
JOIN {PARTY} p ON p.id = b.receiver_id
JOIN visible ON visible.receiver = b.receiver_id
CROSS JOIN LATERAL (SELECT count(*) AS number FROM (
  SELECT FROM unnest(visible.owners) AS o(owner) JOIN {CHANGE} c ON {UNSEEN}
  LIMIT %(most)s::bigint) AS counted) AS behind
CROSS JOIN LATERAL (SELECT min(first.created_at) AS created_at
  FROM unnest(visible.owners) AS o(owner) CROSS JOIN LATERAL (
    SELECT c.created_at FROM {CHANGE} c WHERE {UNSEEN}
    ORDER BY c.transaction, c.seq LIMIT 1) AS first) AS oldest
WHERE b.module = %(module)s AND b.id = ANY(%(ids)s::bigint[]) AND behind.number > 0"""

_LAG_FOR_ONE = f"""
SELECT b.id, behind.number, extract(epoch FROM now() - oldest.created_at)::float8
FROM {SUBSCRIPTION} b
JOIN {PARTY} p ON p.id = b.receiver_id
CROSS JOIN LATERAL (SELECT count(*) - jsonb_array_length(b.ahead) AS number FROM (
  SELECT FROM {CHANGE} c WHERE {UNSEEN_BY_ONE} LIMIT %(most)s::bigint) AS counted) AS behind
CROSS JOIN LATERAL (SELECT c.created_at FROM {CHANGE} c WHERE {UNSEEN_BY_ONE}
  ORDER BY c.transaction, c.seq LIMIT 1) AS oldest
WHERE b.module = %(module)s AND b.id = ANY(%(ids)s::bigint[]) AND behind.number > 0"""

LAG = {False: Query(_LAG_OF_ALL, LagRow), True: Query(_LAG_FOR_ONE, LagRow)}
"""By whether a module is personal."""

OWNERS_OF = {
    is_personal: f"WITH pair (owner, receiver) AS ({{pairs}}) {owners}"
    for is_personal, owners in OWNERS.items()
}
"""By whether a module is personal: whose objects the receiver of a subscription may have."""
