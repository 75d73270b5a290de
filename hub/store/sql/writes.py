"""The SQL of writes, built once for each module from its table and columns.

Every statement takes a list of items as one JSON parameter; a single write is a list of one. The
items of a list are about distinct objects, and `LOCK` has taken their locks by a statement of the
same transaction before: so a statement sees all that was committed of its objects, and the
transaction gets its number behind the locks, which makes the feed's order (transaction, seq) each
object's own order (`hub.feed`).
"""

# ruff: noqa: SLF001 - _meta is the documented way to a table's name; no text has a value

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import NamedTuple

from django.db import models

from hub.models import Change, DeadLetter, Posting, Subscription, Unfed
from hub.module_policy import ModulePolicy
from parties.models import Party
from parties.sql import EPOCH_NUMBER

LOCK = """SELECT count(pg_advisory_xact_lock(key)) FROM (
  SELECT DISTINCT hashtextextended(name, 0) AS key FROM json_array_elements_text($1::json) AS name
  ORDER BY key) AS sorted"""
"""Takes the locks of all names in one order, the same in all processes."""
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


class WrittenRow(NamedTuple):
    """What became of item `n`: `created` is None when there was nothing to write.

    An item whose epoch is over has no row.
    """

    n: int
    created: bool | None
    reference: str | None


class StoredRow(NamedTuple):
    """A stored object, with one of the parts that were asked for; without any, one row alone.

    `seq` is None when there is no such object. An item whose epoch is over has no row.
    """

    n: int
    seq: int | None
    revision: int
    text: str
    last_updated: datetime
    last_updated_text: str
    findings: int
    part_findings: int
    set_aside: str
    part_key: str | None
    part_text: str
    is_current: bool
    findings_of_part: int


@dataclass(frozen=True, slots=True)
class Statements:
    """The statements of one module.

    put     stores whole objects; nothing is written where the last PUT was the same
    pull    the same, unless what is stored, or a part of it, is newer than `newest`, or equally
            old and stored since `asked_at` (TF-107)
    post    stores new objects; of an owner's id that is known, only for one more audience,
            `beside`, or, if it is fed, none that is being posted to its receiver
    change  any other change of objects that were `read`; parts may change alone
    delete  forgets objects
    repeat  counts writes that changed nothing; feeds them again where their only receiver had been
            given up, or where the object had vanished from its owner's lists
    read    the objects, each with the parts its write is about; of a party without an own copy,
            what is for everybody
    others  how many present parts there are but for some, and their octets
    posted  the audience and text of what was posted under an owner's ids
    fork    gives audiences their own copy of what is for everybody, unless they have one (A-34)
    forget  forgets own copies that are older than what is for everybody

    What is fed to everybody ends the own copies of single parties that are no newer. `columns`
    name what objects are searched by.
    """

    put: str
    pull: str
    post: str
    change: str
    delete: str
    repeat: str
    read: str
    others: str
    posted: str
    fork: str
    forget: str
    columns: tuple[str, ...]


@cache
def statements(policy: ModulePolicy, *, is_fed: bool) -> Statements:
    """Build the statements of a module, of writes that are fed to receivers or not."""
    for_all = is_fed and not policy.personal
    unfed = "" if policy.part_model is None else _UNFED
    feed = _feed() if is_fed else unfed
    end_copies = _end_own_copies(policy, _IS_NO_NEWER) if for_all else ""
    end_all_copies = _end_own_copies(policy) if for_all else ""
    written = end_copies + feed + _WRITTEN
    return Statements(
        put=_put(policy, _REPLACE) + written,
        pull=_put(policy, _REPLACE + _IS_NEWER.format(newest=newest(policy))) + written,
        post=_put(policy, "NOTHING", _is_new(policy, is_fed=is_fed)) + written,
        change=_change(policy)
        + end_copies
        + (_feed(_ENDED_OR_MENDED) if for_all else feed)
        + _WRITTEN,
        # A DELETE ends every own copy, however new it is.
        delete=_delete(policy) + end_all_copies + feed + _WRITTEN,
        repeat=_repeat(policy),
        read=_read(policy),
        others=_others(policy),
        posted=_posted(policy),
        fork=_fork(policy),
        forget=_forget(policy),
        columns=tuple(searched(policy)),
    )


# Without such a condition PostgreSQL would expect a hundred items, and rather read a whole small
# table than look one up.
_IN_ITS_EPOCH = f"WHERE epoch IS NULL OR epoch = ({EPOCH_NUMBER})"

# How `done` names what was written of each item.
_DONE = """, done AS (
  SELECT i.*, o.seq, o.revision, o.generation, o.created, o.reference FROM object o JOIN item i
  ON i.owner = o.owner AND i.key = o.object_key AND i.audience = o.audience
)"""

_WRITTEN = """
SELECT i.n, done.created, done.reference FROM item i LEFT JOIN done ON done.n = i.n"""

# Figures follow the feed; what is not in it has its mark for them.
_UNFED = f""", unfed AS (
  INSERT INTO {Unfed._meta.db_table} (location_id) SELECT seq FROM done
)"""

_REPLACE = """UPDATE SET object_id = EXCLUDED.object_id, version = EXCLUDED.version,
    text = EXCLUDED.text, digest = EXCLUDED.digest, last_updated = EXCLUDED.last_updated,
    last_updated_text = EXCLUDED.last_updated_text, revision = o.revision + 1,
    findings = EXCLUDED.findings, part_findings = EXCLUDED.part_findings,
    set_aside = EXCLUDED.set_aside,
    generation = o.generation + 1, changed_at = now(), missed = 0,
    stale = o.stale + (EXCLUDED.last_updated < o.last_updated)::int{columns}
  WHERE o.digest IS DISTINCT FROM EXCLUDED.digest"""

_IS_NEWER = """
    AND ({newest}, o.changed_at) < (SELECT i.newest, i.asked_at FROM item i
      WHERE i.owner = o.owner AND i.key = o.object_key AND i.audience = o.audience)"""

# A party whose own copy has just ended lacks what a PATCH builds on, so everybody gets the whole
# object instead: a change fed with a revision that is not the present one goes out as the present
# state (0005).
_ENDED = "EXISTS (SELECT FROM outlived WHERE outlived.n = done.n)"
# Nor can whoever takes only what is right do anything with the part of an object that it was not
# sent while something in it was wrong: what becomes right goes out whole, too.
_ENDED_OR_MENDED = f"({_ENDED} OR mended)"

_IS_NO_NEWER = "AND v.last_updated <= done.last_updated"


def _feed(is_whole: str = "false", condition: str = "") -> str:
    """Return the SQL that feeds what is done; what `is_whole` goes out as the present state."""
    return f""", fed AS (
  INSERT INTO {Change._meta.db_table} (transaction, module, owner, object_key, part_key, audience,
    revision, method, path, body, correlation_id)
  SELECT pg_current_xact_id()::text::bigint, module, owner, key,
    CASE WHEN {is_whole} THEN '' ELSE changed_part END, audience,
    revision - ({is_whole})::int, method, path, body, correlation_id
  FROM done {condition} ORDER BY n
)"""


def _end_own_copies(policy: ModulePolicy, condition: str = "") -> str:
    """Return the SQL that deletes own copies, under a condition, of what is fed to everybody."""
    table = policy.model._meta.db_table
    ended = f""", outlived AS (
  DELETE FROM {table} v USING done
  WHERE v.owner = done.owner AND v.object_key = done.key AND v.audience <> '' {condition}
  RETURNING v.seq, done.n
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


def _items(policy: ModulePolicy) -> str:
    """Return the SQL of the items; what a kind of write does not need is NULL in its items."""
    typed = "".join(f", {name} {_type(policy.model, name)}" for name in searched(policy))
    return f"""WITH item AS MATERIALIZED (
  SELECT * FROM json_to_recordset($1::json) AS i(n int, epoch bigint, owner text, key text,
    audience text, module text, method text, path text, body text, correlation_id text,
    changed_part text, object_id text, version text, text text, digest text,
    last_updated timestamptz, last_updated_text text, stale int, has_columns boolean,
    findings int, part_findings int, mended boolean, set_aside text,
    parts json, part_keys text[], beside boolean, claimed boolean, newest timestamptz,
    asked_at timestamptz{typed})
  {_IN_ITS_EPOCH}
)"""


def _put(policy: ModulePolicy, conflict: str, condition: str = "") -> str:
    names = searched(policy)
    columns = "".join(f", {name}" for name in names)
    values = "".join(f", i.{name}" for name in names)
    updates = "".join(f", {name} = EXCLUDED.{name}" for name in names)
    return f"""{_items(policy)}, object AS (
  INSERT INTO {policy.model._meta.db_table} AS o (owner, object_id, object_key, audience, version,
    text, digest, last_updated, last_updated_text, findings, part_findings, set_aside,
    revision, generation{columns})
  SELECT i.owner, i.object_id, i.key, i.audience, i.version, i.text, decode(i.digest, 'base64'),
    i.last_updated, i.last_updated_text, i.findings, i.part_findings, i.set_aside, 1, 1{values}
  FROM item i{condition}
  ON CONFLICT (owner, object_key, audience) DO {conflict.format(columns=updates)}
  RETURNING seq, revision, generation, xmax = 0 AS created, {_reference(policy)} AS reference,
    owner, object_key, audience
){_DONE}{_parts(policy, "p.position")}"""


def _is_new(policy: ModulePolicy, *, is_fed: bool) -> str:
    """Return the condition of a POST; what is being posted to its receiver at present is not fed.

    Of that there is a claim (`hub.gateway.posts_in_flight`), whose own write is not fed.
    """
    known = f"""
  WHERE (i.beside OR NOT EXISTS (SELECT FROM {policy.model._meta.db_table} k
    WHERE k.owner = i.owner AND k.object_key = i.key))"""
    claimed = f"""
    AND (i.claimed OR NOT EXISTS (SELECT FROM {Posting._meta.db_table} c
    WHERE c.owner = i.owner AND c.object_key = i.key AND c.audience = i.audience
      AND c.http_status IS NULL AND c.until > clock_timestamp()))"""
    return known + (claimed if is_fed else "")


def _change(policy: ModulePolicy) -> str:
    updates = "".join(
        f", {name} = CASE WHEN i.has_columns THEN i.{name} ELSE o.{name} END"
        for name in policy.columns
    )
    return f"""{_items(policy)}, object AS (
  UPDATE {policy.model._meta.db_table} AS o SET text = COALESCE(i.text, o.text), digest = NULL,
    last_updated = i.last_updated, last_updated_text = i.last_updated_text,
    findings = i.findings, part_findings = i.part_findings, set_aside = i.set_aside,
    revision = o.revision + 1, changed_at = now(), missed = 0, stale = o.stale + i.stale{updates}
  FROM item i {_OF_ITEM}
  RETURNING o.seq, o.revision, o.generation, false AS created, NULL AS reference,
    o.owner, o.object_key, o.audience
){_DONE}{_parts(policy, "(done.revision << 20) + p.position")}"""


_OF_ITEM = "WHERE o.owner = i.owner AND o.object_key = i.key AND o.audience = i.audience"


def _delete(policy: ModulePolicy) -> str:
    return f"""{_items(policy)}, object AS (
  DELETE FROM {policy.model._meta.db_table} o USING item i {_OF_ITEM}
  RETURNING o.seq, o.revision + 1 AS revision, o.generation, false AS created, NULL AS reference,
    o.owner, o.object_key, o.audience
){_DONE}"""


def _parts(policy: ModulePolicy, position: str) -> str:
    """Return the SQL that stores the parts, with their order.

    A PUT of the object numbers them from 0. A later part gets its revision shifted by 20 bits, more
    than an object has parts, and so comes after all that were there.
    """
    if policy.part_model is None:
        return ""
    table = policy.part_model._meta.db_table
    names = list(policy.part_columns)
    columns = "".join(f", {name}" for name in names)
    values = "".join(f", p.{name}" for name in names)
    typed = "".join(f", {name} {_type(policy.part_model, name)}" for name in names)
    updates = "".join(f", {name} = EXCLUDED.{name}" for name in names)
    return f""", part AS (
  INSERT INTO {table} AS old (object_id, revision, generation, position,
    uid, key, text, last_updated, findings{columns})
  SELECT done.seq, done.revision, done.generation, {position},
    p.uid, p.key, p.text, p.last_updated, p.findings{values}
  FROM done, json_to_recordset(done.parts) AS p(uid text, key text, position bigint, text text,
    last_updated timestamptz, findings int{typed})
  ON CONFLICT (object_id, key) DO UPDATE SET uid = EXCLUDED.uid, text = EXCLUDED.text,
    last_updated = EXCLUDED.last_updated, revision = EXCLUDED.revision,
    findings = EXCLUDED.findings, generation = EXCLUDED.generation,
    position = CASE WHEN old.generation = EXCLUDED.generation
      THEN old.position ELSE EXCLUDED.position END{updates}
)"""


def _repeat(policy: ModulePolicy) -> str:
    table = policy.model._meta.db_table
    was_given_up = "WHERE is_back OR EXISTS (SELECT FROM given_up WHERE given_up.n = done.n)"
    return f"""{_items(policy)}, object AS (
  UPDATE {table} o SET repeated = repeated + 1, missed = 0,
    changed_at = CASE WHEN o.missed >= 2 THEN now() ELSE o.changed_at END FROM item i {_OF_ITEM}
  RETURNING o.seq, o.revision, o.generation, false AS created, {_reference(policy)} AS reference,
    o.owner, o.object_key, o.audience,
    (SELECT b.missed >= 2 FROM {table} b WHERE b.seq = o.seq) AS is_back
){_DONE.replace("o.reference", "o.reference, o.is_back")}, given_up AS (
  DELETE FROM {DeadLetter._meta.db_table} d
  USING {Subscription._meta.db_table} b, {Party._meta.db_table} p, done
  WHERE b.id = d.subscription_id AND b.module = done.module AND p.id = b.receiver_id
    AND p.holder = done.audience AND d.owner = done.owner AND d.path = done.path
    AND (d.method <> 'POST' OR d.body = done.body) RETURNING done.n
){_feed(condition=was_given_up)}{_WRITTEN}"""


def _read(policy: ModulePolicy) -> str:
    audience, part, join = "o.audience = i.audience", "NULL, NULL, NULL, 0", ""
    if not policy.personal:
        audience = "o.audience IN ('', i.audience)"
    if policy.part_model is not None:
        part = "p.key, p.text, p.generation = o.generation, p.findings"
        join = f"""LEFT JOIN {policy.part_model._meta.db_table} p
  ON p.object_id = o.seq AND p.key = ANY(i.part_keys)"""
    return f"""{_items(policy)}
SELECT i.n, o.seq, o.revision, o.text, o.last_updated, o.last_updated_text, o.findings,
  o.part_findings, o.set_aside, {part}
FROM item i LEFT JOIN LATERAL (SELECT * FROM {policy.model._meta.db_table} o
  WHERE o.owner = i.owner AND o.object_key = i.key AND {audience}
  ORDER BY o.audience DESC LIMIT 1) o ON true {join}"""


def _others(policy: ModulePolicy) -> str:
    if policy.part_model is None:
        return ""
    return f"""SELECT i.n, count(p.id), COALESCE(sum(octet_length(p.text)), 0)
FROM json_to_recordset($1::json) AS i(n int, seq bigint, part_keys text[])
JOIN {policy.model._meta.db_table} o ON o.seq = i.seq
LEFT JOIN {policy.part_model._meta.db_table} p
  ON p.object_id = o.seq AND p.generation = o.generation AND p.key <> ALL(i.part_keys)
GROUP BY i.n"""


def _posted(policy: ModulePolicy) -> str:
    return f"""{_items(policy)}
SELECT i.n, o.audience, o.text FROM item i JOIN {policy.model._meta.db_table} o
ON o.owner = i.owner AND o.object_key = i.key"""


def _fork(policy: ModulePolicy) -> str:
    table = policy.model._meta.db_table
    names = _copied(policy.model, "seq", "audience", "digest", "missed", "reference")
    copied = f"""{_items(policy)}, object AS (
  INSERT INTO {table} (audience, {", ".join(names)})
  SELECT i.audience, {", ".join(f"o.{name}" for name in names)} FROM item i JOIN {table} o
  ON o.owner = i.owner AND o.object_key = i.key AND o.audience = ''
  ON CONFLICT DO NOTHING RETURNING seq, owner, object_key)"""
    if policy.part_model is None:
        return f"{copied}\nSELECT seq FROM object"
    parts = policy.part_model._meta.db_table
    own = _copied(policy.part_model, "id", "object_id")
    return f"""{copied}, part AS (
  INSERT INTO {parts} (object_id, {", ".join(own)})
  SELECT object.seq, {", ".join(f"p.{name}" for name in own)} FROM object
  JOIN {table} o ON o.owner = object.owner AND o.object_key = object.object_key AND o.audience = ''
  JOIN {parts} p ON p.object_id = o.seq AND p.generation = o.generation)
SELECT seq FROM object"""


def _forget(policy: ModulePolicy) -> str:
    table = policy.model._meta.db_table
    older = "AND v.audience = done.audience AND v.last_updated < done.last_updated"
    return f"""{_items(policy)}, done AS (
  SELECT i.n, i.owner, i.key, i.audience, o.last_updated FROM item i JOIN {table} o
  ON o.owner = i.owner AND o.object_key = i.key AND o.audience = ''
){_end_own_copies(policy, older)}
SELECT n FROM outlived"""


def _copied(model: type[models.Model], *without: str) -> list[str]:
    own = (field for field in model._meta.concrete_fields if not field.generated)
    columns = [str(field.column) for field in own]
    return [name for name in columns if name not in without]


def _reference(policy: ModulePolicy) -> str:
    """Return the SQL of what the URL of a posted object has of it; of others NULL."""
    return "o.reference::text" if hasattr(policy.model, "reference") else "NULL"


def _type(model: type[models.Model], column: str) -> str:
    kind = model._meta.get_field(column).get_internal_type()
    return _TYPES.get(kind, "text")
