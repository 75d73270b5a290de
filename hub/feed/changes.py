"""Changes of the feed as a receiver may see them, and how they are read from a position on."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from database import sql
from database.sql import Query
from hub.feed import sql as statements
from hub.feed.sql import FedRow

END_OF_TRANSACTION = 2**63 - 1
"""A `seq` greater than that of any change."""
_COMPACTED_FACTOR = 10
"""A compacted reading looks at so many times its limit, because it leaves most changes out."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A point in the feed: everything up to and including it has been dealt with.

    `seq` alone does not suffice: transaction 100 may draw seq 8 after 101 drew 7, and commit first.
    A reader that is at 8 would miss 7; for one at (100, 8), (101, 7) is still to come.
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
    """A part of a module's feed: some owners' changes for everybody, or all for one audience."""

    module: str
    owners: Collection[str] = ()
    audience: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """Changes that were read, and the position `reached` once they are dealt with.

    It is `complete` when nothing else was in the feed. Where changes were left out, those that
    replace them are in the feed up to transaction `compacted_to`; 0 when none was.
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
    excluded: Collection[Position] = (),
    compacted: bool = False,
) -> Batch:
    """Read the changes after a position, bounded in number and size, without the `excluded` ones.

    `compacted` leaves out each change for everybody whose object or part changes again later. So a
    batch may be empty although more follows, and what replaces the changes has to be sent whole.
    """
    compacted = compacted and not selection.audience
    stretch = limit * _COMPACTED_FACTOR if compacted else limit
    found = sql.rows(
        _statement(selection, compacted=compacted),
        {
            "module": selection.module,
            "owners": list(selection.owners),
            "audience": selection.audience,
            "transaction": after.transaction,
            "seq": after.seq,
            "excluded": [each.seq for each in excluded],
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
    """Return the changes of some rows, and how far they reach.

    To the last change if the bounds cut the reading, else to the end of its stretch if there is
    more, else to the horizon.
    """
    changes = tuple(
        FedChange(Position(row.transaction, row.seq), *row[6:])  # the same fields from `owner` on
        for row in found
        if row.seq is not None
    )
    looked = found[0]  # how far the reading went is the same in each row
    is_cut = bool(changes) and _may_have_more(changes, limit, most_bytes)
    if is_cut:
        reached = changes[-1].position
    elif looked.last is not None and looked.number == stretch:
        reached = Position(*looked.last)
    else:
        # Not only to the last change: what follows it is for others, and need not be looked through
        # again.
        reached = max(after, Position(looked.below - 1, END_OF_TRANSACTION))
    # What was left out after `reached` is for the next reading.
    is_compacted = looked.gap is not None and Position(*looked.gap) < reached
    complete = not is_cut and looked.number < stretch
    return Batch(changes, reached, complete, compacted_to=looked.below - 1 if is_compacted else 0)


def _statement(selection: Selection, *, compacted: bool) -> Query[FedRow]:
    if selection.audience:
        return statements.READ_FOR_ONE
    if compacted:
        return statements.READ_FOR_EVERYBODY_COMPACTED
    return statements.READ_FOR_EVERYBODY


def is_pending(module: str) -> bool:
    """Whether a module has committed changes that cannot be read yet: an older transaction runs."""
    return sql.row(statements.PENDING, {"module": module}) is not None


def _may_have_more(changes: tuple[FedChange, ...], limit: int, most_bytes: int) -> bool:
    return len(changes) >= limit or sum(len(change.body or "") for change in changes) >= most_bytes
