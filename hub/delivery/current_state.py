"""The present state of what is to be sent, read for a whole batch at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from database import sql
from hub.delivery.push import PartKey
from hub.delivery.sql import current_state as statements
from hub.delivery.sql.current_state import ObjectRow
from hub.feed import Position, Selection
from hub.module_policy import ModulePolicy
from hub.store.reads import MOST_BYTES, Viewer


class StateText(NamedTuple):
    """The present text of an object or part, and its revision."""

    text: str
    revision: int


class Present(NamedTuple):
    """The revisions of some objects and parts, and those of what no strict receiver gets."""

    all: dict[PartKey, int]
    odd: frozenset[PartKey]

    def to(self, *, strict: bool) -> dict[PartKey, int]:
        """Return the revisions of what is there for a receiver; what it does not get is gone."""
        if not (strict and self.odd):
            return self.all
        return {key: revision for key, revision in self.all.items() if key not in self.odd}


class ContainedChanges(NamedTuple):
    """The present text of an object, its revision, and the positions of the changes in it."""

    text: str
    revision: int
    positions: frozenset[Position]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some objects of an owner, and whether none follows."""

    objects: tuple[ObjectRow, ...]
    is_last: bool


def revisions(policy: ModulePolicy, keys: Iterable[PartKey]) -> Present:
    """Return the revision of each object or part; what is gone is missing."""
    found = sql.rows(statements.revisions(policy), _columns(list(keys)))
    return Present(
        {(row.owner, row.key, row.part): row.revision for row in found},
        frozenset((row.owner, row.key, row.part) for row in found if row.is_odd),
    )


def texts(
    policy: ModulePolicy, keys: Iterable[PartKey], *, party: str, strict: bool = False
) -> dict[PartKey, StateText]:
    """Return whole objects and parts as a party sees them, if still there.

    For a `strict` one what breaks the tables is not.
    """
    found = sql.rows(
        statements.texts(policy, strict=strict), {**_columns(list(keys)), "party": party}
    )
    return {
        (owner, key, part): StateText(text, revision)
        for owner, key, part, text, revision in found
        if text is not None
    }


def with_changes(
    policy: ModulePolicy, keys: Iterable[PartKey], selection: Selection, after: Position
) -> dict[PartKey, ContainedChanges]:
    """Return whole objects for one audience, with the changes after a position that are in them.

    One statement reads both: every change of an object that it finds is in the text it finds.
    """
    found = sql.rows(
        statements.with_changes(policy),
        {
            **_columns(list(keys)),
            "module": selection.module,
            "audience": selection.audience,
            "transaction": after.transaction,
            "seq": after.seq,
        },
    )
    return {
        (owner, key, ""): ContainedChanges(
            text, revision, frozenset(map(Position, transactions, seqs))
        )
        for owner, key, text, revision, transactions, seqs in found
    }


def objects(policy: ModulePolicy, viewer: Viewer, *, after: int, limit: int) -> Chunk:
    """Return up to `limit` objects as a party sees them, in the order of creation.

    Fewer where they are large: a chunk has at most `MOST_BYTES`, or one object.
    """
    found = sql.rows(
        statements.objects(policy, strict=viewer.strict),
        {
            "owners": list(viewer.owners),
            "party": str(viewer.party),
            "after": after,
            "limit": limit,
            "bytes": MOST_BYTES,
        },
    )
    chosen = found[0].chosen if found else 0
    return Chunk(tuple(found), is_last=chosen == len(found) < limit)


def _columns(keys: list[PartKey]) -> dict[str, object]:
    return {
        "owners": [owner for owner, _, _ in keys],
        "keys": [key for _, key, _ in keys],
        "parts": [part for _, _, part in keys],
    }
