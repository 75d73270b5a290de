"""The reads: lists and objects as stored text, without parsing it.

Spec: 2.2.1 transport and format, pull and pagination. Lists are in the order of `seq`, which is
that of creation and never changes, so a crawl neither skips nor repeats (TF-27). A `Link` carries
the last `seq`, so that a deep page costs no more than the first.
"""

from dataclasses import dataclass
from typing import Any

from database import sql
from hub.module_policy import ModulePolicy
from hub.store import raw_json
from hub.store.identity import object_key
from hub.store.sql import reads as statements
from ocpi.errors import InvalidParameters
from ocpi.modules import ObjectType
from ocpi.transport.pagination import PageRequest
from ocpi.types import PartyRef, fold
from parties.holders import HolderName, ref_of

MOST_BYTES = 16_000_000
"""Of text in one page or one piece of a snapshot; a single object may be larger."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """The reader of a list, and the owners whose objects it may see; all of them are holders.

    One that is `strict` gets no object that breaks the tables (`Quirks.strict_receiver`).
    """

    party: HolderName
    owners: frozenset[str]
    strict: bool = False


@dataclass(frozen=True, slots=True)
class ObjectPage:
    """A page of a list.

    `data` is a JSON array of `count` objects, which may be fewer than asked for when they are
    large; `total` objects match. `cursor` is where the next page starts, None on the last.
    `left_out` objects match besides, which break the tables; known of the crawl's first page.
    """

    data: bytes
    count: int
    total: int
    cursor: str | None
    left_out: int = 0


def page(
    policy: ModulePolicy,
    viewer: Viewer,
    request: PageRequest,
    *,
    limit: int,
    by_arrival: bool = False,
) -> ObjectPage:
    """Return one page of what the viewer may see; the total is that of the crawl's first page.

    Its dates are about `last_updated`, or `by_arrival` about the hub's own time.
    """
    after, total = _cursor(request.cursor)
    parameters = _filters(viewer, request)
    position = {
        "after": after,
        "offset": request.offset if request.cursor is None else 0,
        "limit": limit + 1,
        "bytes": MOST_BYTES,
    }
    since, until = bool(request.date_from), bool(request.date_to)
    dates = statements.dated(policy, since=since, until=until, by_arrival=by_arrival)
    skips = position["offset"] > 0
    statement = statements.page(policy, dates, skips=skips, strict=viewer.strict)
    found = sql.rows(statement, parameters | position)
    left_out = 0
    if total is None:
        left_out = _counted(statements.odd(policy, dates), parameters) if viewer.strict else 0
        total = max(_counted(statements.count(policy, dates), parameters) - left_out, 0)
    shown = found[:limit]
    more = bool(found) and found[0].chosen > len(shown)
    return ObjectPage(
        data=("[" + ",".join(one.text for one in shown) + "]").encode(),
        count=len(shown),
        total=total,
        cursor=f"{shown[-1].seq}-{total}" if more else None,
        left_out=left_out,
    )


def _counted(statement: str, parameters: dict[str, Any]) -> int:
    counted = sql.row(statement, parameters)
    return int(counted[0]) if counted else 0


def cursor_reader(cursor: str) -> tuple[PartyRef, int]:
    """Return the reader a page link was made for, and its platform's id (A-46).

    Raises `InvalidParameters`. The gateway appends both to the cursor of a page:
    `<seq>-<total>-<party>-<platform id>`.
    """
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
    """Which stored object, or part of it, is asked for.

    `reader` is the party that asks; None when it is the owner, who gets the object as it sent it to
    the hub.
    """

    owner: HolderName
    ids: tuple[str, ...]
    variant: str | None = None
    reader: HolderName | None = None


def get(policy: ModulePolicy, kind: ObjectType, query: ObjectQuery) -> bytes:
    """Return a stored object or part as JSON; raises the type's unknown error with HTTP 404."""
    ids = query.ids
    found = sql.row(
        statements.single(policy, whole=len(ids) == 1, own=query.reader is None),
        {
            "owner": str(query.owner),
            "key": object_key(kind, ids[0], query.variant),
            "part": fold(ids[1]) if ids[1:] else "",
            "party": str(query.reader or ""),
        },
    )
    text = str(found[0]).encode() if found and found[0] is not None else None
    if text is not None and len(ids) > 2:  # noqa: PLR2004 - object, part, part of the part
        text = _subpart(text, kind, ids[2])
    if text is None:
        message = f"the hub holds no {kind.name} {'/'.join(ids)!r} of {ref_of(str(query.owner))}"
        raise kind.unknown(message, http_status=404)
    return text


def owners_of(policy: ModulePolicy, viewer: Viewer, key: str) -> list[str]:
    """Return the owners of objects under a key that the viewer may act on (A-36)."""
    query = {"key": key, "party": str(viewer.party), "owners": sorted(viewer.owners)}
    return [owner for (owner,) in sql.rows(statements.owners(policy), query)]


def is_anothers(policy: ModulePolicy, owner: str, key: str, *, party: str) -> bool:
    """Whether a personal object is known to be for another party and not for this one."""
    found = sql.row(statements.anothers(policy), {"owner": owner, "key": key, "party": party})
    return bool(found and found[0])


def audience_of(policy: ModulePolicy, owner: str, key: str) -> str | None:
    """Return the audience of a personal object as last sent to the hub; None without one."""
    found = sql.row(statements.audience(policy), {"owner": owner, "key": key})
    return str(found[0]) if found else None


def _subpart(text: bytes, kind: ObjectType, given: str) -> bytes | None:
    part = kind.part.object.part if kind.part else None
    if part is None:
        return None
    key, items = fold(given), raw_json.items(raw_json.members(text).get(part.member))
    return next((item for item in items if raw_json.key_of(item, part) == key), None)
