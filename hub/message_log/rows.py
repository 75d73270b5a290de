"""Rows of the message log, made from entries: who, about what, with which outcome, no secrets.

An entry becomes a row with its texts masked; a row without texts if they cannot be masked or if the
database does not take them; or a row that is only counted, if strangers send too many requests.
"""

from base64 import b64encode
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import msgspec

from hub.masking.personal import mask_value
from hub.message_log import endpoints, masking
from hub.message_log.endpoints import Endpoint, Endpoints
from hub.message_log.entry import LONGEST_MESSAGE, Entry, LoggedRoute
from hub.message_log.sql import LogRow
from hub.store.raw_json import members
from ocpi.errors import InvalidParameters
from ocpi.status_codes import is_success
from ocpi.transport import envelope
from ocpi.transport.envelope import Envelope
from ocpi.transport.message_ids import CORRELATION_ID, REQUEST_ID
from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import fold, one_line
from parties.models.columns import LONGEST_MODULE

_LONGEST_VERSION = 10
_LONGEST_METHOD = 10
LONGEST_KEY = 255
_LONGEST_PARTY = 6
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_CODES_IN_DATABASE = range(-(2**31), 2**31)
"""PostgreSQL's integer."""
_CONFIGURATION = {"versions", "credentials"}
NOT_MASKED = "(not kept: it cannot be masked)"


def masked_row(entry: Entry, known: Endpoints) -> LogRow:
    """Return the row of an exchange, with its texts masked."""
    headers = _routing_headers(entry)
    endpoint = _endpoint(entry, known, headers)
    answer = entry.envelope or envelope.read(entry.response.text)
    path, message, request_body, response_body = _masked_texts(entry, endpoint, headers, answer)
    row = LogRow(
        at=datetime.fromtimestamp(entry.at, UTC),
        direction="in" if entry.is_inbound else "out",
        platform=endpoint.platform[:LONGEST_KEY],
        sender=str(entry.sender or headers.sender or ""),
        receiver=str(entry.receiver or headers.to or ""),
        version=endpoint.version[:_LONGEST_VERSION],
        module=endpoint.module[:LONGEST_MODULE],
        interface=endpoint.interface,
        method=one_line(entry.method, longest=_LONGEST_METHOD),
        endpoint=endpoint.endpoint,
        path=path,
        object_key=_object_key(entry, endpoint),
        route=_route(entry, endpoint, answer),
        http_status=entry.http_status,
        status_code=_code(answer),
        status_message=message,
        milliseconds=round(entry.seconds * 1000, 3),
        request_id=entry.request_id or _header(entry, REQUEST_ID),
        correlation_id=entry.correlation_id or _header(entry, CORRELATION_ID),
        request_body=request_body,
        response_body=response_body,
    )
    return LogRow._make(map(_storable, row))


def counted_row(entry: Entry) -> LogRow:
    """Return what the figures need of an exchange that is not written, as a row."""
    module = endpoints.endpoint_of_hub(entry.url, entry.method).module[:LONGEST_MODULE]
    code = _code(entry.envelope or envelope.read(entry.response.text))
    return _measured_row(entry)._replace(module=module, status_code=code)


def textless_row(entry: Entry) -> LogRow:
    """Return a row without any text of a peer's, for one that cannot be masked or stored."""
    row = _measured_row(entry)._replace(
        sender=str(entry.sender or "")[:_LONGEST_PARTY],
        receiver=str(entry.receiver or "")[:_LONGEST_PARTY],
        method=one_line(entry.method, longest=_LONGEST_METHOD),
        path=NOT_MASKED,
        status_message=NOT_MASKED,
        route=LoggedRoute.HUB if entry.is_inbound else LoggedRoute.DELIVERY,
        request_id=one_line(entry.request_id, longest=LONGEST_KEY),
        correlation_id=one_line(entry.correlation_id, longest=LONGEST_KEY),
        request_body=NOT_MASKED if entry.request.size else "",
        response_body=NOT_MASKED if entry.response.size else "",
    )
    return LogRow._make(map(_storable, row))


def _measured_row(entry: Entry) -> LogRow:
    """Return a row with what the hub itself measured, times and codes, and no texts."""
    return LogRow(
        at=_time_of(entry.at),
        direction="in" if entry.is_inbound else "out",
        platform=entry.platform[:LONGEST_KEY],
        http_status=_number(entry.http_status),
        status_code=_code(entry.envelope),
        milliseconds=round(entry.seconds * 1000, 3),
    )


def _time_of(seconds: float) -> datetime:
    """Return the time of an exchange; the present time if `datetime` cannot represent it."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.now(UTC)


def _code(answer: Envelope | None) -> int | None:
    return _number(answer.status_code) if answer else None


def _number(code: int | None) -> int | None:
    """Return a code that PostgreSQL's integer can hold, else None."""
    # Not `None in range(...)`: that would compare None with each of four thousand million numbers.
    return code if code is not None and code in _CODES_IN_DATABASE else None


def _masked_texts(
    entry: Entry, endpoint: Endpoint, headers: RoutingHeaders, answer: Envelope | None
) -> tuple[str, ...]:
    """Return path, status message and both bodies; a value that is masked in one is in all."""
    path, hidden_in_path = _path(entry, endpoint, headers)
    request_body, hidden_in_request = masking.mask_body(entry.request, endpoint.module)
    response_body, hidden_in_response = masking.mask_body(entry.response, endpoint.module)
    hidden = {*hidden_in_path, *hidden_in_request, *hidden_in_response}
    hidden |= _secrets_in_all_forms(entry)
    status_message = entry.error or (answer and answer.status_message) or ""
    message = one_line(status_message, longest=LONGEST_MESSAGE)
    return masking.mask_in_all((path, message, request_body, response_body), hidden)


def _storable(value: object) -> object:
    """Replace what PostgreSQL's text cannot hold: NUL, and lone surrogates."""
    if not isinstance(value, str):
        return value
    return value.replace("\x00", _REPLACEMENT).encode(errors="replace").decode()


def _routing_headers(entry: Entry) -> RoutingHeaders:
    if not entry.headers:
        return RoutingHeaders()
    try:
        return RoutingHeaders.read(entry.headers)
    except InvalidParameters:
        return RoutingHeaders()


def _endpoint(entry: Entry, known: Endpoints, headers: RoutingHeaders) -> Endpoint:
    """Return the endpoint that an exchange was with, and the path behind it."""
    if entry.endpoint is not None:
        return entry.endpoint
    if entry.is_inbound:
        return replace(endpoints.endpoint_of_hub(entry.url, entry.method), platform=entry.platform)
    endpoint = _endpoint_of_peer(entry, known, headers)
    return replace(endpoint, platform=entry.platform or endpoint.platform)


def _endpoint_of_peer(entry: Entry, known: Endpoints, headers: RoutingHeaders) -> Endpoint:
    receiver = str(headers.to or "")
    endpoint = known.of_peer(entry.url, method=entry.method, receiver=receiver)
    if endpoint.endpoint:
        return endpoint
    if entry.module:
        return replace(endpoint, module=entry.module)
    if headers.sender is None:
        return known.of_configuration_call(entry.url, method=entry.method)
    return endpoint


def _path(entry: Entry, endpoint: Endpoint, headers: RoutingHeaders) -> masking.Masked:
    if endpoint.endpoint:
        return masking.mask_path(endpoint.path, endpoint.module, endpoint.interface)
    if entry.is_inbound:
        return masking.mask_unknown_path(endpoint.path)
    if entry.module or headers.sender is None:
        return endpoint.path, set()
    # A message to an endpoint that is not registered any more: no telling which part of its URL may
    # be the id of a token, so only the host is kept.
    scheme, _, rest = endpoint.path.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}/\N{HORIZONTAL ELLIPSIS}", set()


def _object_key(entry: Entry, endpoint: Endpoint) -> str:
    if entry.is_inbound and not entry.platform:
        return ""  # otherwise strangers could add to the history of any object
    object_id = _object_id(entry, endpoint)
    masked = mask_value(object_id) if endpoint.module == "tokens" else object_id
    return fold(one_line(masked, longest=LONGEST_KEY))


def _object_id(entry: Entry, endpoint: Endpoint) -> str:
    """Return the id in the URL, or in the body of what is POSTed (a CDR): its URL has none."""
    named = endpoint.object_id() if entry.object_id is None else entry.object_id
    if named:
        return named
    member = entry.posted_id if entry.object_id is not None else endpoint.posted_id(entry.method)
    if not member:
        return ""
    with suppress(ValueError, RecursionError):
        return str(msgspec.json.decode(members(entry.request.text).get(member, b'""')))
    return ""


def _secrets_in_all_forms(entry: Entry) -> set[str]:
    """Return the tokens of an exchange, plain and in Base64 as in an Authorization header."""
    return {
        *entry.secrets,
        *(b64encode(text.encode(errors="replace")).decode() for text in entry.secrets),
    }


def _header(entry: Entry, name: str) -> str:
    return one_line(entry.headers.get(name, ""), longest=LONGEST_KEY)


def _route(entry: Entry, endpoint: Endpoint, answer: Envelope | None) -> LoggedRoute:
    """Return the route of a message; REFUSED if it failed before anything was sent or stored."""
    if not entry.is_inbound:
        return entry.route or _route_of_own_call(entry, endpoint)
    is_good = answer is None or is_success(answer.status_code)
    if is_good or entry.was_sent or entry.route is LoggedRoute.STORED:
        return entry.route or LoggedRoute.HUB
    return LoggedRoute.REFUSED


def _route_of_own_call(entry: Entry, endpoint: Endpoint) -> LoggedRoute:
    if endpoint.module in _CONFIGURATION:
        return LoggedRoute.HANDSHAKE
    return LoggedRoute.PULL if entry.method == "GET" else LoggedRoute.DELIVERY
