"""The present state of what is to be sent, read for a whole batch at once."""

# ruff: noqa: SLF001 - _meta is the documented way to a table's name

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from hub.delivery.lanes import Lane, LaneKey
from hub.policy import Policy
from hub.store.reading import MOST_BYTES, bounded, document
from parties import database


@dataclass(frozen=True, slots=True)
class StoredText:
    """An object as it is sent, and its place in the order of creation."""

    seq: int
    object_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Piece:
    """Some objects of an owner, and whether none follows."""

    objects: tuple[StoredText, ...]
    is_last: bool


def revisions(policy: Policy, lanes: Iterable[Lane]) -> dict[LaneKey, int]:
    """Return the revision of each lane's object or part; what is gone is missing."""
    keys = [lane.key for lane in lanes]
    found = database.rows(_revisions_sql(policy), _columns(keys))
    return {(owner, key, part): revision for owner, key, part, revision in found}


def texts(policy: Policy, keys: Iterable[LaneKey]) -> dict[LaneKey, str]:
    """Return the whole text of objects and parts; what is gone is missing."""
    found = database.rows(_texts_sql(policy), _columns(list(keys)))
    return {(owner, key, part): text for owner, key, part, text in found if text is not None}


def objects(policy: Policy, owner: str, *, after: int, limit: int) -> Piece:
    """Return an owner's objects for everybody, in the order of creation; bounded in size too."""
    found = database.rows(
        _objects_sql(policy),
        {"owner": owner, "after": after, "limit": limit, "bytes": MOST_BYTES},
    )
    in_all = found[0][0] if found else 0
    return Piece(tuple(StoredText(*row[1:]) for row in found), is_last=in_all == len(found) < limit)


def _columns(keys: list[LaneKey]) -> dict[str, object]:
    return {
        "owners": [owner for owner, _, _ in keys],
        "keys": [key for _, key, _ in keys],
        "parts": [part for _, _, part in keys],
    }


_WANTED = "unnest(%(owners)s::text[], %(keys)s::text[], %(parts)s::text[]) AS w(owner, key, part)"


@cache
def _revisions_sql(policy: Policy) -> str:
    return _for_each(policy, of_object="o.revision", of_part="p.revision")


@cache
def _texts_sql(policy: Policy) -> str:
    return _for_each(policy, of_object=document(policy), of_part="p.text")


def _for_each(policy: Policy, *, of_object: str, of_part: str) -> str:
    table = policy.model._meta.db_table
    objects = f"""SELECT w.owner, w.key, w.part, {of_object} FROM {_WANTED}
  JOIN {table} o ON o.owner = w.owner AND o.object_key = w.key AND o.audience = ''
  WHERE w.part = ''"""
    if policy.part_model is None:
        return objects
    return f"""{objects}
UNION ALL SELECT w.owner, w.key, w.part, {of_part} FROM {_WANTED}
  JOIN {table} o ON o.owner = w.owner AND o.object_key = w.key AND o.audience = ''
  JOIN {policy.part_model._meta.db_table} p
    ON p.object_id = o.seq AND p.generation = o.generation AND p.key = w.part
  WHERE w.part <> ''"""


@cache
def _objects_sql(policy: Policy) -> str:
    return bounded(
        policy,
        columns="o.object_id",
        where="o.owner = %(owner)s::text AND o.audience = '' AND o.seq > %(after)s::bigint",
        slice_="LIMIT %(limit)s::bigint",
    )
