"""The reads: stored text out again, without parsing a byte of it.

Spec: 2.2.1 transport and format, pull and pagination. Lists run in the order of `seq`, which is
the order of creation and never changes, so a crawl neither skips nor repeats (TF-27). A `Link`
carries the last `seq`: a deep page costs what the first one costs.
"""

# ruff: noqa: SLF001 - _meta is the documented way to a table's name

from dataclasses import dataclass
from functools import cache
from typing import Any

from database import sql
from hub.module_policy import Policy
from hub.store import raw_json
from hub.store.identity import object_key
from ocpi.errors import InvalidParameters
from ocpi.modules import ObjectType, Part
from ocpi.transport.pagination import PageRequest
from ocpi.types import PartyRef, fold
from parties.holders import Named, ref_of

MOST_BYTES = 16_000_000
"""Of text in one page or one piece of a snapshot; a single object may be larger."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """For whom a list is made, and the owners it may see objects of: holders all."""

    party: Named
    owners: frozenset[str]


@dataclass(frozen=True, slots=True)
class ObjectPage:
    """A page of a list: a JSON array, how many objects match, and where the next page starts.

    `count` objects are on the page: fewer than asked for when they are large.
    """

    data: bytes
    count: int
    total: int
    cursor: str | None


def page(policy: Policy, viewer: Viewer, request: PageRequest, *, limit: int) -> ObjectPage:
    """Return one page of what the viewer may see; the total is that of the crawl's first page."""
    after, total = _cursor(request.cursor)
    parameters = _filters(viewer, request)
    wanted = {
        "after": after,
        "offset": request.offset if request.cursor is None else 0,
        "limit": limit + 1,
        "bytes": MOST_BYTES,
    }
    dates = _dates(request)
    found = sql.rows(page_sql(policy, dates), parameters | wanted)
    if total is None:
        counted = sql.row(count_sql(policy, dates), parameters)
        total = counted[0] if counted else 0
    shown = found[:limit]
    more = bool(found) and found[0][0] > len(shown)
    return ObjectPage(
        data=("[" + ",".join(text for _, _, text in shown) + "]").encode(),
        count=len(shown),
        total=total,
        cursor=f"{shown[-1][1]}-{total}" if more else None,
    )


def cursor_reader(cursor: str) -> tuple[PartyRef, int]:
    """Return for whom at which platform a page link was made (A-46); `InvalidParameters`."""
    try:
        party, platform_id = cursor.split("-", 2)[2].rsplit("-", 1)
        return PartyRef.parse(party), int(platform_id)
    except (IndexError, ValueError):
        raise _bad_cursor() from None


def _cursor(cursor: str | None) -> tuple[int, int | None]:
    if cursor is None:
        return 0, None
    try:
        after, total = (int(word) for word in cursor.split("-", 2)[:2])
    except ValueError:
        raise _bad_cursor() from None
    if not 0 <= after < 2**63 or not 0 <= total < 2**63:
        raise _bad_cursor()
    return after, total


def _bad_cursor() -> InvalidParameters:
    return InvalidParameters(
        "cursor: follow the Link of the previous page as it is, or start again without cursor"
    )


def _filters(viewer: Viewer, request: PageRequest) -> dict[str, Any]:
    return {
        "party": str(viewer.party),
        "owners": sorted(viewer.owners),
        "date_from": request.date_from,
        "date_to": request.date_to,
    }


@dataclass(frozen=True, slots=True)
class ObjectQuery:
    """One stored object, or a part of it.

    `reader` is the party that asks; None when the owner itself does, who sees what it addressed to
    the hub.
    """

    owner: Named
    ids: tuple[str, ...]
    variant: str | None = None
    reader: Named | None = None


def get(policy: Policy, kind: ObjectType, wanted: ObjectQuery) -> bytes:
    """Return a stored object or part as JSON; raises the type's unknown error with HTTP 404."""
    ids = wanted.ids
    found = sql.row(
        _get_sql(policy, whole=len(ids) == 1, own=wanted.reader is None),
        {
            "owner": str(wanted.owner),
            "key": object_key(kind, ids[0], wanted.variant),
            "part": fold(ids[1]) if ids[1:] else "",
            "party": str(wanted.reader or ""),
        },
    )
    text = str(found[0]).encode() if found and found[0] is not None else None
    if text is not None and len(ids) > 2:  # noqa: PLR2004 - object, part, part of the part
        text = _subpart(text, kind, ids[2])
    if text is None:
        message = f"the hub holds no {kind.name} {'/'.join(ids)!r} of {ref_of(str(wanted.owner))}"
        raise kind.unknown(message, http_status=404)
    return text


def posted_as(policy: Policy, owner: str, key: str) -> dict[str, bytes]:
    """Return the texts of a posted object by audience: an owner's ids are its own, for all."""
    table = policy.model._meta.db_table
    found = sql.rows(
        f"""SELECT audience, text FROM {table}
  WHERE owner = %(owner)s::text AND object_key = %(key)s::text""",
        {"owner": owner, "key": key},
    )
    return {audience: str(text).encode() for audience, text in found}


def owners_of(policy: Policy, viewer: Viewer, key: str) -> list[str]:
    """Return whose objects under a key the viewer may act on: ids are unique per owner (A-36)."""
    table = policy.model._meta.db_table
    found = sql.rows(
        f"""SELECT DISTINCT owner FROM {table} o WHERE object_key = %(key)s::text
  AND owner = ANY(%(owners)s::text[]) AND audience IN ('', %(party)s::text)
  {"AND " + _HAS_A_SAY if policy.personal else ""} ORDER BY owner LIMIT 10""",
        {"key": key, "party": str(viewer.party), "owners": sorted(viewer.owners)},
    )
    return [owner for (owner,) in found]


def is_anothers(policy: Policy, owner: str, key: str, *, party: str) -> bool:
    """Tell whether a personal object is known to be for somebody else, and not for this party."""
    table = policy.model._meta.db_table
    found = sql.row(
        f"""SELECT COALESCE(bool_or(o.audience = o.recipient
    OR o.audience = %(party)s::text AND o.recipient <> ''), false)
  AND NOT COALESCE(bool_or(o.audience = %(party)s::text AND {_HAS_A_SAY}), false)
  AND NOT EXISTS (SELECT FROM parties_party p WHERE p.holder = %(party)s::text AND {_STEERS})
  FROM {table} o WHERE o.owner = %(owner)s::text AND o.object_key = %(key)s::text""",
        {"owner": owner, "key": key, "party": party},
    )
    return bool(found and found[0])


def audience_of(policy: Policy, owner: str, key: str) -> str | None:
    """Return for whom a personal object was last addressed to the hub; None when there is none."""
    table = policy.model._meta.db_table
    found = sql.row(
        f"""SELECT audience FROM {table}
  WHERE owner = %(owner)s::text AND object_key = %(key)s::text AND audience = recipient
  ORDER BY changed_at DESC LIMIT 1""",
        {"owner": owner, "key": key},
    )
    return str(found[0]) if found else None


def _subpart(text: bytes, kind: ObjectType, given: str) -> bytes | None:
    part = kind.part.object.part if kind.part else None
    if part is None:
        return None
    return _among(raw_json.items(raw_json.members(text).get(part.member)), part, given)


def _among(texts: list[bytes], part: Part, given: str) -> bytes | None:
    wanted = fold(given)
    return next((text for text in texts if raw_json.key_of(text, part) == wanted), None)


# Who steers for others has no tokens; whoever else is told of another's session only reads of it.
_STEERS = "p.role = 'SCSP'"
_HAS_A_SAY = f"""(o.recipient IN ('', o.audience)
    OR EXISTS (SELECT FROM parties_party p WHERE p.holder = o.audience AND {_STEERS}))"""
_ALL = "o.audience = ''"
_THERE = "o.missed < 2"
"""What its owner's lists still have (A-58); the index of the others wants `> 0` besides."""
_VANISHED = "o.missed > 0 AND o.missed >= 2"
_OWN = "o.audience = %(party)s::text"


def visible(policy: Policy) -> str:
    """Return the SQL of what a viewer sees of its owners: its own variant before all's (A-34)."""
    owned = "o.owner = ANY(%(owners)s::text[])"
    if policy.personal:
        return f"{owned} AND {_OWN}"
    table = policy.model._meta.db_table
    return f"""{owned} AND ({_OWN} OR ({_ALL} AND {_THERE} AND NOT EXISTS (SELECT FROM {table} own
    WHERE own.owner = o.owner AND own.object_key = o.object_key
    AND own.audience = %(party)s::text)))"""


def _dates(request: PageRequest) -> str:
    """Return the SQL of the filters that are set: one plan for each, none that serves all ill."""
    since = " AND o.last_updated >= %(date_from)s::timestamptz" if request.date_from else ""
    until = " AND o.last_updated < %(date_to)s::timestamptz" if request.date_to else ""
    return since + until


def document(policy: Policy) -> str:
    """Return the SQL of the whole text of object `o`: the holes filled, in the order of parts."""
    if policy.part_model is None:
        return "o.text"
    parts = policy.part_model._meta.db_table
    return f"""replace(replace(o.text, chr(2), o.last_updated_text), chr(1),
    '[' || COALESCE((SELECT string_agg(p.text, ',' ORDER BY p.position, p.id) FROM {parts} p
    WHERE p.object_id = o.seq AND p.generation = o.generation), '') || ']')"""


def _octets(policy: Policy) -> str:
    """Return the SQL of how large object `o` is; PostgreSQL tells without unpacking the text."""
    if policy.part_model is None:
        return "octet_length(o.text)"
    parts = policy.part_model._meta.db_table
    return f"""octet_length(o.text) + (SELECT COALESCE(sum(octet_length(p.text)), 0)
    FROM {parts} p WHERE p.object_id = o.seq AND p.generation = o.generation)"""


def bounded(policy: Policy, *, columns: str = "", where: str, slice_: str) -> str:
    """Return the SQL of objects in the order of creation: their number, seq, columns and text.

    The number counts what `where` and `slice_` choose; of these come the first, up to `bytes` in
    all, and one at least.
    """
    table = policy.model._meta.db_table
    return f"""
SELECT chosen.number, o.seq, {columns}{columns and ", "}{document(policy)} FROM {table} o JOIN (
  SELECT seq, count(*) OVER () AS number, sum(octets) OVER (ORDER BY seq) - octets AS before
  FROM (SELECT o.seq, {_octets(policy)} AS octets FROM {table} o
    WHERE {where} ORDER BY o.seq {slice_}) AS weighed
) AS chosen ON chosen.seq = o.seq WHERE chosen.before < %(bytes)s::bigint ORDER BY o.seq"""


@cache
def page_sql(policy: Policy, dates: str = "") -> str:
    """Return the statement of one page."""
    return bounded(
        policy,
        where=f"{visible(policy)} AND o.seq > %(after)s::bigint{dates}",
        slice_="OFFSET %(offset)s::bigint LIMIT %(limit)s::bigint",
    )


@cache
def count_sql(policy: Policy, dates: str = "") -> str:
    """Return the statement that counts what a whole crawl will bring.

    What a viewer has variants of, and what has vanished, is counted with all and taken off again:
    there are few of them.
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
def _get_sql(policy: Policy, *, whole: bool, own: bool) -> str:
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
