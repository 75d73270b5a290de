"""The feed: what a receiver has not been told yet, in an order that never changes afterwards.

Changes are ordered by (`transaction`, `seq`) and read only below the oldest running transaction:
everything there is committed or gone for good, so a position once passed stays complete however
late another transaction commits. The store takes an object's lock before its transaction number,
which makes this order each object's own order too.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from database import sql
from database.sql import Row

HORIZON = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
"""SQL of the first transaction that may not be over; whatever is below is final."""
END_OF_TRANSACTION = 2**63 - 1
"""A `seq` behind every change of a transaction."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the feed: everything up to and including it has been dealt with."""

    transaction: int
    seq: int


@dataclass(frozen=True, slots=True)
class FedChange:
    """A change as a receiver may see it."""

    position: Position
    owner: str
    object_key: str
    part_key: str
    revision: int
    method: str
    path: str
    body: str | None
    correlation_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Selection:
    """What of a module's feed is read: what its owners say to everybody, or all that is for one."""

    module: str
    owners: Collection[str] = ()
    audience: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some changes, and the position that is reached once they are dealt with.

    Where some were left out, what replaces them is in the feed by transaction `thinned_to`.
    """

    changes: tuple[FedChange, ...]
    reached: Position
    complete: bool
    thinned_to: int = 0


_FOR_EVERYBODY = "owner = ANY(%(owners)s::text[]) AND audience = ''"
# Names the condition of the index, which no parameter can fulfil.
_FOR_ONE = "audience = %(audience)s::text AND audience <> ''"


def _reading(wanted: str, *, replaced: str = "false") -> str:
    return f"""
WITH horizon AS (SELECT {HORIZON} AS below), stretch AS MATERIALIZED (
  SELECT c.*, {replaced} AS replaced FROM horizon CROSS JOIN LATERAL (
    SELECT transaction, seq, owner, object_key, part_key, revision, method, path, body,
      correlation_id, created_at
    FROM hub_change
    WHERE module = %(module)s::text AND transaction < horizon.below
      AND (transaction, seq) > (%(transaction)s::bigint, %(seq)s::bigint)
      AND {wanted} AND NOT seq = ANY(%(besides)s::bigint[])
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


# The module as an expression, so that no statistics lead to another index than the object's own.
_REPLACED = f"""EXISTS (SELECT FROM hub_change later
  WHERE later.owner = c.owner AND later.object_key = c.object_key
    AND later.part_key IN ('', c.part_key)
    AND (later.transaction, later.seq) > (c.transaction, c.seq)
    AND later.transaction < {HORIZON}
    AND later.module || '' = %(module)s::text AND later.audience = '')"""

_READ_FOR_EVERYBODY = _reading(_FOR_EVERYBODY)
_READ_FOR_EVERYBODY_THINNED = _reading(_FOR_EVERYBODY, replaced=_REPLACED)
_READ_FOR_ONE = _reading(_FOR_ONE)
# So much further a thinned reading looks.
_STRETCH = 10

_PENDING = f"""
SELECT 1 FROM hub_change WHERE module = %(module)s::text AND transaction >= {HORIZON} LIMIT 1"""


def read(
    selection: Selection,
    after: Position,
    *,
    limit: int,
    most_bytes: int,
    besides: Collection[Position] = (),
    thinned: bool = False,
) -> Batch:
    """Read what follows a position, bounded in number and size; `besides` is left out.

    `thinned`, what everybody is told comes without each change whose object or part the feed has
    again: it may be nothing although something follows. What replaces them has to be sent whole.
    """
    thinned = thinned and not selection.audience
    stretch = limit * _STRETCH if thinned else limit
    found = sql.rows(
        _statement(selection, thinned=thinned),
        {
            "module": selection.module,
            "owners": list(selection.owners),
            "audience": selection.audience,
            "transaction": after.transaction,
            "seq": after.seq,
            "besides": [place.seq for place in besides],
            "stretch": stretch,
            "limit": limit,
            "bytes": most_bytes,
        },
        prepared=not thinned,
    )
    return _batch(found, after, stretch=stretch, limit=limit, most_bytes=most_bytes)


def _batch(
    found: list[Row], after: Position, *, stretch: int, limit: int, most_bytes: int
) -> Batch:
    """Tell how far a reading came: to what the bounds let in, to its stretch's end, or to now."""
    changes = tuple(FedChange(Position(*row[4:6]), *row[6:]) for row in found if row[4] is not None)
    below, number, gap, last = found[0][:4]
    is_cut = bool(changes) and _may_have_more(changes, limit, most_bytes)
    if is_cut:
        reached = changes[-1].position
    elif number == stretch:
        reached = Position(*last)
    else:
        reached = max(after, Position(below - 1, END_OF_TRANSACTION))
    is_thinned = gap is not None and Position(*gap) < reached
    complete = not is_cut and number < stretch
    return Batch(changes, reached, complete, thinned_to=below - 1 if is_thinned else 0)


def _statement(selection: Selection, *, thinned: bool) -> str:
    if selection.audience:
        return _READ_FOR_ONE
    return _READ_FOR_EVERYBODY_THINNED if thinned else _READ_FOR_EVERYBODY


def is_pending(module: str) -> bool:
    """Tell whether a change is stored that cannot be read while an older transaction runs."""
    return sql.row(_PENDING, {"module": module}) is not None


def _may_have_more(changes: tuple[FedChange, ...], limit: int, most_bytes: int) -> bool:
    return len(changes) >= limit or sum(len(change.body or "") for change in changes) >= most_bytes
