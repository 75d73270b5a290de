"""Passing a message on, now, and its answer back: never queued, never changed.

Spec: 2.2.1 transport and format, message routing; status codes, hub errors. No database connection
is held while waiting. What the receiver's answer becomes (ST-20), the first that applies:

    HTTP 401, 403                           200, 4003: it is the hub's token that was refused
    any other with an OCPI envelope         the same status, the same bytes
    HTTP 404 to a GET                       404, the code for an unknown object
    HTTP 429                                200, 4000, and the platform is left alone for a while
    anything else, redirects included       200, 4000
    no answer in time                       200, 4002
    no name, no connection, no TLS          200, 4003
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from django.conf import settings
from yarl import URL

from database import sql
from hub.gateway import bulkhead, observations, peer_feedback
from hub.gateway.message import Message
from hub.gateway.routing import Destination
from ocpi import client
from ocpi.errors import HubError, NotFound, OcpiError
from ocpi.status_codes import is_success
from ocpi.transport import pagination
from ocpi.transport.message_ids import MessageIds
from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import PartyRef
from parties import observed_habits, outbound_auth

_NOT_FOUND = 404
_SENDABLE = range(200, 600)
_CODES = range(1000, 10_000)
_HTTP_SUCCESS = range(200, 300)
LONGEST_URL = 2_000
"""Characters of a URL of its own that a receiver names: Location, Link."""
# Headers of the receiver's answer that mean something to the requester: numbers, all of them.
_RELAYED = ("X-Total-Count", "X-Limit")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the requester gets in the receiver's own words.

    `location` is the URL at which the receiver keeps what was posted, and `next_page` that of the
    rest of its list, where it told them.
    """

    http_status: int
    body: bytes
    headers: Mapping[str, str]
    is_success: bool
    location: str | None
    next_page: str | None


@dataclass(frozen=True, slots=True)
class Outbound:
    """A request to a party, as the hub sends it; `unknown` is what a bare 404 means.

    `about` names it to an operator; it `is_single` when it asks for one object.
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


def outbound(message: Message, destination: Destination, *, url: str | None = None) -> Outbound:
    """Return a message as its receiver shall get it.

    It goes below the receiver's endpoint, or to the `url` the receiver gave for it.
    """
    below = client.join(destination.endpoint or "", message.path)
    kind = message.module.object
    return Outbound(
        method=message.method,
        url=url or client.list_url(below, message.query),
        destination=destination,
        sender=message.sender,
        ids=message.ids,
        body=message.body,
        unknown=kind.unknown if kind else NotFound,
        seconds=_patience(destination) if message.is_authorization else None,
        about=f"{message.method} {message.module.identifier}",
        is_single=message.method == "GET" and not message.is_list,
    )


def _patience(destination: Destination) -> float:
    """Return the seconds a driver waits for this eMSP."""
    return destination.authorize_seconds or settings.HUB_AUTHORIZE_TIMEOUT


def send(request: Outbound) -> Answer:
    """Send a request to a party, once; raises `OcpiError` where no answer can be relayed."""
    platform_id = request.destination.platform_id
    peer = outbound_auth.peer_of(platform_id)
    sql.release()
    with waiting(platform_id):
        reply = _exchange(request, peer)
    return relayed(request, reply)


def waiting(platform_id: int) -> AbstractContextManager[None]:
    """Take a place among the messages that wait for a platform's answer; 4003 if there is none."""
    threads = settings.HUB_WEB_THREADS
    most = min(settings.HUB_REQUESTS_PER_PEER, max(1, threads // 4))
    return bulkhead.place(platform_id, most=most, in_all=max(1, threads - 2))


def headers(request: Outbound) -> dict[str, str]:
    """Return the headers of a request: from whom, to whom, and a new id in the same exchange."""
    routing = RoutingHeaders(to=request.destination.ref, sender=request.sender)
    return routing.as_headers() | request.ids.next_hop().as_headers()


def _exchange(request: Outbound, peer: client.Peer) -> client.Reply:
    try:
        reply = client.shared().request(
            request.method,
            request.url,
            peer=peer,
            headers=headers(request),
            body=request.body or None,
            seconds=request.seconds,
        )
    except client.PeerError as error:
        peer_feedback.failure(request.destination, error, about=request.about)
        raise error.as_ocpi() from error
    peer_feedback.answer(
        request.destination, reply, about=request.about, is_single=request.is_single
    )
    return reply


def relayed(request: Outbound, reply: client.Reply) -> Answer:
    """Map the receiver's answer to the requester's by the table above."""
    if reply.refuses_token:
        raise peer_feedback.token_refused(request.destination)
    if reply.status_code in _CODES and reply.http_status in _SENDABLE:
        return _answer(request, reply)
    raise _without_envelope(request, reply)


def _answer(request: Outbound, reply: client.Reply) -> Answer:
    destination = request.destination
    link = pagination.read_link(reply.headers.get("Link"), base_url=request.url)
    location = own_url(destination, reply.headers.get("Location"))
    next_page = own_url(destination, link)
    observed_habits.note(
        destination.platform_id, observations.of_link(request.about, reply, usable=next_page)
    )
    if request.method == "POST":
        met = observations.of_location(request.about, reply, usable=location)
        observed_habits.note(destination.platform_id, met)
    return Answer(
        reply.http_status,
        reply.body,
        _headers(reply),
        is_success=reply.http_status in _HTTP_SUCCESS and is_success(reply.status_code or 0),
        location=location,
        next_page=next_page,
    )


def _headers(reply: client.Reply) -> dict[str, str]:
    found = {name: reply.headers.get(name, "").strip() for name in _RELAYED}
    return {name: value for name, value in found.items() if value.isascii() and value.isdigit()}


def own_url(destination: Destination, given: str | None) -> str | None:
    """Resolve a URL of the receiver's; at another host our token is meant for nobody (A-95)."""
    endpoint = destination.endpoint or ""
    try:
        url = URL(endpoint).join(URL((given or "").strip(), encoded=True))
        is_its_own = bool(given) and url.origin() == URL(endpoint).origin()
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
    return HubError(f"{receiver} answered HTTP {reply.http_status} without an OCPI envelope")
