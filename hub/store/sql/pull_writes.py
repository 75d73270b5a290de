"""The SQL of pull writes: what the hub has of the objects of an owner's list."""

# ruff: noqa: SLF001 - _meta is the documented way to a table's name; no text has a value

from datetime import datetime
from functools import cache
from typing import NamedTuple

from database.sql import Query
from hub.module_policy import ModulePolicy
from hub.store.sql.reads import document
from hub.store.sql.writes import newest


class KnownObject(NamedTuple):
    """An object that the hub has; `newest` is the latest `last_updated` of it and its parts."""

    owner: str
    object_key: str
    audience: str
    seq: int
    digest: bytes | None
    newest: datetime
    changed_at: datetime
    missed: int


class WholeText(NamedTuple):
    """The whole text of an object."""

    seq: int
    text: str


@cache
def known(policy: ModulePolicy) -> Query[KnownObject]:
    """Return the statement of what the hub has under some keys of some owners."""
    text = f"""
SELECT DISTINCT o.owner, o.object_key, o.audience, o.seq, o.digest, {newest(policy)},
  o.changed_at, o.missed
FROM unnest(%(owners)s::text[], %(keys)s::text[]) AS w(owner, key)
JOIN {policy.model._meta.db_table} o ON o.owner = w.owner AND o.object_key = w.key"""
    return Query(text, KnownObject)


@cache
def texts(policy: ModulePolicy) -> Query[WholeText]:
    """Return the statement of the whole texts of some objects."""
    table = policy.model._meta.db_table
    text = f"SELECT o.seq, {document(policy)} FROM {table} o WHERE o.seq = ANY(%(seqs)s::bigint[])"
    return Query(text, WholeText)
