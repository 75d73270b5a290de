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

# Transaction 100 writes and takes its time, 101 writes and commits. A reader that took 101 and
# moved on would never see 100. So it stops below the oldest that runs: 101 waits for 100.
HORIZON = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
"""SQL of the first transaction that may not be over; whatever is below is final."""
END_OF_TRANSACTION = 2**63 - 1
"""A `seq` behind every change of a transaction."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A point in the feed: everything up to and including it has been dealt with.

    `seq` alone does not do: transaction 100 may draw seq 8 after 101 drew 7, and be over first.
    Whoever stood at 8 would miss 7; whoever stands at (100, 8) has (101, 7) before him.
    """

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

    Where some were left out, what replaces them is in the feed by transaction `compacted_to`.
    """

    changes: tuple[FedChange, ...]
    reached: Position
    complete: bool
    compacted_to: int = 0


_FOR_EVERYBODY = "owner = ANY(%(owners)s::text[]) AND audience = ''"
# Names the condition of the index, which no parameter can fulfil.
_FOR_ONE = "audience = %(audience)s::text AND audience <> ''"


# `stretch` is all that is looked at, `kept` of it what is returned, bounded in number and in size;
# the first is returned however large it is: a Location beyond the bound would never be sent.
# `edge` tells how far the stretch goes although nothing of it may be kept: of 5,000 changes that
# later ones replace there is nothing to send, and much to pass over.
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


# EVSE E1 changed at 5 and again at 9: at 5 nothing is said that is not told at 9 too, by a state. A
# change of the whole Location replaces those of its EVSEs, not the other way round. What is above
# the horizon replaces nothing: its transaction may yet be rolled back.
# The module as an expression, so that no statistics lead to another index than the object's own.
_REPLACED = f"""EXISTS (SELECT FROM hub_change later
  WHERE later.owner = c.owner AND later.object_key = c.object_key
    AND later.part_key IN ('', c.part_key)
    AND (later.transaction, later.seq) > (c.transaction, c.seq)
    AND later.transaction < {HORIZON}
    AND later.module || '' = %(module)s::text AND later.audience = '')"""

_READ_FOR_EVERYBODY = _reading(_FOR_EVERYBODY)
_READ_FOR_EVERYBODY_COMPACTED = _reading(_FOR_EVERYBODY, replaced=_REPLACED)
_READ_FOR_ONE = _reading(_FOR_ONE)
# So much further a compacted reading looks.
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
    compacted: bool = False,
) -> Batch:
    """Read what follows a position, bounded in number and size; `besides` is left out.

    `compacted`, what everybody is told comes without each change whose object or part the feed has
    again: it may be nothing although something follows. What replaces them has to be sent whole.
    """
    compacted = compacted and not selection.audience
    stretch = limit * _STRETCH if compacted else limit
    found = sql.rows(
        _statement(selection, compacted=compacted),
        {
            "module": selection.module,
            "owners": list(selection.owners),
            "audience": selection.audience,
            "transaction": after.transaction,
            "seq": after.seq,
            "besides": [each.seq for each in besides],
            "stretch": stretch,
            "limit": limit,
            "bytes": most_bytes,
        },
        prepared=not compacted,
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
        # To the horizon, not only to the last change: what lies between is for others, and nobody
        # need look through it again to find that out.
        reached = max(after, Position(below - 1, END_OF_TRANSACTION))
    # A change that was left out behind `reached` is met again by the next reading.
    is_compacted = gap is not None and Position(*gap) < reached
    complete = not is_cut and number < stretch
    return Batch(changes, reached, complete, compacted_to=below - 1 if is_compacted else 0)


def _statement(selection: Selection, *, compacted: bool) -> str:
    if selection.audience:
        return _READ_FOR_ONE
    return _READ_FOR_EVERYBODY_COMPACTED if compacted else _READ_FOR_EVERYBODY


def is_pending(module: str) -> bool:
    """Tell whether a change is stored that cannot be read while an older transaction runs."""
    return sql.row(_PENDING, {"module": module}) is not None


def _may_have_more(changes: tuple[FedChange, ...], limit: int, most_bytes: int) -> bool:
    return len(changes) >= limit or sum(len(change.body or "") for change in changes) >= most_bytes
