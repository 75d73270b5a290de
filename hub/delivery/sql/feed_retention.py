"""Statements that prune the feed, and take over one that another database cluster numbered."""

from typing import NamedTuple

from database.sql import Query
from hub.delivery.sql.tables import CHANGE, FOLLOWER, PARTY, SNAPSHOT, SUBSCRIPTION
from hub.feed import END_OF_TRANSACTION, HORIZON


class PrunedRow(NamedTuple):
    """A stretch of the feed, and how many changes and snapshots of it were deleted.

    `last` is its last seq, `seen` how many changes it has, `all_old` whether all of them are old.
    """

    last: int | None
    all_old: bool | None
    seen: int
    changes: int
    snapshots: int


# Where every message counts, an old change is deleted once its receiver's position has reached it;
# if nobody is subscribed for it, once it has expired (COALESCE). Where the latest state counts, it
# is deleted even if a receiver has not read it: a snapshot will bring the same. A DELETE waits
# until every position of the module has passed it, since no snapshot can say that something is
# gone.
# The scan follows the primary key, roughly the order of age, so that no index on `created_at` is
# needed, which every write would have to maintain.
PRUNE = Query(
    f"""
WITH looked_at AS (
  SELECT seq, transaction, module, owner, audience, method, created_at < %(old)s AS is_old,
    module = ANY(%(every_message)s::text[]) AS all_count, created_at < %(expired)s AS is_expired
  FROM {CHANGE} WHERE seq > %(after)s::bigint ORDER BY seq LIMIT %(batch)s::bigint
), over AS (
  SELECT c.seq, c.transaction, c.module, c.owner, c.all_count FROM looked_at c
  WHERE c.is_old AND CASE WHEN c.all_count THEN
    (SELECT COALESCE(bool_and((b.transaction, b.seq) >= (c.transaction, c.seq)), c.is_expired)
      FROM {SUBSCRIPTION} b JOIN {PARTY} p ON p.id = b.receiver_id
      WHERE b.module = c.module AND p.holder = c.audience)
  ELSE c.method <> 'DELETE' OR NOT EXISTS (SELECT FROM {SUBSCRIPTION} b
    WHERE b.module = c.module AND (b.transaction, b.seq) < (c.transaction, c.seq)) END
), missed AS (
  SELECT DISTINCT ON (module, owner) module, owner, transaction, seq FROM over
  WHERE NOT all_count ORDER BY module, owner, transaction DESC, seq DESC
), forgotten AS (
  DELETE FROM {SNAPSHOT} s USING {SUBSCRIPTION} b, missed m
  WHERE b.id = s.subscription_id AND b.module = m.module AND s.owner = m.owner
    AND (b.transaction, b.seq) < (m.transaction, m.seq) RETURNING s.id
), pruned AS (DELETE FROM {CHANGE} c USING over WHERE c.seq = over.seq RETURNING c.seq)
SELECT max(seq), bool_and(is_old), count(*), (SELECT count(*) FROM pruned),
  (SELECT count(*) FROM forgotten) FROM looked_at""",
    PrunedRow,
)

# ------------------------------------------------------- a feed from another database cluster

_FIRST_UNASSIGNED = "pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
"""The first transaction number that this cluster has not given out yet."""

# One position or one last change of a module above the counter is enough to tell: whatever was
# written here has a lower number.
IS_RESTORED = f"""
SELECT EXISTS (SELECT FROM {SUBSCRIPTION} WHERE transaction >= {_FIRST_UNASSIGNED})
  OR EXISTS (SELECT FROM {FOLLOWER} WHERE transaction >= {_FIRST_UNASSIGNED})
  OR EXISTS (SELECT FROM {SUBSCRIPTION} b CROSS JOIN LATERAL (
    SELECT c.transaction FROM {CHANGE} c WHERE c.module = b.module
    ORDER BY c.transaction DESC, c.seq DESC LIMIT 1) AS last
    WHERE last.transaction >= {_FIRST_UNASSIGNED})"""


def _renumbered(column: str) -> str:
    """Return SQL that moves every position of a JSON column to transaction 0, keeping its seq."""
    return f"""COALESCE((SELECT jsonb_agg(jsonb_build_array(0, position -> 1))
    FROM jsonb_array_elements({column}) AS position), '[]')"""


# `xmin` is the low 32 bits of the transaction that wrote the row here. If they differ from those of
# `transaction`, the row was copied in by a restore: 812 in `transaction`, 5 in `xmin`.
_FOREIGN = f"c.transaction <> 0 AND c.transaction & {2**32 - 1} <> c.xmin::text::bigint"

# Before RENUMBER: it compares old numbers. Where every message counts, a subscription is put just
# before its first undelivered old change or, if there is none, after all old changes. New changes
# are left out: their numbers cannot be compared with an old position. `audience <> ''` lets the
# partial index of audiences be used.
RESUME_EVERY_MESSAGE = f"""
UPDATE {SUBSCRIPTION} b SET transaction = 0,
  seq = COALESCE((SELECT min(c.seq) - 1 FROM {CHANGE} c
    WHERE c.module = b.module AND c.audience = p.holder AND c.audience <> ''
      AND (c.transaction, c.seq) > (b.transaction, b.seq) AND (c.transaction = 0 OR {_FOREIGN})),
    {END_OF_TRANSACTION}),
  ahead = {_renumbered("ahead")}, in_doubt = {_renumbered("in_doubt")},
  lease = NULL, lease_until = NULL
FROM {PARTY} p WHERE p.id = b.receiver_id AND b.module = ANY(%s)"""

# Their order within transaction 0 is that of `seq`, given under each object's lock.
RENUMBER = f"UPDATE {CHANGE} c SET transaction = 0 WHERE {_FOREIGN}"

# Like RESUME_EVERY_MESSAGE it ends the lease: its worker still has positions by the old numbers.
RESTART_BY_SNAPSHOT = f"""
UPDATE {SUBSCRIPTION} SET transaction = {HORIZON} - 1, seq = {END_OF_TRANSACTION},
  compacted_to = 0, lease = NULL, lease_until = NULL WHERE NOT module = ANY(%s)"""

RESTART_FIGURES = f"""
UPDATE {FOLLOWER} SET transaction = {HORIZON} - 1, seq = {END_OF_TRANSACTION}, recounted_to = 0"""
