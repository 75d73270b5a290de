"""Statements that read the present state of a module's objects, built once for each module."""

# ruff: noqa: SLF001 - _meta is the documented way to a table's name

from functools import cache
from typing import NamedTuple

from database.sql import Query
from hub.delivery.sql.tables import CHANGE
from hub.module_policy import ModulePolicy
from hub.store.sql.reads import ODD, bounded, document, visible


class RevisionRow(NamedTuple):
    """The revision of an object or part, and whether anything of the object breaks the tables."""

    owner: str
    key: str
    part: str
    revision: int
    is_odd: bool


class TextRow(NamedTuple):
    """The text of an object or part."""

    owner: str
    key: str
    part: str
    text: str | None
    revision: int


class ContainedRow(NamedTuple):
    """The text of an object, and the positions of the changes it contains."""

    owner: str
    key: str
    text: str
    revision: int
    transactions: list[int]
    seqs: list[int]


class ObjectRow(NamedTuple):
    """An object of an owner; `chosen` counts those within the limit, left out by size or not."""

    chosen: int
    seq: int
    object_id: str
    object_key: str
    version: str
    revision: int
    text: str


_ASKED_FOR = """unnest(%(owners)s::text[], %(keys)s::text[], %(parts)s::text[])
    AS w(owner, key, part)"""


@cache
def revisions(policy: ModulePolicy) -> Query[RevisionRow]:
    text = _for_each(
        policy, "o.audience = ''", of_object=f"o.revision, {ODD}", of_part=f"p.revision, {ODD}"
    )
    return Query(text, RevisionRow)


@cache
def texts(policy: ModulePolicy, *, strict: bool = False) -> Query[TextRow]:
    # '' sorts before every party: where the owner gave this party a Tariff of its own, that one is
    # the greatest audience, and goes out instead of everybody's.
    own_before_all = f"""o.audience = (SELECT max(a.audience) FROM {policy.model._meta.db_table} a
    WHERE a.owner = w.owner AND a.object_key = w.key AND a.audience IN ('', %(party)s::text))"""
    if strict:
        own_before_all += f" AND NOT {ODD}"
    text = _for_each(
        policy,
        own_before_all,
        of_object=f"{document(policy)}, o.revision",
        of_part="p.text, p.revision",
    )
    return Query(text, TextRow)


def _for_each(policy: ModulePolicy, of_audience: str, *, of_object: str, of_part: str) -> str:
    table = policy.model._meta.db_table
    objects = f"""SELECT w.owner, w.key, w.part, {of_object} FROM {_ASKED_FOR}
  JOIN {table} o ON o.owner = w.owner AND o.object_key = w.key AND {of_audience}
  WHERE w.part = ''"""
    if policy.part_model is None:
        return objects
    return f"""{objects}
UNION ALL SELECT w.owner, w.key, w.part, {of_part} FROM {_ASKED_FOR}
  JOIN {table} o ON o.owner = w.owner AND o.object_key = w.key AND {of_audience}
  JOIN {policy.part_model._meta.db_table} p
    ON p.object_id = o.seq AND p.generation = o.generation AND p.key = w.part
  WHERE w.part <> ''"""


@cache
def with_changes(policy: ModulePolicy) -> Query[ContainedRow]:
    return Query(
        f"""
SELECT w.owner, w.key, {document(policy)}, o.revision, c.transactions, c.seqs FROM {_ASKED_FOR}
JOIN {policy.model._meta.db_table} o
  ON o.owner = w.owner AND o.object_key = w.key AND o.audience = %(audience)s::text
CROSS JOIN LATERAL (
  SELECT COALESCE(array_agg(c.transaction), '{{}}') AS transactions,
    COALESCE(array_agg(c.seq), '{{}}') AS seqs
  FROM {CHANGE} c WHERE c.module = %(module)s::text
    AND c.audience = %(audience)s::text AND c.audience <> ''
    AND (c.transaction, c.seq) > (%(transaction)s::bigint, %(seq)s::bigint)
    AND c.owner = w.owner AND c.object_key = w.key) AS c
WHERE w.part = ''""",
        ContainedRow,
    )


@cache
def objects(policy: ModulePolicy, *, strict: bool = False) -> Query[ObjectRow]:
    text = bounded(
        policy,
        columns="o.object_id, o.object_key, o.version, o.revision",
        where=f"{visible(policy, strict=strict)} AND o.seq > %(after)s::bigint",
        slice_="LIMIT %(limit)s::bigint",
    )
    return Query(text, ObjectRow)
