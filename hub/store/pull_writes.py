"""Writes of what was read from its owner's list: stored like a push, unless the hub knows better.

Spec: 2.2.1 transport and format, pull; TF-104, TF-107. Some objects share a transaction. All their
locks are taken before it gets its number, so the feed's order stays each object's own order.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from django.db import DataError, IntegrityError, transaction

from database import sql
from hub.module_policy import ModulePolicy
from hub.store import anonymity, writes
from hub.store.merge import PlannedWrite
from hub.store.sql import pull_writes as statements
from hub.store.sql import writes as write_statements
from hub.store.sql.pull_writes import KnownObject
from hub.store.write_request import WriteRequest
from ocpi.modules import ObjectType

log = logging.getLogger(__name__)

_TOGETHER = 100


class Fate(StrEnum):
    """What became of an object of a list."""

    STORED = "stored"
    UNCHANGED = "unchanged"
    OLDER = "older"
    """What the hub has is newer than what the list still has."""
    CONTRADICTS = "contradicts"
    """It never changes, and is not what the hub has."""
    UNUSABLE = "unusable"
    """The database does not take it."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """An object of a list, right in itself, as the store takes it.

    What was stored since the list was `asked_at` is newer than what is as old.
    """

    request: WriteRequest
    write: PlannedWrite
    asked_at: datetime

    @property
    def key(self) -> tuple[str, str, str]:
        """Owner, key and audience."""
        return self.request.holder, self.request.key, self.request.audience

    @property
    def newest(self) -> datetime:
        """When it, or a part of it, was last updated."""
        return max([self.write.last_updated, *(part.last_updated for part in self.write.parts)])


_AllKnown = Mapping[tuple[str, str, str], KnownObject]
"""By owner, key and audience."""


def store(objects: Sequence[Pulled]) -> list[Fate]:
    """Store objects of one module; each that is new or newer is fed to its receivers."""
    fates: list[Fate] = []
    for start in range(0, len(objects), _TOGETHER):
        fates += _store(objects[start : start + _TOGETHER])
    return fates


def _store(objects: Sequence[Pulled]) -> list[Fate]:
    known = _known(objects)
    judged = {place: _judge(each, known) for place, each in enumerate(objects)}
    _compare(objects, judged, known)
    new = [place for place, fate in judged.items() if fate is Fate.STORED]
    written = _write([objects[place] for place in new])
    judged |= dict(zip(new, written, strict=True))
    _found_again(
        [
            each
            for each, fate in zip(objects, judged.values(), strict=True)
            if fate is not Fate.STORED and each.key in known and known[each.key].missed
        ],
        known,
    )
    return [fate for fate in judged.values() if fate is not None]


def _judge(one: Pulled, known: _AllKnown) -> Fate | None:
    """Decide by age and digest; None when the contents have to be compared."""
    if one.request.type.posted:
        return None if any(key[:2] == one.key[:2] for key in known) else Fate.STORED
    old = known.get(one.key)
    if old is None:
        return Fate.STORED
    if old.digest == writes.digest(one.request.body):
        return Fate.UNCHANGED
    if one.newest == old.newest:
        return None
    return Fate.STORED if one.newest > old.newest else Fate.OLDER


def _compare(
    objects: Sequence[Pulled],
    judged: dict[int, Fate | None],
    known: _AllKnown,
) -> None:
    """Decide by content what is as old as what the hub has."""
    open_ones = [place for place, fate in judged.items() if fate is None]
    if not open_ones:
        return
    texts = _texts(objects[0].request.policy, [old.seq for old in known.values()])
    for place in open_ones:
        judged[place] = _compared(objects[place], known, texts)


def _compared(one: Pulled, known: _AllKnown, texts: Mapping[int, str]) -> Fate:
    kind = one.request.type
    new = one.request.body
    if not kind.posted:
        old = known[one.key]
        if _is_same(kind, texts[old.seq], new):
            return Fate.UNCHANGED
        return Fate.STORED if old.changed_at < one.asked_at else Fate.OLDER
    others = [old for key, old in known.items() if key[:2] == one.key[:2]]
    if not all(_is_same(kind, texts[old.seq], new) for old in others):
        return Fate.CONTRADICTS
    return Fate.UNCHANGED if one.key in known else Fate.STORED


def _is_same(kind: ObjectType, stored: str, new: bytes) -> bool:
    """Whether two texts say the same; what was made anonymous stays so."""
    if kind.part is None:
        return anonymity.is_same(stored, new)
    return _content(kind, stored) == _content(kind, new)


def _content(kind: ObjectType, text: bytes | str) -> object:
    """Return what two equal objects have in common; parts stand in no order."""
    value = msgspec.json.decode(text)
    part = kind.part
    if part is not None and isinstance(value.get(part.member), list):
        name = part.object.id_field
        value[part.member] = sorted(value[part.member], key=lambda each: str(each[name]))
    return value


def _write(objects: Sequence[Pulled]) -> Iterator[Fate]:
    """Write all in one transaction; if the database refuses one, each in its own."""
    if not objects:
        return iter(())
    try:
        return iter(_written(objects))
    except (DataError, IntegrityError) as error:
        if len(objects) == 1:
            log.warning("an object of a list cannot be stored: %s", type(error).__name__)
            return iter([Fate.UNUSABLE])
    return (fate for each in objects for fate in _write([each]))


def _written(objects: Sequence[Pulled]) -> list[Fate]:
    first = objects[0].request
    own = write_statements.statements(first.policy, is_fed=True)
    rows = [
        {**_parameters(each), "newest": each.newest, "asked_at": each.asked_at} for each in objects
    ]
    found = _each(own.post if first.type.posted else own.pull, rows)
    nothing = Fate.UNCHANGED if first.type.posted else Fate.OLDER
    return [nothing if row is None else Fate.STORED for row in found]


def _parameters(one: Pulled) -> dict[str, Any]:
    return writes.parameters(one.request, one.write)


def _each(statement: str, rows: Sequence[Mapping[str, Any]]) -> list[sql.Row | None]:
    """Run a statement for each object, when all of them are locked."""
    with transaction.atomic():
        sql.rows(statements.LOCK_ALL, {"locks": sorted(str(row["lock"]) for row in rows)})
        return sql.row_for_each(statement, rows)


def _known(objects: Sequence[Pulled]) -> _AllKnown:
    owners, keys, _ = zip(*(each.key for each in objects), strict=True)
    query = {"owners": list(owners), "keys": list(keys)}
    found = sql.rows(statements.known(objects[0].request.policy), query)
    return {(row.owner, row.object_key, row.audience): row for row in found}


def _texts(policy: ModulePolicy, seqs: list[int]) -> dict[int, str]:
    return {row.seq: row.text for row in sql.rows(statements.texts(policy), {"seqs": seqs})}


def _found_again(objects: Sequence[Pulled], known: _AllKnown) -> None:
    """Take back that objects were missing; who came while they had vanished gets them now."""
    if not objects:
        return
    policy = objects[0].request.policy
    texts = _texts(policy, [known[each.key].seq for each in objects])
    rows = [_parameters(each) | {"body": texts[known[each.key].seq]} for each in objects]
    _each(write_statements.statements(policy, is_fed=True).repeat, rows)
