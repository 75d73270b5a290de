"""Who can be reached and may have what: pieces of statements that name `{pairs}`.

`{pairs}` stands for the statement of `parties.access` that returns (owner, receiver).
"""

from hub.delivery.sql.tables import CHANGE, ENDPOINT, PARTY, PLATFORM, SUBSCRIPTION
from hub.feed import HORIZON

REACHABLE = f"""
JOIN {PARTY} p ON p.id = b.receiver_id AND p.is_active
JOIN {PLATFORM} f ON f.id = p.platform_id AND f.status = ANY(%(registered)s)
JOIN {ENDPOINT} e ON e.platform_id = f.id AND e.module = %(module)s AND e.role = %(role)s"""
"""Joins a subscription `b` to its party `p`, platform `f` and endpoint `e`; no row without all."""

VISIBLE = """WITH pair (owner, receiver) AS MATERIALIZED ({pairs}), visible AS (
  SELECT receiver, array_agg(owner) AS owners FROM pair GROUP BY receiver)"""
"""Whose objects each receiver may have."""

_RECEIVER = f"(SELECT receiver_id FROM {SUBSCRIPTION} WHERE id = %(id)s::bigint)"
VISIBLE_TO_SOME = f"""WITH pair (owner, receiver) AS ({{pairs}}), visible AS (
  SELECT receiver, array_agg(owner) AS owners FROM pair WHERE receiver = ANY(ARRAY(
    SELECT receiver_id FROM {SUBSCRIPTION} WHERE id = ANY(%(ids)s::bigint[])))
  GROUP BY receiver)"""
"""The same for the receivers of some subscriptions."""

OWNERS_OF_EACH = {
    False: "SELECT DISTINCT owner FROM pair WHERE receiver = b.receiver_id",
    True: f"""SELECT DISTINCT owner FROM pair JOIN {PARTY} r ON r.id = pair.receiver
WHERE r.holder = p.holder AND r.role = ANY(%(token_owners)s)""",
}
"""By whether a module is personal: whose objects, among `pair`, the receiver of `b`, `p`, may have.

What is personal is for a party in whichever of its roles that own tokens.
"""

OWNERS = {
    False: f"SELECT DISTINCT owner FROM pair WHERE receiver = {_RECEIVER}",
    True: f"""SELECT DISTINCT owner FROM pair JOIN {PARTY} p ON p.id = pair.receiver
WHERE p.holder = (SELECT r.holder FROM {PARTY} r
    JOIN {SUBSCRIPTION} b ON b.receiver_id = r.id WHERE b.id = %(id)s::bigint)
  AND p.role = ANY(%(token_owners)s)""",
}
"""The same for the receiver of one subscription."""

_BEYOND = "c.module = b.module AND (c.transaction, c.seq) > (b.transaction, b.seq)"
UNSEEN = f"{_BEYOND} AND c.owner = o.owner AND c.audience = ''"
"""Condition of the changes `c` of an owner `o` beyond the position of `b`."""
UNSEEN_BY_ONE = f"{_BEYOND} AND c.audience = p.holder AND c.audience <> ''"
"""Condition of those that are for `p` alone."""

# An owner of whom the receiver has read everything costs one look into the index. A join of all
# changes with all owners would go through a million others to find that nothing is left.
NEXT = f"""(SELECT first.seq FROM unnest(visible.owners) AS o(owner) CROSS JOIN LATERAL (
    SELECT c.seq FROM {CHANGE} c WHERE {UNSEEN} AND c.transaction < {HORIZON}
    ORDER BY c.transaction, c.seq LIMIT 1) AS first LIMIT 1)"""
"""The next change: one look into the index for each owner, whatever lies between."""

NEXT_FOR_ONE = f"""(SELECT c.seq FROM {CHANGE} c
    WHERE {UNSEEN_BY_ONE} AND c.transaction < {HORIZON}
    ORDER BY c.transaction, c.seq LIMIT 1)"""
"""The next change for `p` alone."""
