"""A page of a party's list: the request for it, and what is wrong if no page is answered.

Spec: 2.2.1 transport and format, GET of lists. The request is the hub's own (A-126).
"""

from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from database import sql
from hub.module_policy import ABOUT_DRIVERS
from hub.pull import near_list
from hub.pull.pagination import CrawlPosition, PagingInfo
from hub.pull.sources import Source
from ocpi import client
from ocpi.modules import ObjectType
from ocpi.transport.envelope import Oddity
from ocpi.transport.message_ids import MessageIds
from ocpi.types import one_line
from parties import deviations

MOST_OBJECTS = 100_000
"""Of one page: 20 MB (`HUB_MAX_RESPONSE_BYTES`) of OCPI's shortest objects, some 200 bytes each."""
_NOTHING_PASSES = (client.PeerUnreachable, client.AddressRefused)
_THEIR_FAILURES = range(3000, 4000)
# Of a number in a header: more than any list needs, and fewer than a column holds.
_MOST_DIGITS = 15


class FailureKind(StrEnum):
    """What a failed request says about the next one."""

    NO_ANSWER = "no answer"
    """The platform cannot be asked for anything at present."""
    WITHHELD = "withheld"
    """No page of this list can be had at present."""
    THROTTLED = "throttled"
    """The platform asks for fewer requests."""
    FAILED = "failed"
    """This page failed; it may come later, or never."""
    REFUSED = "refused"
    """The platform refuses this page: its URL may be the reason."""


# 401: the token is unknown, for whatever list. 403: the token may not read this one.
_CREDENTIALS_REFUSED = {401: FailureKind.NO_ANSWER, 403: FailureKind.WITHHELD}


class PullFailed(Exception):
    """A page did not come; the text is for the operator, `words` are the peer's own."""

    def __init__(
        self, reason: str, kind: FailureKind, *, words: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(reason)
        self.kind = kind
        self.words = words
        self.retry_after = retry_after

    def __str__(self) -> str:
        reason = super().__str__()
        return f"{reason}: {self.words}" if self.words else reason


@dataclass(frozen=True, slots=True)
class PulledPage:
    """The objects of a page as their exact texts, and what it says about the rest."""

    items: list[bytes]
    paging: PagingInfo
    correlation_id: str


def ask(source: Source, position: CrawlPosition) -> PulledPage:
    """Ask for a page; raises `PullFailed`. No database connection is held meanwhile."""
    ids = MessageIds.new()
    sql.release()
    try:
        reply = client.shared().request(
            "GET",
            position.url,
            peer=source.peer,
            headers={**source.headers.as_headers(), **ids.as_headers()},
        )
    except client.PeerError as error:
        raise _unanswered(error) from error
    items = _items_of(source, reply)
    _note_oddities(source, reply)
    paging = PagingInfo(
        len(items),
        reply.headers.get("Link"),
        _number(reply, "X-Total-Count"),
        _number(reply, "X-Limit") or None,
    )
    return PulledPage(items, paging, ids.correlation_id)


def _unanswered(error: client.PeerError) -> PullFailed:
    if isinstance(error, client.ReplyTooLarge):
        hint = "give the platform the quirk page_limit with a smaller number"
        return PullFailed(f"the page is too large ({error}): {hint}", FailureKind.REFUSED)
    if isinstance(error, client.ReplyUnreadable):
        return PullFailed(f"the answer broke off or is no HTTP ({error})", FailureKind.FAILED)
    what = "did not answer in time" if isinstance(error, client.PeerTimeout) else "no connection"
    kind = FailureKind.NO_ANSWER if isinstance(error, _NOTHING_PASSES) else FailureKind.FAILED
    return PullFailed(f"{what}: {one_line(str(error), longest=300)}", kind)


def _note_oddities(source: Source, reply: client.Reply) -> None:
    is_list = near_list.is_list(reply.envelope.data if reply.envelope else None)
    oddities = reply.oddities if is_list else (*reply.oddities, Oddity.NO_LIST)
    met = deviations.odd_envelope(f"GET {source.module.identifier}", oddities)
    deviations.note(source.platform_id, met)


def _items_of(source: Source, reply: client.Reply) -> list[bytes]:
    """Return the objects of a page.

    Where the list is about drivers, a failure is reported without the peer's words: they may name
    one.
    """
    try:
        return _items(reply, source.kind)
    except PullFailed as failure:
        if source.module.identifier in ABOUT_DRIVERS:
            failure.words = "(its words are not shown)"
        raise


def _items(reply: client.Reply, kind: ObjectType) -> list[bytes]:
    _check_http(reply)
    envelope = reply.envelope
    if envelope is None:
        media = one_line(reply.headers.get("Content-Type", "no content type"), longest=60)
        text = f"answered HTTP {reply.http_status} with no OCPI envelope ({media})"
        raise PullFailed(text, FailureKind.REFUSED, words=_words(reply))
    if not reply.ok:
        text = f"answered HTTP {reply.http_status}, status {envelope.status_code}"
        theirs = envelope.status_code in _THEIR_FAILURES
        failure = FailureKind.FAILED if theirs else FailureKind.REFUSED
        raise PullFailed(text, failure, words=_words(reply))
    try:
        return _objects(envelope.data, kind)
    except ValueError:
        start = (envelope.data or b"")[:40].decode(errors="replace")
        text = "`data` is not a list of objects; it begins with"
        raise PullFailed(text, FailureKind.REFUSED, words=one_line(start, longest=40)) from None


def _objects(data: bytes | None, kind: ObjectType) -> list[bytes]:
    """Return the objects of a page, unless there are more of them than memory allows.

    Each takes more memory than its text, many times as much if it has many findings.
    """
    if data is not None and near_list.has_more(data, MOST_OBJECTS):
        hint = "give the platform the quirk page_limit with a smaller number"
        text = f"the page has more than {MOST_OBJECTS:,} objects: {hint}"
        raise PullFailed(text, FailureKind.REFUSED)
    return near_list.items(data, kind)


def _check_http(reply: client.Reply) -> None:
    """Raise for what the HTTP status alone says."""
    status = reply.http_status
    if status in _CREDENTIALS_REFUSED:
        text = f"refuses the hub's credentials (HTTP {status}): the two operators must mend them"
        raise PullFailed(text, _CREDENTIALS_REFUSED[status])
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        wait = reply.retry_after
        when = "" if wait is None else f" for {wait:.0f} s"
        text = f"wants to be left alone{when} (HTTP {status})"
        raise PullFailed(text, FailureKind.THROTTLED, retry_after=wait)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise PullFailed(
            f"failed with HTTP {status}",
            FailureKind.FAILED,
            words=_words(reply),
            retry_after=reply.retry_after,
        )


def _words(reply: client.Reply) -> str:
    """Return the peer's own words, fit to show."""
    return reply.words or "(empty)"


def _number(reply: client.Reply, header: str) -> int | None:
    text = reply.headers.get(header, "").strip()
    usable = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    return int(text) if usable else None
