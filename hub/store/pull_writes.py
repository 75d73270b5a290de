"""Pull writes: objects of an owner's list, stored like a push unless the hub has something newer.

Spec: 2.2.1 transport and format, pull; TF-104, TF-107. Up to `_PER_TRANSACTION` objects
share a transaction. All their locks are taken before it gets its number, so that the feed's order
is each object's own order.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec
from django.db import DataError, IntegrityError

from database import sql
from hub.module_policy import ModulePolicy
from hub.store import anonymity, batch
from hub.store.items import Item, digest, repeated_item, written_item
from hub.store.merge import Draft, Kind, PlannedWrite
from hub.store.sql import pull_writes as statements
from hub.store.sql import writes as write_statements
from hub.store.sql.pull_writes import KnownObject
from hub.store.sql.writes import WrittenRow
from hub.store.write_request import WriteRequest
from ocpi.modules import ObjectType

log = logging.getLogger(__name__)

_PER_TRANSACTION = 100


class PullOutcome(StrEnum):
    """What became of an object of a list."""

    STORED = "stored"
    UNCHANGED = "unchanged"
    OLDER = "older"
    """What the hub has is newer than what the list still has."""
    CONTRADICTS = "contradicts"
    """It was posted, so it must not change, and is not what the hub has."""
    UNUSABLE = "unusable"
    """The database refuses it."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """A valid object of a list, as the store takes it.

    Of two with the same `last_updated`, one that was stored after the list was `asked_at` is newer.
    """

    request: WriteRequest
    write: PlannedWrite
    asked_at: datetime

    @property
    def key(self) -> tuple[str, str, str]:
        """Owner, key and audience."""
        return self.request.holder, self.request.key, self.request.audience

    @property
    def draft(self) -> Draft:
        """The write as it would be pushed."""
        kind = Kind.POST if self.request.type.posted else Kind.PUT
        return Draft(self.request, kind, self.write)

    @property
    def newest(self) -> datetime:
        """When it, or a part of it, was last updated."""
        return max([self.write.last_updated, *(part.last_updated for part in self.write.parts)])


_AllKnown = Mapping[tuple[str, str, str], KnownObject]
"""By owner, key and audience."""


def store(objects: Sequence[Pulled]) -> list[PullOutcome]:
    """Store objects of one module; those that are new or newer are fed to their receivers."""
    outcomes: list[PullOutcome] = []
    while len(outcomes) < len(objects):
        outcomes += _store(_distinct(objects[len(outcomes) :][:_PER_TRANSACTION]))
    return outcomes


def _distinct(objects: Sequence[Pulled]) -> Sequence[Pulled]:
    """Return the first objects, up to one that a list has twice."""
    seen: set[tuple[str, str, str]] = set()
    for number, each in enumerate(objects):
        if each.key in seen:
            return objects[:number]
        seen.add(each.key)
    return objects


def _store(objects: Sequence[Pulled]) -> list[PullOutcome]:
    known = _known(objects)
    outcomes = {index: _judge(each, known) for index, each in enumerate(objects)}
    _compare(objects, outcomes, known)
    new = [index for index, outcome in outcomes.items() if outcome is PullOutcome.STORED]
    written = _write([objects[index] for index in new])
    outcomes |= dict(zip(new, written, strict=True))
    _found_again(
        [
            each
            for each, outcome in zip(objects, outcomes.values(), strict=True)
            if outcome is not PullOutcome.STORED and each.key in known and known[each.key].missed
        ],
        known,
    )
    return [outcome for outcome in outcomes.values() if outcome is not None]


def _judge(one: Pulled, known: _AllKnown) -> PullOutcome | None:
    """Decide by age and digest; None when that is not enough and contents must be compared."""
    if one.request.type.posted:
        return None if any(key[:2] == one.key[:2] for key in known) else PullOutcome.STORED
    old = known.get(one.key)
    if old is None:
        return PullOutcome.STORED
    if old.digest == digest(one.request.body):
        return PullOutcome.UNCHANGED
    if one.newest == old.newest:
        return None
    return PullOutcome.STORED if one.newest > old.newest else PullOutcome.OLDER


def _compare(
    objects: Sequence[Pulled],
    outcomes: dict[int, PullOutcome | None],
    known: _AllKnown,
) -> None:
    """Decide by content where `_judge` could not; changes `outcomes`."""
    open_ones = [index for index, outcome in outcomes.items() if outcome is None]
    if not open_ones:
        return
    texts = _texts(objects[0].request.policy, [old.seq for old in known.values()])
    for index in open_ones:
        outcomes[index] = _compared(objects[index], known, texts)


def _compared(one: Pulled, known: _AllKnown, texts: Mapping[int, str]) -> PullOutcome:
    kind = one.request.type
    new = one.request.body
    if not kind.posted:
        old = known[one.key]
        if _is_same(kind, texts[old.seq], new):
            return PullOutcome.UNCHANGED
        return PullOutcome.STORED if old.changed_at < one.asked_at else PullOutcome.OLDER
    others = [old for key, old in known.items() if key[:2] == one.key[:2]]
    if not all(_is_same(kind, texts[old.seq], new) for old in others):
        return PullOutcome.CONTRADICTS
    return PullOutcome.UNCHANGED if one.key in known else PullOutcome.STORED


def _is_same(kind: ObjectType, stored: str, new: bytes) -> bool:
    """Whether two texts say the same; an anonymous one equals the original."""
    if kind.part is None:
        return anonymity.is_same(stored, new)
    return _content(kind, stored) == _content(kind, new)


def _content(kind: ObjectType, text: bytes | str) -> object:
    """Return a value that is equal for equal objects, in whatever order their parts are."""
    value = msgspec.json.decode(text)
    part = kind.part
    if part is not None and isinstance(value.get(part.member), list):
        name = part.object.id_field
        value[part.member] = sorted(value[part.member], key=lambda each: str(each[name]))
    return value


def _write(objects: Sequence[Pulled]) -> Iterator[PullOutcome]:
    """Write all in one transaction; if the database refuses that, each object in its own."""
    if not objects:
        return iter(())
    try:
        return iter(_written(objects))
    except (DataError, IntegrityError) as error:
        if len(objects) == 1:
            log.warning("an object of a list cannot be stored: %s", type(error).__name__)
            return iter([PullOutcome.UNUSABLE])
    return (outcome for each in objects for outcome in _write([each]))


def _written(objects: Sequence[Pulled]) -> list[PullOutcome]:
    first = objects[0].request
    own = write_statements.statements(first.policy, is_fed=True)
    items = [
        written_item(n, each.draft, each.write)
        | {"newest": each.newest, "asked_at": each.asked_at, "beside": True}
        for n, each in enumerate(objects)
    ]
    found = _behind_locks(objects, own.post if first.type.posted else own.pull, items)
    nothing = PullOutcome.UNCHANGED if first.type.posted else PullOutcome.OLDER
    return [
        nothing if found[n].created is None else PullOutcome.STORED for n in range(len(objects))
    ]


def _behind_locks(
    objects: Sequence[Pulled], statement: str, items: Sequence[Item]
) -> dict[int, WrittenRow]:
    """Run a statement for objects once all of them are locked, in one order for all."""
    with sql.driver_connection() as connection:
        with connection.pipeline():
            batch.lock(connection, [each.draft.lock for each in objects])
            cursor = batch.execute(connection, statement, items)
        return batch.written(cursor)


def _known(objects: Sequence[Pulled]) -> _AllKnown:
    owners, keys, _ = zip(*(each.key for each in objects), strict=True)
    query = {"owners": list(owners), "keys": list(keys)}
    found = sql.rows(statements.known(objects[0].request.policy), query)
    return {(row.owner, row.object_key, row.audience): row for row in found}


def _texts(policy: ModulePolicy, seqs: list[int]) -> dict[int, str]:
    return {row.seq: row.text for row in sql.rows(statements.texts(policy), {"seqs": seqs})}


def _found_again(objects: Sequence[Pulled], known: _AllKnown) -> None:
    """Note that objects which were missing in their owner's list are there again.

    `repeat` feeds those that had vanished: a receiver that joined meanwhile lacks them.
    """
    if not objects:
        return
    policy = objects[0].request.policy
    texts = _texts(policy, [known[each.key].seq for each in objects])
    items = [
        repeated_item(n, each.draft) | {"body": texts[known[each.key].seq]}
        for n, each in enumerate(objects)
    ]
    _behind_locks(objects, write_statements.statements(policy, is_fed=True).repeat, items)
