"""The SQL of the store, built once for each module from its table and columns.

Every write takes the object's advisory lock before it takes a transaction number, so that the
feed's order (transaction, seq) is each object's own order (`hub.feed`).
"""

# ruff: noqa: SLF001 - _meta is the documented way to a table's name

from dataclasses import dataclass

from django.db import models

from hub.models import Change
from hub.policy import Policy

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%(lock)s, 0))"

_TYPES = {
    "BooleanField": "boolean",
    "IntegerField": "integer",
    "BigIntegerField": "bigint",
    "DateTimeField": "timestamptz",
}


@dataclass(frozen=True, slots=True)
class Statements:
    """The statements of one module: PUT of an object, any other change, read before a change."""

    put: str
    change: str
    read: str


def build(policy: Policy) -> Statements:
    """Build the statements of a module."""
    return Statements(put=_put(policy), change=_change(policy), read=_read(policy))


def _put(policy: Policy) -> str:
    table = policy.model._meta.db_table
    names = list(policy.columns)
    columns = "".join(f", {name}" for name in names)
    values = "".join(f", {_cast(policy.model, name, f'column_{name}')}" for name in names)
    updates = "".join(f", {name} = EXCLUDED.{name}" for name in names)
    return f"""
WITH guard AS MATERIALIZED ({LOCK}), object AS (
  INSERT INTO {table} AS o (owner, object_id, object_key, audience, version, text,
    last_updated, last_updated_text, revision, generation{columns})
  SELECT %(owner)s::text, %(object_id)s::text, %(key)s::text, %(audience)s::text, %(version)s::text,
    %(text)s::text, %(last_updated)s::timestamptz, %(last_updated_text)s::text, 1, 1{values}
  FROM guard
  ON CONFLICT (owner, object_key, audience) DO UPDATE SET object_id = EXCLUDED.object_id,
    version = EXCLUDED.version, text = EXCLUDED.text, last_updated = EXCLUDED.last_updated,
    last_updated_text = EXCLUDED.last_updated_text, revision = o.revision + 1,
    generation = o.generation + 1, changed_at = now(){updates}
  RETURNING seq, revision, generation, xmax = 0 AS created
){_parts(policy, replaces=True)}{_feed()}
SELECT created, revision FROM object"""


def _change(policy: Policy) -> str:
    table = policy.model._meta.db_table
    updates = "".join(
        f", {name} = COALESCE({_cast(policy.model, name, f'column_{name}')}, o.{name})"
        for name in policy.columns
    )
    return f"""
WITH guard AS MATERIALIZED ({LOCK}), object AS (
  UPDATE {table} AS o SET text = COALESCE(%(text)s::text, o.text),
    last_updated = %(last_updated)s::timestamptz, last_updated_text = %(last_updated_text)s::text,
    revision = o.revision + 1, changed_at = now(){updates}
  FROM guard WHERE o.seq = %(seq)s::bigint AND o.revision = %(expected)s::bigint
  RETURNING o.seq, o.revision, o.generation
){_parts(policy, replaces=False)}{_feed()}
SELECT revision FROM object"""


def _parts(policy: Policy, *, replaces: bool) -> str:
    """Store the parts; a PUT of the object gives them their order, what comes later follows it.

    A later part's position begins with the revision that brought it: behind all that were there.
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


def _feed() -> str:
    table = Change._meta.db_table
    return f""", fed AS (
  INSERT INTO {table} (transaction, module, owner, object_key, part_key, audience, revision, method,
    path, body, correlation_id)
  SELECT pg_current_xact_id()::text::bigint, %(module)s::text, %(owner)s::text, %(key)s::text,
    %(changed_part)s::text, %(audience)s::text, object.revision, %(method)s::text, %(path)s::text,
    %(body)s::text, %(correlation_id)s::text
  FROM object
)"""


def _read(policy: Policy) -> str:
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


def _cast(model: type[models.Model], column: str, parameter: str) -> str:
    """Name a parameter with its type, which PostgreSQL cannot guess inside a SELECT."""
    return f"%({parameter})s::{_type(model, column)}"


def _type(model: type[models.Model], column: str) -> str:
    kind = model._meta.get_field(column).get_internal_type()
    return _TYPES.get(kind, "text")
