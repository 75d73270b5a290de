"""The present state of what is to be sent, read for a whole batch at once."""

# ruff: noqa: SLF001 - _meta is the documented way to a table's name

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from database import sql
from hub.delivery.push import PartKey
from hub.feed import Position, Selection
from hub.module_policy import Policy
from hub.store.reads import MOST_BYTES, Viewer
from hub.store.sql.reads import bounded, document, visible


@dataclass(frozen=True, slots=True)
class StoredText:
    """An object as it is sent, and its place in the order of creation."""

    seq: int
    object_id: str
    object_key: str
    version: str
    revision: int
    text: str


@dataclass(frozen=True, slots=True)
class Piece:
    """Some objects of an owner, and whether none follows."""

    objects: tuple[StoredText, ...]
    is_last: bool


def revisions(policy: Policy, keys: Iterable[PartKey]) -> dict[PartKey, int]:
    """Return the revision of each object or part; what is gone is missing."""
    found = sql.rows(_revisions_sql(policy), _columns(list(keys)))
    return {(owner, key, part): revision for owner, key, part, revision in found}


def texts(policy: Policy, keys: Iterable[PartKey], *, party: str) -> dict[PartKey, tuple[str, int]]:
    """Return text and revision of whole objects and parts as a party sees them, if still there."""
    found = sql.rows(_texts_sql(policy), {**_columns(list(keys)), "party": party})
    return {
        (owner, key, part): (text, revision)
        for owner, key, part, text, revision in found
        if text is not None
    }


def with_changes(
    policy: Policy, keys: Iterable[PartKey], selection: Selection, after: Position
) -> dict[PartKey, tuple[str, int, frozenset[Position]]]:
    """Return whole texts for one audience, each with its revision and its changes' positions.

    One look at the database: whatever change of an object it sees is in the text it sees.
    """
    found = sql.rows(
        _with_changes_sql(policy),
        {
            **_columns(list(keys)),
            "module": selection.module,
            "audience": selection.audience,
            "transaction": after.transaction,
            "seq": after.seq,
        },
    )
    return {
        (owner, key, ""): (text, revision, frozenset(map(Position, transactions, seqs)))
        for owner, key, text, revision, transactions, seqs in found
    }


def objects(policy: Policy, viewer: Viewer, *, after: int, limit: int) -> Piece:
    """Return what a party sees of some owners, in the order of creation; bounded in size too."""
    found = sql.rows(
        _objects_sql(policy),
        {
            "owners": list(viewer.owners),
            "party": str(viewer.party),
            "after": after,
            "limit": limit,
            "bytes": MOST_BYTES,
        },
    )
    in_all = found[0][0] if found else 0
    return Piece(tuple(StoredText(*row[1:]) for row in found), is_last=in_all == len(found) < limit)


def _columns(keys: list[PartKey]) -> dict[str, object]:
    return {
        "owners": [owner for owner, _, _ in keys],
        "keys": [key for _, key, _ in keys],
        "parts": [part for _, _, part in keys],
    }


_WANTED = "unnest(%(owners)s::text[], %(keys)s::text[], %(parts)s::text[]) AS w(owner, key, part)"


@cache
def _revisions_sql(policy: Policy) -> str:
    return _for_each(policy, "o.audience = ''", of_object="o.revision", of_part="p.revision")


@cache
def _texts_sql(policy: Policy) -> str:
    # '' sorts before every party: where the owner gave this party a Tariff of its own, that one is
    # the greatest audience, and goes out instead of everybody's.
    own_before_all = f"""o.audience = (SELECT max(a.audience) FROM {policy.model._meta.db_table} a
    WHERE a.owner = w.owner AND a.object_key = w.key AND a.audience IN ('', %(party)s::text))"""
    return _for_each(
        policy,
        own_before_all,
        of_object=f"{document(policy)}, o.revision",
        of_part="p.text, p.revision",
    )


def _for_each(policy: Policy, wanted: str, *, of_object: str, of_part: str) -> str:
    table = policy.model._meta.db_table
    objects = f"""SELECT w.owner, w.key, w.part, {of_object} FROM {_WANTED}
  JOIN {table} o ON o.owner = w.owner AND o.object_key = w.key AND {wanted}
  WHERE w.part = ''"""
    if policy.part_model is None:
        return objects
    return f"""{objects}
UNION ALL SELECT w.owner, w.key, w.part, {of_part} FROM {_WANTED}
  JOIN {table} o ON o.owner = w.owner AND o.object_key = w.key AND {wanted}
  JOIN {policy.part_model._meta.db_table} p
    ON p.object_id = o.seq AND p.generation = o.generation AND p.key = w.part
  WHERE w.part <> ''"""


@cache
def _with_changes_sql(policy: Policy) -> str:
    return f"""
SELECT w.owner, w.key, {document(policy)}, o.revision, c.transactions, c.seqs FROM {_WANTED}
JOIN {policy.model._meta.db_table} o
  ON o.owner = w.owner AND o.object_key = w.key AND o.audience = %(audience)s::text
CROSS JOIN LATERAL (
  SELECT COALESCE(array_agg(c.transaction), '{{}}') AS transactions,
    COALESCE(array_agg(c.seq), '{{}}') AS seqs
  FROM hub_change c WHERE c.module = %(module)s::text
    AND c.audience = %(audience)s::text AND c.audience <> ''
    AND (c.transaction, c.seq) > (%(transaction)s::bigint, %(seq)s::bigint)
    AND c.owner = w.owner AND c.object_key = w.key) AS c
WHERE w.part = ''"""


@cache
def _objects_sql(policy: Policy) -> str:
    return bounded(
        policy,
        columns="o.object_id, o.object_key, o.version, o.revision",
        where=f"{visible(policy)} AND o.seq > %(after)s::bigint",
        slice_="LIMIT %(limit)s::bigint",
    )
