"""Outbound requests: a message as its receiver gets it, and what the answer becomes. No I/O.

Spec: 2.2.1 transport and format, message routing; status codes, hub errors. What the receiver's
answer becomes (ST-20), the first that applies:

    HTTP 401, 403                           200, 4003: it is the hub's token that was refused
    any other with an OCPI envelope         the same status, the same bytes
    one that is nearly an envelope          the same status, the same data in an envelope
    HTTP 404 to a GET                       404, the code for an unknown object
    HTTP 429                                200, 4000, and the platform is left alone for a while
    anything else, redirects included       200, 4000
    no answer in time                       200, 4002
    no name, no connection, no TLS          200, 4003
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from yarl import URL

from hub.gateway.message import Message
from hub.gateway.routes import Destination
from hub.store.spelling import spelled_path
from ocpi import client
from ocpi.errors import HubError, NotFound, OcpiError, ReceiverNotConnected
from ocpi.status_codes import is_success
from ocpi.transport import envelope, pagination
from ocpi.transport.message_ids import MessageIds
from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import PartyRef
from parties.epoch import Epoch

_NOT_FOUND = 404
_RELAYABLE_HTTP = range(200, 600)
_OCPI_CODES = range(1000, 10_000)
_HTTP_SUCCESS = range(200, 300)
LONGEST_URL = 2_000
"""Characters of a URL that a receiver gives in Location or Link."""
# The headers of a receiver's answer that the requester gets as they are; both have numbers.
_RELAYED = ("X-Total-Count", "X-Limit")


@dataclass(frozen=True, slots=True)
class PeerAnswer:
    """A receiver's answer that is relayed to the requester.

    `location` is the receiver's URL of a posted object, `next_page` that of the rest of its list;
    None where it gave none that the hub can use.
    """

    http_status: int
    body: bytes
    headers: Mapping[str, str]
    is_success: bool
    location: str | None
    next_page: str | None


@dataclass(frozen=True, slots=True)
class Outbound:
    """A request to a party, as the hub sends it.

    `unknown` is the error that a 404 without envelope becomes. The answer may take `seconds`, None:
    `HUB_REQUEST_TIMEOUT`. `about` describes the request to operators; it `is_single` when it asks
    for one object. What is remembered of the `epoch` is good for it.
    """

    method: str
    url: str
    destination: Destination
    sender: PartyRef
    ids: MessageIds
    body: bytes = b""
    unknown: type[OcpiError] = NotFound
    seconds: float | None = None
    about: str = ""
    is_single: bool = False
    epoch: Epoch | None = None

    def headers(self) -> dict[str, str]:
        """Return the routing headers, a new request id, and the correlation id of the message."""
        routing = RoutingHeaders(to=self.destination.ref, sender=self.sender)
        return routing.as_headers() | self.ids.next_hop().as_headers()


def of_message(message: Message, destination: Destination, *, url: str | None = None) -> Outbound:
    """Return a message as its receiver gets it: below its endpoint, or at the `url` it gave."""
    below = client.join(destination.endpoint or "", _path(message, destination))
    return Outbound(
        method=message.method,
        url=url or client.with_query(below, message.query),
        destination=destination,
        sender=message.sender,
        ids=message.message_ids,
        body=message.body,
        unknown=message.kind.unknown if message.kind else NotFound,
        seconds=_driver_seconds(destination) if message.resource.real_time else None,
        about=f"{message.method} {message.module}",
        is_single=message.method == "GET" and not message.is_list,
        epoch=message.epoch,
    )


def _path(message: Message, destination: Destination) -> str:
    """Return the path as it came, or in the letters of the object that is put there."""
    is_object = message.kind is not None and message.method == "PUT" and len(message.ids) == 1
    if not destination.one_spelling or not is_object or message.kind is None:
        return message.path
    return spelled_path(message.path, message.kind, message.body.decode(errors="replace"))


def _driver_seconds(destination: Destination) -> float:
    """Return the seconds a driver waits for this eMSP."""
    return destination.authorize_seconds or settings.HUB_AUTHORIZE_TIMEOUT


def answer(request: Outbound, outcome: client.Reply | client.PeerError) -> PeerAnswer | OcpiError:
    """Return what a receiver's answer, or its absence, becomes, by the table above."""
    if isinstance(outcome, client.PeerError):
        return outcome.as_ocpi()
    if outcome.refuses_token:
        return token_refused(request.destination)
    if outcome.status_code in _OCPI_CODES and outcome.http_status in _RELAYABLE_HTTP:
        return _in_its_words(request, outcome)
    return _without_envelope(request, outcome)


def token_refused(destination: Destination) -> ReceiverNotConnected:
    """Return the error for HTTP 401 and 403: they refuse the hub's token, not the requester's."""
    text = f"{destination.ref} refuses the hub's credentials; the two operators must mend them"
    return ReceiverNotConnected(text)


def _in_its_words(request: Outbound, reply: client.Reply) -> PeerAnswer:
    link = pagination.read_link(reply.headers.get("Link"), base_url=request.url)
    return PeerAnswer(
        reply.http_status,
        _body(reply),
        _headers(reply),
        is_success=reply.http_status in _HTTP_SUCCESS and is_success(reply.status_code or 0),
        location=own_url(request.destination, reply.headers.get("Location")),
        next_page=own_url(request.destination, link),
    )


def _body(reply: client.Reply) -> bytes:
    """Return an envelope as it came; one that was none, as everybody can read it."""
    read = reply.envelope
    if read is None or not read.is_repaired:
        return reply.body
    return envelope.render(
        status_code=read.status_code, data=read.data, message=read.status_message
    )


def _headers(reply: client.Reply) -> dict[str, str]:
    found = {name: reply.headers.get(name, "").strip() for name in _RELAYED}
    return {name: value for name, value in found.items() if value.isascii() and value.isdigit()}


def own_url(destination: Destination, given: str | None) -> str | None:
    """Return a URL the receiver gave, made absolute; None when the hub must not call it (A-95).

    At another origin than the endpoint's, the hub's token would reach somebody else.
    """
    if not given:
        return None
    endpoint = destination.endpoint or ""
    try:
        url = URL(endpoint).join(URL(given.strip(), encoded=True))
        is_its_own = url.origin() == URL(endpoint).origin()
        text = str(url)
    except ValueError:
        return None
    return text if is_its_own and text.isascii() and len(text) <= LONGEST_URL else None


def _without_envelope(request: Outbound, reply: client.Reply) -> OcpiError:
    receiver = request.destination.ref
    if reply.is_throttled:
        return HubError(f"{receiver} throttles requests (HTTP 429): try again later")
    if reply.http_status == _NOT_FOUND and request.method == "GET":
        return request.unknown(f"{receiver} has nothing at this URL", http_status=404)
    text = f"{receiver} answered HTTP {reply.http_status} without an OCPI envelope"
    words = reply.words
    return HubError(f"{text}: {words}" if words else text)
