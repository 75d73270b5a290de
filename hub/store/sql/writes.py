"""The SQL of writes, built once for each module from its table and columns.

Every write takes the object's advisory lock before it takes a transaction number, so that the
feed's order (transaction, seq) is each object's own order (`hub.feed`).
"""

# ruff: noqa: SLF001 - _meta is the documented way to a table's name

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import NamedTuple

from django.db import models

from database.sql import Query
from hub.models import Change, DeadLetter, Subscription, Unfed
from hub.module_policy import ModulePolicy
from parties.models import Party

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%(lock)s, 0))"
THIS = """owner = %(owner)s::text AND object_key = %(key)s::text
    AND audience = %(audience)s::text"""
"""The object of one owner under one key for one audience."""

_TYPES = {
    "BooleanField": "boolean",
    "IntegerField": "integer",
    "BigIntegerField": "bigint",
    "DateTimeField": "timestamptz",
    "FloatField": "double precision",
}


class StoredRow(NamedTuple):
    """A stored object, with one of the parts that were asked for; without any, one row alone."""

    seq: int
    revision: int
    text: str
    last_updated: datetime
    last_updated_text: str
    part_key: str | None
    part_text: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Statements:
    """The statements of one module.

    put     stores a whole object; returns nothing when the last PUT was the same
    pull    the same, unless what is stored, or a part of it, is newer than `newest`, or equally
            old and stored since `asked_at` (TF-107)
    post    stores a new object
    change  any other change of an object that was `read` before; parts may change alone
    delete  forgets the object
    repeat  counts a write that changed nothing; feeds it again where its only receiver had been
            given up, or where the object had vanished from its owner's lists
    read    the object, with the parts a write is about
    fork    gives an audience its own copy of what is for everybody

    What is fed to everybody ends the own copies of single parties that are no newer. `columns`
    name what objects are searched by.
    """

    put: str
    pull: str
    post: str
    change: str
    delete: str
    repeat: str
    read: Query[StoredRow]
    fork: str
    columns: tuple[str, ...]


@cache
def statements(policy: ModulePolicy, *, is_fed: bool) -> Statements:
    """Build the statements of a module, of writes that are fed to receivers or not."""
    table = policy.model._meta.db_table
    for_all = is_fed and not policy.personal
    end_copies = _end_own_copies(policy) if for_all else ""
    unfed = "" if policy.part_model is None else _UNFED
    feed = end_copies + (_FEED if is_fed else unfed)
    change_feed = end_copies + _FEED_WHOLE if for_all else feed
    return Statements(
        put=_put(policy, _REPLACE) + feed + "\nSELECT created FROM object",
        pull=_put(policy, _REPLACE + _IS_NEWER.format(newest=newest(policy)))
        + feed
        + "\nSELECT created FROM object",
        post=_put(policy, "NOTHING") + feed + "\nSELECT created FROM object",
        change=_change(policy) + change_feed + "\nSELECT revision FROM object",
        # A DELETE ends every own copy, however new it is.
        delete=f"""
WITH guard AS MATERIALIZED ({LOCK}), object AS (
  DELETE FROM {table} USING guard WHERE {THIS} RETURNING seq, revision + 1 AS revision
){feed.replace(_IS_NO_NEWER, "")}
SELECT revision FROM object""",
        repeat=_repeat(policy),
        read=Query(_read(policy), StoredRow),
        fork=_fork(policy),
        columns=tuple(searched(policy)),
    )


_REPLACE = """UPDATE SET object_id = EXCLUDED.object_id, version = EXCLUDED.version,
    text = EXCLUDED.text, digest = EXCLUDED.digest, last_updated = EXCLUDED.last_updated,
    last_updated_text = EXCLUDED.last_updated_text, revision = o.revision + 1,
    generation = o.generation + 1, changed_at = now(), missed = 0,
    stale = o.stale + (EXCLUDED.last_updated < o.last_updated)::int{columns}
  WHERE o.digest IS DISTINCT FROM EXCLUDED.digest"""

_IS_NEWER = """
    AND ({newest}, o.changed_at) < (%(newest)s::timestamptz, %(asked_at)s::timestamptz)"""

_FEED = f""", fed AS (
  INSERT INTO {Change._meta.db_table} (transaction, module, owner, object_key, part_key, audience,
    revision, method, path, body, correlation_id)
  SELECT pg_current_xact_id()::text::bigint, %(module)s::text, %(owner)s::text, %(key)s::text,
    %(changed_part)s::text, %(audience)s::text, object.revision, %(method)s::text, %(path)s::text,
    %(body)s::text, %(correlation_id)s::text
  FROM object
)"""

# Figures follow the feed; what is not in it has its mark for them.
_UNFED = f""", unfed AS (
  INSERT INTO {Unfed._meta.db_table} (location_id) SELECT seq FROM object
)"""

# A party whose own copy has just ended lacks what a PATCH builds on, so everybody gets the whole
# object instead: a change fed with a revision that is not the present one goes out as the present
# state (0005).
_FEED_WHOLE = (
    _FEED.replace(
        "%(changed_part)s::text", "CASE WHEN ended.some THEN '' ELSE %(changed_part)s::text END"
    )
    .replace(
        "object.revision, %(method)s::text", "object.revision - ended.some::int, %(method)s::text"
    )
    .replace("FROM object\n", "FROM object, (SELECT EXISTS (SELECT FROM outlived) AS some) ended\n")
)

_IS_NO_NEWER = "AND v.last_updated <= %(last_updated)s::timestamptz"


def _end_own_copies(policy: ModulePolicy) -> str:
    """Return the SQL that deletes own copies no newer than what is fed to everybody."""
    table = policy.model._meta.db_table
    ended = f""", outlived AS (
  DELETE FROM {table} v USING object
  WHERE v.owner = %(owner)s::text AND v.object_key = %(key)s::text AND v.audience <> ''
    {_IS_NO_NEWER} RETURNING v.seq
)"""
    if policy.part_model is None:
        return ended
    return f"""{ended}, outlived_part AS (
  DELETE FROM {policy.part_model._meta.db_table} p USING outlived
  WHERE p.object_id = outlived.seq
)"""


def newest(policy: ModulePolicy) -> str:
    """Return the SQL of when object `o`, or a part of it, was last updated."""
    if policy.part_model is None:
        return "o.last_updated"
    parts = policy.part_model._meta.db_table
    return f"""GREATEST(o.last_updated, (SELECT max(p.last_updated) FROM {parts} p
    WHERE p.object_id = o.seq AND p.generation = o.generation))"""


def searched(policy: ModulePolicy) -> list[str]:
    """Return a module's columns besides those that all stored objects have."""
    return [*policy.columns, *(("recipient",) if policy.personal else ())]


def _put(policy: ModulePolicy, conflict: str) -> str:
    table = policy.model._meta.db_table
    names = searched(policy)
    columns = "".join(f", {name}" for name in names)
    values = "".join(f", {_cast(policy.model, name, f'column_{name}')}" for name in names)
    updates = "".join(f", {name} = EXCLUDED.{name}" for name in names)
    return f"""
WITH guard AS MATERIALIZED ({LOCK}), object AS (
  INSERT INTO {table} AS o (owner, object_id, object_key, audience, version, text, digest,
    last_updated, last_updated_text, revision, generation{columns})
  SELECT %(owner)s::text, %(object_id)s::text, %(key)s::text, %(audience)s::text, %(version)s::text,
    %(text)s::text, %(digest)s::bytea, %(last_updated)s::timestamptz, %(last_updated_text)s::text,
    1, 1{values}
  FROM guard
  ON CONFLICT (owner, object_key, audience) DO {conflict.format(columns=updates)}
  RETURNING seq, revision, generation, xmax = 0 AS created
){_parts(policy, replaces=True)}"""


def _change(policy: ModulePolicy) -> str:
    table = policy.model._meta.db_table
    updates = "".join(
        f", {name} = CASE WHEN %(has_columns)s::boolean"
        f" THEN {_cast(policy.model, name, f'column_{name}')} ELSE o.{name} END"
        for name in policy.columns
    )
    return f"""
WITH guard AS MATERIALIZED ({LOCK}), object AS (
  UPDATE {table} AS o SET text = COALESCE(%(text)s::text, o.text), digest = NULL,
    last_updated = %(last_updated)s::timestamptz, last_updated_text = %(last_updated_text)s::text,
    revision = o.revision + 1, changed_at = now(), missed = 0,
    stale = o.stale + %(stale)s::int{updates}
  FROM guard WHERE o.seq = %(seq)s::bigint AND o.revision = %(expected)s::bigint
  RETURNING o.seq, o.revision, o.generation
){_parts(policy, replaces=False)}"""


def _parts(policy: ModulePolicy, *, replaces: bool) -> str:
    """Return the SQL that stores the parts, with their order.

    A PUT of the object numbers them from 0. A later part gets its revision shifted by 20 bits, more
    than an object has parts, and so comes after all that were there.
    """
    if policy.part_model is None:
        return ""
    table = policy.part_model._meta.db_table
    names = list(policy.part_columns)
    columns = "".join(f", {name}" for name in names)
    typed = "".join(f", {name} {_type(policy.part_model, name)}" for name in names)
    updates = "".join(f", {name} = EXCLUDED.{name}" for name in names)
    position = "p.position" if replaces else "(object.revision << 20) + p.position"
    return f""", part AS (
  INSERT INTO {table} AS old (object_id, revision, generation, position,
    uid, key, text, last_updated{columns})
  SELECT object.seq, object.revision, object.generation, {position},
    p.uid, p.key, p.text, p.last_updated{columns}
  FROM object, json_to_recordset(%(parts)s::json)
    AS p(uid text, key text, position bigint, text text, last_updated timestamptz{typed})
  ON CONFLICT (object_id, key) DO UPDATE SET uid = EXCLUDED.uid, text = EXCLUDED.text,
    last_updated = EXCLUDED.last_updated, revision = EXCLUDED.revision,
    generation = EXCLUDED.generation, position = CASE WHEN old.generation = EXCLUDED.generation
      THEN old.position ELSE EXCLUDED.position END{updates}
)"""


def _repeat(policy: ModulePolicy) -> str:
    table = policy.model._meta.db_table
    # Without its last ")", so that a condition can follow its FROM.
    fed = _FEED.rstrip().removesuffix(")")
    return f"""
WITH guard AS MATERIALIZED ({LOCK}), object AS (
  UPDATE {table} o SET repeated = repeated + 1, missed = 0 FROM guard
  WHERE {THIS} RETURNING revision, (SELECT missed >= 2 FROM {table} WHERE seq = o.seq) AS is_back
), given_up AS (
  DELETE FROM {DeadLetter._meta.db_table} d
  USING {Subscription._meta.db_table} b, {Party._meta.db_table} p
  WHERE b.id = d.subscription_id AND b.module = %(module)s::text AND p.id = b.receiver_id
    AND p.holder = %(audience)s::text AND d.owner = %(owner)s::text AND d.path = %(path)s::text
    AND (d.method <> 'POST' OR d.body = %(body)s::text) RETURNING d.id
){fed}  WHERE is_back OR EXISTS (SELECT FROM given_up)
)
SELECT count(*) FROM given_up"""


def _read(policy: ModulePolicy) -> str:
    table = policy.model._meta.db_table
    part = "NULL, NULL, NULL"
    join = ""
    if policy.part_model is not None:
        part = "p.key, p.text, p.generation = o.generation"
        join = f"""LEFT JOIN {policy.part_model._meta.db_table} p
  ON p.object_id = o.seq AND p.key = ANY(%(parts)s::text[])"""
    return f"""
SELECT o.seq, o.revision, o.text, o.last_updated, o.last_updated_text, {part}
FROM {table} o {join}
WHERE o.owner = %(owner)s::text AND o.object_key = %(key)s::text
  AND o.audience = %(audience)s::text"""


def _fork(policy: ModulePolicy) -> str:
    """Return the SQL that copies an object and its present parts, unless there is an own copy."""
    table = policy.model._meta.db_table
    names = _copied(policy.model, "seq", "audience", "digest", "missed", "reference")
    copied = f"""
WITH guard AS MATERIALIZED ({LOCK}), object AS (
  INSERT INTO {table} (audience, {names}) SELECT %(audience)s::text, {names} FROM guard, {table}
  WHERE owner = %(owner)s::text AND object_key = %(key)s::text AND audience = ''
  ON CONFLICT DO NOTHING RETURNING seq, owner, object_key)"""
    if policy.part_model is None:
        return f"{copied}\nSELECT seq FROM object"
    parts = policy.part_model._meta.db_table
    own = _copied(policy.part_model, "id", "object_id")
    return f"""{copied}, part AS (
  INSERT INTO {parts} (object_id, {own})
  SELECT object.seq, {", ".join(f"p.{name}" for name in own.split(", "))} FROM object
  JOIN {table} o ON o.owner = object.owner AND o.object_key = object.object_key AND o.audience = ''
  JOIN {parts} p ON p.object_id = o.seq AND p.generation = o.generation)
SELECT seq FROM object"""


def _copied(model: type[models.Model], *without: str) -> str:
    columns = (field.column for field in model._meta.concrete_fields if not field.generated)
    return ", ".join(f"{name}" for name in columns if name not in without)


def _cast(model: type[models.Model], column: str, parameter: str) -> str:
    """Return a parameter with its type, which PostgreSQL cannot infer inside a SELECT."""
    return f"%({parameter})s::{_type(model, column)}"


def _type(model: type[models.Model], column: str) -> str:
    kind = model._meta.get_field(column).get_internal_type()
    return _TYPES.get(kind, "text")
