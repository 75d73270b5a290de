"""The SQL of reads: lists, single objects, and their owners; `o` is the object in each statement.

Built once for each module from its table; texts come out as they were stored.
"""

# ruff: noqa: SLF001 - _meta is the documented way to a table's name; no text has a value

from functools import cache
from typing import NamedTuple

from database.sql import Query
from hub.models import Cdr
from hub.models.stored import Busy, Hour
from hub.module_policy import ModulePolicy
from hub.store.sql.writes import THIS
from parties.models import Party

CDR = Cdr._meta.db_table
PARTY = Party._meta.db_table

# A Smart Charging Service Provider owns no tokens, but may send charging profiles for Sessions of
# others' drivers. Any other party with a Session that is not its driver's may read it, not act on
# it.
_STEERS = "p.role = 'SCSP'"
_HAS_A_SAY = f"""(o.recipient IN ('', o.audience)
    OR EXISTS (SELECT FROM {PARTY} p WHERE p.holder = o.audience AND {_STEERS}))"""
_ALL = "o.audience = ''"
_THERE = "o.missed < 2"
"""Not missing in two crawls of its owner's list in a row (A-58)."""
_VANISHED = "o.missed > 0 AND o.missed >= 2"
"""The opposite; `> 0` is the condition of a partial index, and has to be named to use it."""
_OWN = "o.audience = %(party)s::text"
ODD = "(o.findings > 0 OR o.part_findings > 0)"
"""Something in it breaks the tables; spelled like the condition of a partial index."""
_BEYOND_ALL = 2**63 - 1
_LONGEST_CHANGE = "interval '1 minute'"
"""More than the writer lets a transaction take, its waiting for locks included."""


class ListedObject(NamedTuple):
    """An object of a list; `chosen` is how many there were before `bytes` cut the page."""

    chosen: int
    seq: int
    text: str


class Posted(NamedTuple):
    """A posted object: its owner, its receiver, and the URL at which the receiver keeps it.

    `remote_location` is empty when the receiver gave none.
    """

    owner: str
    audience: str
    text: str
    remote_location: str


def visible(policy: ModulePolicy, *, strict: bool = False) -> str:
    """Return the SQL of what a viewer sees of its owners: own copies before everybody's (A-34).

    One that is `strict` sees nothing that breaks the tables.
    """
    return f"o.owner = ANY(%(owners)s::text[]) AND {_seen(policy, strict=strict)}"


def _seen(policy: ModulePolicy, *, strict: bool = False) -> str:
    """Return the SQL of what a viewer sees of an owner."""
    return f"{_shown(policy)} AND NOT {ODD}" if strict else _shown(policy)


def _shown(policy: ModulePolicy) -> str:
    if policy.personal:
        return f"{_OWN} AND o.audience <> ''"  # the condition of the index by audience
    table = policy.model._meta.db_table
    return f"""({_OWN} OR ({_ALL} AND {_THERE} AND NOT EXISTS (SELECT FROM {table} own
    WHERE own.owner = o.owner AND own.object_key = o.object_key
    AND own.audience = %(party)s::text)))"""


def document(policy: ModulePolicy) -> str:
    """Return the SQL of the whole text of object `o`: its holes filled, parts in their order."""
    if policy.part_model is None:
        return "o.text"
    parts = policy.part_model._meta.db_table
    return f"""replace(replace(o.text, chr(2), o.last_updated_text), chr(1),
    '[' || COALESCE((SELECT string_agg(p.text, ',' ORDER BY p.position, p.id) FROM {parts} p
    WHERE p.object_id = o.seq AND p.generation = o.generation), '') || ']')"""


def _octets(policy: ModulePolicy) -> str:
    """Return the SQL of the size of object `o`; PostgreSQL knows it without decompressing."""
    if policy.part_model is None:
        return "octet_length(o.text)"
    parts = policy.part_model._meta.db_table
    return f"""octet_length(o.text) + (SELECT COALESCE(sum(octet_length(p.text)), 0)
    FROM {parts} p WHERE p.object_id = o.seq AND p.generation = o.generation)"""


def bounded(policy: ModulePolicy, *, columns: str = "", where: str, slice_: str) -> str:
    """Return the SQL of objects in the order of creation: number, seq, columns and text of each.

    `where` and `slice_` choose objects; the number says how many. The first of them are returned,
    up to `bytes` altogether, and at least one.
    """
    table = policy.model._meta.db_table
    return _weighed(policy, columns, f"FROM {table} o WHERE {where} ORDER BY o.seq {slice_}")


def _weighed(policy: ModulePolicy, columns: str, chosen: str) -> str:
    """Return the SQL of what is chosen `FROM` somewhere, up to `bytes` of text."""
    return f"""
SELECT o.number, o.seq, {columns}{columns and ", "}{document(policy)} FROM (
  SELECT o.*, count(*) OVER () AS number, sum(o.octets) OVER (ORDER BY o.seq) - o.octets AS before
  FROM (SELECT o.*, {_octets(policy)} AS octets {chosen}) AS o
) AS o WHERE o.before < %(bytes)s::bigint ORDER BY o.seq"""


# PostgreSQL would read a list of nine owners in the order of `seq` and leave out what is of others:
# where one owner's objects end and the next one's begin a million later, it reads that million. So
# each owner is read by its own index, from the one with the next object on, and no further than to
# the last object that the page has so far. What others have is never looked at.
def _merged(policy: ModulePolicy, *, strict: bool) -> str:
    """Return the SQL of the first `limit` objects behind `after`, whatever lies between them."""
    table = policy.model._meta.db_table
    seen = _seen(policy, strict=strict)
    of_owner = f"FROM {table} o WHERE {seen} AND o.seq > %(after)s::bigint AND o.owner ="
    edge = f"COALESCE(merged.seqs[%(limit)s::bigint], {_BEYOND_ALL})"
    return f"""
WITH RECURSIVE head AS MATERIALIZED (
  SELECT array_agg(w.owner ORDER BY next.seq) AS owners,
    array_agg(next.seq ORDER BY next.seq) AS seqs
  FROM unnest(%(owners)s::text[]) AS w(owner) CROSS JOIN LATERAL (
    SELECT o.seq {of_owner} w.owner ORDER BY o.seq LIMIT 1) AS next
), merged AS (
  SELECT 0 AS place, '{{}}'::bigint[] AS seqs
  UNION ALL
  SELECT merged.place + 1, ARRAY(SELECT seq FROM (
      SELECT unnest(merged.seqs) AS seq
      UNION ALL (SELECT o.seq {of_owner} head.owners[merged.place + 1] AND o.seq < {edge}
        ORDER BY o.seq LIMIT %(limit)s::bigint)) AS either
    ORDER BY seq LIMIT %(limit)s::bigint)
  FROM merged CROSS JOIN head WHERE head.seqs[merged.place + 1] < {edge}
), page AS (SELECT unnest((SELECT seqs FROM merged ORDER BY place DESC LIMIT 1)) AS seq)"""


def dated(policy: ModulePolicy, *, since: bool, until: bool, by_arrival: bool = False) -> str:
    """Return the SQL of the date filters that are set: each combination gets a plan of its own.

    They are about the owner's `last_updated`, or `by_arrival` about the hub's own time: changed
    since `date_from`, and first taken before `date_to`, so that no change takes an object out of a
    list that is read page by page. A change has the time of its beginning, and a reader's last look
    may have been before its end: so these go back a while before `date_from`.
    """
    since_, until_ = "%(date_from)s::timestamptz", "%(date_to)s::timestamptz"
    changed, made, hour = "o.last_updated", "o.last_updated", "o.updated_hour"
    if by_arrival:
        changed, made, hour = "o.changed_at", "o.stored_at", "o.changed_hour"
        since_ = f"{since_} - {_LONGEST_CHANGE}"
    conditions = [f"{changed} >= {since_}"] * since + [f"{made} < {until_}"] * until
    if issubclass(policy.model, Busy):
        # The hours say nothing more: they are what has an index.
        conditions += [f"{hour} >= {Hour.template % {'expressions': since_}}"] * since
        conditions += [f"{hour} < {until_}"] * (until and not by_arrival)
    return "".join(f" AND {each}" for each in conditions)


@cache
def page(
    policy: ModulePolicy, dates: str = "", *, skips: bool = False, strict: bool = False
) -> Query[ListedObject]:
    """Return the statement of one page; only one that `skips` reads `offset`."""
    if dates or skips:
        where = f"{visible(policy, strict=strict)} AND o.seq > %(after)s::bigint{dates}"
        slice_ = "OFFSET %(offset)s::bigint LIMIT %(limit)s::bigint"
        return Query(bounded(policy, where=where, slice_=slice_), ListedObject)
    chosen = f"FROM page JOIN {policy.model._meta.db_table} o ON o.seq = page.seq OFFSET 0"
    return Query(_merged(policy, strict=strict) + _weighed(policy, "", chosen), ListedObject)


@cache
def count(policy: ModulePolicy, dates: str = "") -> str:
    """Return the statement that counts the objects of all pages.

    Objects a viewer has its own copy of, and those that have vanished, are few: counting all and
    subtracting them is cheaper than excluding each.
    """
    table = policy.model._meta.db_table
    some = f"FROM {table} o WHERE o.owner = ANY(%(owners)s::text[]){dates}"
    own = f"SELECT count(*) {some} AND {_OWN}"
    if policy.personal:
        return own
    return f"""SELECT (SELECT count(*) {some} AND {_ALL}) + ({own})
  - (SELECT count(*) {some} AND {_ALL} AND {_VANISHED})
  - (SELECT count(*) {some} AND {_ALL} AND {_THERE} AND (o.owner, o.object_key) IN (
    SELECT own.owner, own.object_key FROM {table} own WHERE own.audience = %(party)s::text))"""


@cache
def odd(policy: ModulePolicy, dates: str = "") -> str:
    """Return the statement that counts what a strict viewer does not see of all pages: it is few.

    Each has an entry in a partial index, so that what is right is not looked at.
    """
    table = policy.model._meta.db_table
    return f"SELECT count(*) FROM {table} o WHERE {visible(policy)}{dates} AND {ODD}"


@cache
def single(policy: ModulePolicy, *, whole: bool, own: bool) -> str:
    """Return the statement of one object, or of a part of it; `own` is for its owner."""
    table = policy.model._meta.db_table
    audience, first = f"{_ALL} OR {_OWN}", "audience"
    if own:
        audience, first = "o.audience = o.recipient" if policy.personal else _ALL, "changed_at"
    one = f"""(SELECT o.* FROM {table} o
    WHERE o.owner = %(owner)s::text AND o.object_key = %(key)s::text AND ({audience})
    ORDER BY o.{first} DESC LIMIT 1) o"""
    if whole or policy.part_model is None:
        return f"SELECT {document(policy)} FROM {one}"
    parts = policy.part_model._meta.db_table
    return f"""SELECT p.text FROM {one} JOIN {parts} p
    ON p.object_id = o.seq AND p.generation = o.generation AND p.key = %(part)s::text"""


@cache
def owners(policy: ModulePolicy) -> str:
    """Return the statement of the owners whose object under a key a viewer may act on."""
    return f"""SELECT DISTINCT owner FROM {policy.model._meta.db_table} o
  WHERE object_key = %(key)s::text
  AND owner = ANY(%(owners)s::text[]) AND audience IN ('', %(party)s::text)
  {"AND " + _HAS_A_SAY if policy.personal else ""} ORDER BY owner LIMIT 10"""


@cache
def anothers(policy: ModulePolicy) -> str:
    """Return the statement of whether an object is for another party, and not for this one too."""
    return f"""SELECT COALESCE(bool_or(o.audience = o.recipient
    OR o.audience = %(party)s::text AND o.recipient <> ''), false)
  AND NOT COALESCE(bool_or(o.audience = %(party)s::text AND {_HAS_A_SAY}), false)
  AND NOT EXISTS (SELECT FROM {PARTY} p WHERE p.holder = %(party)s::text AND {_STEERS})
  FROM {policy.model._meta.db_table} o
  WHERE o.owner = %(owner)s::text AND o.object_key = %(key)s::text"""


@cache
def audience(policy: ModulePolicy) -> str:
    """Return the statement of the audience of an object as it was last sent to the hub."""
    return f"""SELECT audience FROM {policy.model._meta.db_table}
  WHERE owner = %(owner)s::text AND object_key = %(key)s::text AND audience = recipient
  ORDER BY changed_at DESC LIMIT 1"""


BY_REFERENCE = Query(
    f"SELECT owner, audience, text, remote_location FROM {CDR} WHERE reference = %(key)s", Posted
)
SET_LOCATION = f"""UPDATE {CDR} SET remote_location = %(location)s::text
  WHERE {THIS} RETURNING seq"""
