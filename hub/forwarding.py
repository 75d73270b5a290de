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

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from hub import admission, in_flight
from hub.messages import Message
from hub.routing import Destination
from ocpi import client
from ocpi.errors import HubError, NotFound, OcpiError, ReceiverNotConnected
from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import PartyRef
from parties import database, peers
from parties.models import Platform
from parties.registration import record_failure

log = logging.getLogger(__name__)

_REFUSED_OUR_TOKEN = {401, 403}
_NOT_FOUND = 404
_TOO_MANY = 429
_SENDABLE = range(200, 600)
_CODES = range(1000, 10_000)
_PAUSE_SECONDS = 10.0
_LONGEST_PAUSE_SECONDS = 300.0
# Headers of the receiver's answer that mean something to the requester: numbers, all of them.
_RELAYED = ("X-Total-Count", "X-Limit")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the requester gets in the receiver's own words."""

    http_status: int
    body: bytes
    headers: Mapping[str, str]


def forward(message: Message, destination: Destination) -> Answer:
    """Send a message to its receiver once; raises `OcpiError` where no answer can be relayed."""
    admission.check(message, receiver=destination.ref)
    peer = peers.peer_of(destination.platform_id)
    database.release()
    threads = settings.HUB_WEB_THREADS
    most = min(settings.HUB_REQUESTS_PER_PEER, max(1, threads // 4))
    with in_flight.place(destination.platform_id, most=most, in_all=max(1, threads - 2)):
        reply = _exchange(message, destination, peer)
    return _relayed(message, destination, reply)


def _exchange(message: Message, destination: Destination, peer: client.Peer) -> client.Reply:
    routing = RoutingHeaders(to=destination.ref, sender=message.sender).as_headers()
    url = client.join(destination.endpoint or "", message.path)
    try:
        return client.shared().request(
            message.method,
            client.list_url(url, message.query),
            peer=peer,
            headers=routing | message.ids.next_hop().as_headers(),
            body=message.body or None,
        )
    except client.PeerError as error:
        log.warning("%s could not be asked: %s", destination.ref, error)
        raise error.as_ocpi() from error


def _relayed(message: Message, destination: Destination, reply: client.Reply) -> Answer:
    """Map the receiver's answer to the requester's by the table above."""
    if reply.http_status in _REFUSED_OUR_TOKEN:
        raise _token_refused(destination)
    if reply.http_status == _TOO_MANY:
        _leave_alone(destination.platform_id, reply.retry_after)
    if reply.status_code in _CODES and reply.http_status in _SENDABLE:
        return Answer(reply.http_status, reply.body, _headers(reply))
    raise _without_envelope(message, destination.ref, reply.http_status)


def _headers(reply: client.Reply) -> dict[str, str]:
    found = {name: reply.headers.get(name, "").strip() for name in _RELAYED}
    return {name: value for name, value in found.items() if value.isascii() and value.isdigit()}


def _token_refused(destination: Destination) -> OcpiError:
    """Flag the connection for the operator; the requester's token is not what was refused."""
    text = f"{destination.ref} refuses the hub's credentials; the two operators must mend them"
    error = ReceiverNotConnected(text)
    log.error("connection in trouble: %s", error)
    record_failure(destination.platform_id, error)
    return error


def _leave_alone(platform_id: int, retry_after: float | None) -> None:
    """Send nothing to a platform that throttles for as long as it says, within reason."""
    seconds = _PAUSE_SECONDS if retry_after is None else retry_after
    until = timezone.now() + timedelta(seconds=min(seconds, _LONGEST_PAUSE_SECONDS))
    Platform.objects.filter(pk=platform_id).update(next_attempt_at=until)


def _without_envelope(message: Message, receiver: PartyRef, status: int) -> OcpiError:
    if status == _TOO_MANY:
        return HubError(f"{receiver} throttles requests (HTTP 429): try again later")
    if status == _NOT_FOUND and message.method == "GET":
        unknown = message.module.object.unknown if message.module.object else NotFound
        return unknown(f"{receiver} has nothing at this URL", http_status=404)
    return HubError(f"{receiver} answered HTTP {status} without an OCPI envelope")
