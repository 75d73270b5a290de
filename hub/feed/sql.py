"""The SQL of the feed: how far it is final, and how it is read."""

# ruff: noqa: SLF001 - _meta is the documented way to a table's name; no text has a value

from datetime import datetime
from typing import NamedTuple

from database.sql import Query
from hub.models import Change

CHANGE = Change._meta.db_table

# Transaction 100 writes and takes its time, 101 writes and commits. A reader that took 101 and
# moved on would never see 100. So it stops below the oldest that runs: 101 waits for 100.
HORIZON = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
"""SQL of the oldest transaction that may still run; everything below it is final."""


class FedRow(NamedTuple):
    """A change that was read, after four columns that are the same in each row of a reading.

    below    the horizon: everything below this transaction is final
    number   how many changes were looked at
    gap      transaction and seq of the first change that was left out
    last     transaction and seq of the last that was looked at

    A reading without any change is one row whose `seq` is None.
    """

    below: int
    number: int
    gap: list[int] | None
    last: list[int] | None
    transaction: int
    seq: int | None
    owner: str
    object_key: str
    part_key: str
    revision: int
    method: str
    path: str
    body: str | None
    correlation_id: str
    created_at: datetime


_FOR_EVERYBODY = "owner = ANY(%(owners)s::text[]) AND audience = ''"
# `audience <> ''` is the condition of the partial index: PostgreSQL cannot infer it from a
# parameter.
_FOR_ONE = "audience = %(audience)s::text AND audience <> ''"


# `stretch` are the changes that are looked at, `kept` those of them that are returned, bounded in
# number and size; the first is returned whatever its size, else a large Location would never be
# sent. `edge` is how far the stretch goes even if nothing of it is kept: 5,000 changes that later
# ones replace send nothing, but the reader has passed them.
def _reading(of: str, *, replaced: str = "false") -> Query[FedRow]:
    text = f"""
WITH horizon AS (SELECT {HORIZON} AS below), stretch AS MATERIALIZED (
  SELECT c.*, {replaced} AS replaced FROM horizon CROSS JOIN LATERAL (
    SELECT transaction, seq, owner, object_key, part_key, revision, method, path, body,
      correlation_id, created_at
    FROM {CHANGE}
    WHERE module = %(module)s::text AND transaction < horizon.below
      AND (transaction, seq) > (%(transaction)s::bigint, %(seq)s::bigint)
      AND {of} AND NOT seq = ANY(%(excluded)s::bigint[])
    ORDER BY transaction, seq LIMIT %(stretch)s::bigint) AS c
), kept AS (
  SELECT *, COALESCE(sum(length(body)) OVER before, 0) AS octets_before FROM (
    SELECT * FROM stretch WHERE NOT replaced
    ORDER BY transaction, seq LIMIT %(limit)s::bigint) AS next
  WINDOW before AS (ORDER BY transaction, seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), edge AS (
  SELECT count(*) AS number, min(ARRAY[transaction, seq]) FILTER (WHERE replaced) AS gap,
    max(ARRAY[transaction, seq]) AS last FROM stretch)
SELECT horizon.below, edge.number, edge.gap, edge.last, c.transaction, c.seq, c.owner,
  c.object_key, c.part_key, c.revision, c.method, c.path, c.body, c.correlation_id, c.created_at
FROM horizon CROSS JOIN edge LEFT JOIN kept c ON octets_before < %(bytes)s::bigint
ORDER BY c.transaction, c.seq"""
    return Query(text, FedRow)


# EVSE E1 changed at 5 and again at 9: the state at 9 makes the change at 5 superfluous. A change of
# the whole Location replaces those of its EVSEs, not the other way round. A change above the
# horizon replaces nothing: its transaction may yet be rolled back. `module || ''` keeps PostgreSQL
# from using the index by module instead of the one by object.
_REPLACED = f"""EXISTS (SELECT FROM {CHANGE} later
  WHERE later.owner = c.owner AND later.object_key = c.object_key
    AND later.part_key IN ('', c.part_key)
    AND (later.transaction, later.seq) > (c.transaction, c.seq)
    AND later.transaction < {HORIZON}
    AND later.module || '' = %(module)s::text AND later.audience = '')"""

READ_FOR_EVERYBODY = _reading(_FOR_EVERYBODY)
READ_FOR_EVERYBODY_COMPACTED = _reading(_FOR_EVERYBODY, replaced=_REPLACED)
READ_FOR_ONE = _reading(_FOR_ONE)

PENDING = f"""
SELECT 1 FROM {CHANGE} WHERE module = %(module)s::text AND transaction >= {HORIZON} LIMIT 1"""
