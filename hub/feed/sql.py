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
"""SQL of the first transaction that may not be over; whatever is below is final."""


class FedRow(NamedTuple):
    """A change that was read, and how far the reading went; the one row without any has no seq.

    Below transaction `below` all is final. So many changes were looked at (`number`), up to the
    `last`; the first that was left out is the `gap`: transaction and seq both.
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
# Names the condition of the index, which no parameter can fulfil.
_FOR_ONE = "audience = %(audience)s::text AND audience <> ''"


# `stretch` is all that is looked at, `kept` of it what is returned, bounded in number and in size;
# the first is returned however large it is: a Location beyond the bound would never be sent.
# `edge` is how far the stretch goes although nothing of it may be kept: of 5,000 changes that
# later ones replace there is nothing to send, and much to pass over.
def _reading(of: str, *, replaced: str = "false") -> Query[FedRow]:
    text = f"""
WITH horizon AS (SELECT {HORIZON} AS below), stretch AS MATERIALIZED (
  SELECT c.*, {replaced} AS replaced FROM horizon CROSS JOIN LATERAL (
    SELECT transaction, seq, owner, object_key, part_key, revision, method, path, body,
      correlation_id, created_at
    FROM {CHANGE}
    WHERE module = %(module)s::text AND transaction < horizon.below
      AND (transaction, seq) > (%(transaction)s::bigint, %(seq)s::bigint)
      AND {of} AND NOT seq = ANY(%(besides)s::bigint[])
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


# EVSE E1 changed at 5 and again at 9: at 5 nothing is said that 9 does not say too, by a state. A
# change of the whole Location replaces those of its EVSEs, not the other way round. What is above
# the horizon replaces nothing: its transaction may yet be rolled back.
# The module as an expression, so that no statistics lead to another index than the object's own.
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
