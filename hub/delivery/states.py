"""The present state of what is to be sent, read for a whole batch at once."""

# ruff: noqa: SLF001 - _meta is the documented way to a table's name

from collections.abc import Iterable
from functools import cache

from hub.delivery.lanes import Lane, LaneKey
from hub.policy import Policy
from hub.store.reading import document
from parties import database


def revisions(policy: Policy, lanes: Iterable[Lane]) -> dict[LaneKey, int]:
    """Return the revision of each lane's object or part; what is gone is missing."""
    keys = [lane.key for lane in lanes]
    found = database.rows(_revisions_sql(policy), _columns(keys))
    return {(owner, key, part): revision for owner, key, part, revision in found}


def texts(policy: Policy, keys: Iterable[LaneKey]) -> dict[LaneKey, str]:
    """Return the whole text of objects and parts; what is gone is missing."""
    found = database.rows(_texts_sql(policy), _columns(list(keys)))
    return {(owner, key, part): text for owner, key, part, text in found if text is not None}


def objects(policy: Policy, owner: str, after: int, limit: int) -> list[tuple[int, str, str]]:
    """Return (seq, id, text) of an owner's objects for everybody, in the order of creation."""
    found = database.rows(_objects_sql(policy), {"owner": owner, "after": after, "limit": limit})
    return [(seq, object_id, text) for seq, object_id, text in found]


def count(policy: Policy, owner: str, after: int) -> int:
    """Return how many of an owner's objects follow."""
    table = policy.model._meta.db_table
    sql = f"""SELECT count(*) FROM {table}
  WHERE owner = %(owner)s::text AND audience = '' AND seq > %(after)s::bigint"""
    found = database.row(sql, {"owner": owner, "after": after})
    return int(found[0]) if found else 0


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
    table = policy.model._meta.db_table
    return f"""SELECT o.seq, o.object_id, {document(policy)} FROM {table} o
  WHERE o.owner = %(owner)s::text AND o.audience = '' AND o.seq > %(after)s::bigint
  ORDER BY o.seq LIMIT %(limit)s::bigint"""
