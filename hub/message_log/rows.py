"""From an exchange to its row in the log: who, about what, with which outcome, and no secrets."""

from base64 import b64encode
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from hub.masking.personal import mask
from hub.message_log import endpoints, masking
from hub.message_log.endpoints import Endpoint, Endpoints
from hub.message_log.entry import Entry, Way
from hub.store.raw_json import members
from ocpi.errors import InvalidParameters
from ocpi.status_codes import is_success
from ocpi.transport import envelope
from ocpi.transport.envelope import Envelope
from ocpi.transport.message_ids import CORRELATION_ID, REQUEST_ID
from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import fold, one_line
from parties.models.words import LONGEST_MODULE

Row = tuple[Any, ...]
COLUMNS = (
    "at",
    "direction",
    "platform",
    "sender",
    "receiver",
    "version",
    "module",
    "interface",
    "method",
    "endpoint",
    "path",
    "object_key",
    "route",
    "http_status",
    "status_code",
    "status_message",
    "milliseconds",
    "request_id",
    "correlation_id",
    "request_body",
    "response_body",
)
LONGEST_WORDS = 2_000
_LONGEST_VERSION = 10
_LONGEST_METHOD = 10
LONGEST_KEY = 255
_LONGEST_PARTY = 6
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_CODES = range(-(2**31), 2**31)
_CONFIGURATION = {"versions", "credentials"}
NOT_MASKED = "(not kept: it cannot be masked)"
_BARE_WAY = {True: Way.HUB, False: Way.DELIVERY}


def row(entry: Entry, known: Endpoints) -> Row:
    """Return the values of `COLUMNS`."""
    return tuple(map(_storable, _values(entry, known)))


def counted(entry: Entry) -> Row:
    """Return what the figures count of an exchange that gets no row of the log."""
    module = endpoints.own(entry.url, entry.method).module[:LONGEST_MODULE]
    code = _code(entry.envelope or envelope.read(entry.response.text))
    return tuple((_certain(entry) | {"module": module, "status_code": code}).values())


def bare(entry: Entry) -> Row:
    """Return a row without any text of a peer's: of what cannot be masked, or held as it is."""
    texts = {
        "sender": str(entry.sender or "")[:_LONGEST_PARTY],
        "receiver": str(entry.receiver or "")[:_LONGEST_PARTY],
        "method": one_line(entry.method, longest=_LONGEST_METHOD),
        "path": NOT_MASKED,
        "status_message": NOT_MASKED,
        "route": _BARE_WAY[entry.is_inbound],
        "request_id": one_line(entry.request_id, longest=LONGEST_KEY),
        "correlation_id": one_line(entry.correlation_id, longest=LONGEST_KEY),
        "request_body": NOT_MASKED if entry.request.size else "",
        "response_body": NOT_MASKED if entry.response.size else "",
    }
    return tuple(map(_storable, (_certain(entry) | texts).values()))


def _certain(entry: Entry) -> dict[str, Any]:
    """Return the columns that say what was measured, and nothing of what was said."""
    return dict.fromkeys(COLUMNS, "") | {
        "at": _moment(entry.at),
        "direction": "in" if entry.is_inbound else "out",
        "platform": entry.platform[:LONGEST_KEY],
        "http_status": _number(entry.http_status),
        "status_code": _code(entry.envelope),
        "milliseconds": round(entry.seconds * 1000, 3),
    }


def _moment(seconds: float) -> datetime:
    """Return when it was, or that it is now where no clock can show it."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.now(UTC)


def _code(answer: Envelope | None) -> int | None:
    return _number(answer.status_code) if answer else None


def _number(code: int | None) -> int | None:
    """Return a code the database can hold (None would be compared with all of the range)."""
    return code if code is not None and code in _CODES else None


def _values(entry: Entry, known: Endpoints) -> Row:
    headers = _routing(entry)
    place = _place(entry, known, headers)
    answer = entry.envelope or envelope.read(entry.response.text)
    path, message, asked, answered = _texts(entry, place, headers, answer)
    return (
        datetime.fromtimestamp(entry.at, UTC),
        "in" if entry.is_inbound else "out",
        place.platform[:LONGEST_KEY],
        str(entry.sender or headers.sender or ""),
        str(entry.receiver or headers.to or ""),
        place.version[:_LONGEST_VERSION],
        place.module[:LONGEST_MODULE],
        place.interface,
        one_line(entry.method, longest=_LONGEST_METHOD),
        place.endpoint,
        path,
        _object_key(entry, place),
        _way(entry, place, answer),
        entry.http_status,
        _code(answer),
        message,
        round(entry.seconds * 1000, 3),
        entry.request_id or _header(entry, REQUEST_ID),
        entry.correlation_id or _header(entry, CORRELATION_ID),
        asked,
        answered,
    )


def _texts(
    entry: Entry, place: Endpoint, headers: RoutingHeaders, answer: Envelope | None
) -> tuple[str, ...]:
    """Return path, words and bodies; what is secret in one of them is hidden in all."""
    path, in_path = _path(entry, place, headers)
    asked, in_asked = masking.body(entry.request, place.module)
    answered, in_answer = masking.body(entry.response, place.module)
    hidden = {*in_path, *in_asked, *in_answer, *_secrets(entry)}
    said = entry.error or (answer and answer.status_message) or ""
    message = one_line(said, longest=LONGEST_WORDS)
    return masking.words((path, message, asked, answered), hidden)


def _storable(value: object) -> object:
    """Replace what PostgreSQL's text cannot hold: NUL, and halves of characters."""
    if not isinstance(value, str):
        return value
    return value.replace("\x00", _REPLACEMENT).encode(errors="replace").decode()


def _routing(entry: Entry) -> RoutingHeaders:
    try:
        return RoutingHeaders.read(entry.headers)
    except InvalidParameters:
        return RoutingHeaders()


def _place(entry: Entry, known: Endpoints, headers: RoutingHeaders) -> Endpoint:
    """Return what an exchange is about; only a URL for results may be anywhere."""
    if entry.is_inbound:
        return replace(endpoints.own(entry.url, entry.method), platform=entry.platform)
    place = _of_peer(entry, known, headers)
    return replace(place, platform=entry.platform or place.platform)


def _of_peer(entry: Entry, known: Endpoints, headers: RoutingHeaders) -> Endpoint:
    receiver = str(headers.to or "")
    place = known.of_peer(entry.url, method=entry.method, receiver=receiver)
    if place.endpoint:
        return place
    if entry.module:
        return replace(place, module=entry.module)
    if headers.sender is None:
        return known.configuring(entry.url, method=entry.method)
    return place


def _path(entry: Entry, place: Endpoint, headers: RoutingHeaders) -> masking.Shown:
    if place.endpoint:
        return masking.path(place.path, place.module, place.interface)
    if entry.is_inbound:
        return masking.unknown_path(place.path)
    if entry.module or headers.sender is None:
        return place.path, set()
    # An endpoint that is not registered any more: what its URLs contain cannot be told.
    scheme, _, rest = place.path.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}/\N{HORIZONTAL ELLIPSIS}", set()


def _object_key(entry: Entry, place: Endpoint) -> str:
    if entry.is_inbound and not entry.platform:
        return ""  # what happened to an object is not for strangers to write
    found = place.object_id() or _posted(entry, place)
    shown = mask(found) if place.module == "tokens" else found
    return fold(one_line(shown, longest=LONGEST_KEY))


def _posted(entry: Entry, place: Endpoint) -> str:
    """Return the id of what has none in its URL."""
    match = place.match(entry.method) if entry.method == "POST" else None
    kind = match.resource.object if match else None
    if kind is None or not kind.posted:
        return ""
    with suppress(ValueError, RecursionError):
        return str(msgspec.json.decode(members(entry.request.text).get(kind.id_field, b'""')))
    return ""


def _secrets(entry: Entry) -> set[str]:
    """Return the tokens of an exchange as they are, and as they stand in a header."""
    return {
        *entry.secrets,
        *(b64encode(text.encode(errors="replace")).decode() for text in entry.secrets),
    }


def _header(entry: Entry, name: str) -> str:
    return one_line(entry.headers.get(name, ""), longest=LONGEST_KEY)


def _way(entry: Entry, place: Endpoint, answer: Envelope | None) -> Way:
    if not entry.is_inbound:
        return entry.way or _own_way(entry, place)
    is_good = answer is None or is_success(answer.status_code)
    if is_good or entry.was_sent or entry.way is Way.STORED:
        return entry.way or Way.HUB
    return Way.REFUSED


def _own_way(entry: Entry, place: Endpoint) -> Way:
    if place.module in _CONFIGURATION:
        return Way.HANDSHAKE
    return Way.PULL if entry.method == "GET" else Way.DELIVERY
