"""The changes of the feed as a receiver may see them, read from one position to the next."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from database import sql
from database.sql import Query
from hub.feed import sql as statements
from hub.feed.sql import FedRow

END_OF_TRANSACTION = 2**63 - 1
"""A `seq` behind every change of a transaction."""
_STRETCH = 10
"""So much further a compacted reading looks."""


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

    `compacted`, what is for everybody comes without each change whose object or part the feed has
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
    found: list[FedRow], after: Position, *, stretch: int, limit: int, most_bytes: int
) -> Batch:
    """Return how far a reading came: to what the bounds let in, to its stretch's end, or to now."""
    changes = tuple(
        FedChange(Position(row.transaction, row.seq), *row[6:])
        for row in found
        if row.seq is not None
    )
    below, number, gap, last = found[0][:4]
    is_cut = bool(changes) and _may_have_more(changes, limit, most_bytes)
    if is_cut:
        reached = changes[-1].position
    elif last is not None and number == stretch:
        reached = Position(*last)
    else:
        # To the horizon, not only to the last change: what lies between is for others, and nobody
        # need look through it again to find that out.
        reached = max(after, Position(below - 1, END_OF_TRANSACTION))
    # A change that was left out behind `reached` is met again by the next reading.
    is_compacted = gap is not None and Position(*gap) < reached
    complete = not is_cut and number < stretch
    return Batch(changes, reached, complete, compacted_to=below - 1 if is_compacted else 0)


def _statement(selection: Selection, *, compacted: bool) -> Query[FedRow]:
    if selection.audience:
        return statements.READ_FOR_ONE
    if compacted:
        return statements.READ_FOR_EVERYBODY_COMPACTED
    return statements.READ_FOR_EVERYBODY


def is_pending(module: str) -> bool:
    """Whether a change is stored that cannot be read while an older transaction runs."""
    return sql.row(statements.PENDING, {"module": module}) is not None


def _may_have_more(changes: tuple[FedChange, ...], limit: int, most_bytes: int) -> bool:
    return len(changes) >= limit or sum(len(change.body or "") for change in changes) >= most_bytes
