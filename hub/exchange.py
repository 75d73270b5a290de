"""One message to a functional module, from the request that came in to its answer.

Spec: 2.2.1 transport and format. Authenticate, read, decide the route, let its handler answer; what
is raised on the way becomes an answer here. No framework has a part in it: URLs are matched against
the declarations of the modules, so a new module needs nothing here.
"""

from dataclasses import dataclass, field
from functools import partial
from time import perf_counter

from hub import message_log
from hub.delivery import wake_up
from hub.gateway import message as gateway_message
from hub.gateway import open_routing, peer_feedback, records, routing
from hub.gateway.directory import PartyDirectory
from hub.gateway.endpoint import EndpointURL
from hub.gateway.handlers import HANDLERS
from hub.gateway.http import Answer, Received
from hub.gateway.implied_sender import requester
from hub.gateway.message import Message
from hub.gateway.routes import Broadcast, Decided, Open
from hub.gateway.steps import in_thread, remembered, waiting
from hub.pull import outages
from ocpi.errors import OcpiError, Unauthenticated
from ocpi.transport.error_answer import as_ocpi, error_answer, is_failure
from ocpi.transport.routing_headers import RoutingHeaders
from parties import epoch, rate_limits
from parties.authentication import Presented, authenticate, count_stranger
from parties.caller import Caller
from parties.epoch import Epoch
from parties.hub_identity import hub_party

_JSON = {"Content-Type": "application/json"}
_MOST_BYTES_ON_LOOP = 65_536
"""Longer bodies are read in a thread: meanwhile others are answered."""


@dataclass(slots=True)
class _Exchange:
    """What is known of a request so far: its caller, and the routing headers of the hub's answer.

    A party's answer has routing headers of its own (A-18).
    """

    received: Received
    endpoint: EndpointURL
    presented: Presented
    caller: Caller | None = None
    routing: RoutingHeaders = field(default_factory=RoutingHeaders)


async def answer(received: Received, endpoint: EndpointURL) -> Answer:
    """Answer a request of any method, even one that OCPI does not have; raises nothing.

    For `hub.gateway.steps.carry_out`: it begins on the event loop.
    """
    started = perf_counter()
    exchange = _Exchange(received, endpoint, Presented(received.headers, received.address))
    error: OcpiError | None = None
    try:
        found = await _answered(exchange)
    except Exception as raised:  # noqa: BLE001 - `as_ocpi` logs what is none of OCPI's
        error = as_ocpi(raised, request_id=received.ids.request_id)
        refusal = error_answer(error)
        found = Answer(refusal.body, refusal.http_status, refusal.headers)
    routing, ids = exchange.routing.as_headers(), received.ids.as_headers()
    complete = Answer(found.body, found.http_status, {**_JSON, **routing, **found.headers, **ids})
    await _tell(exchange, complete, error, seconds=perf_counter() - started)
    return complete


async def _answered(exchange: _Exchange) -> Answer:
    """Answer a request; raises whatever is wrong with it."""
    now = await waiting(epoch.awaited.current)
    if len(exchange.received.body.content or b"") > _MOST_BYTES_ON_LOOP:
        await in_thread()
    caller = exchange.caller = await _authenticated(exchange.presented, now)
    if not rate_limits.is_counted(caller):
        await in_thread()
        rate_limits.check_platform(caller)
    message = await remembered(partial(_read, exchange, caller))
    peer_feedback.of_message(message)
    found = await _handled(message)
    if found.findings:
        peer_feedback.of_object(message, found.findings)
    return found


async def _authenticated(presented: Presented, now: Epoch) -> Caller:
    try:
        return await remembered(partial(authenticate, presented, now))
    except Unauthenticated:
        await in_thread()
        count_stranger(presented)
        raise


def _read(exchange: _Exchange, caller: Caller) -> Message:
    received, hub = exchange.received, hub_party()
    try:
        message = gateway_message.read(received, caller, records, exchange.endpoint)
    except OcpiError:
        exchange.routing = RoutingHeaders(to=requester(received.headers, caller), sender=hub)
        raise
    exchange.routing = RoutingHeaders(to=message.sender, sender=hub)
    return message


async def _handled(message: Message) -> Answer:
    """Decide the route, log it, and answer by its handler."""
    route = await remembered(partial(_route, message))
    message_log.on_routed(message, route)
    found = await HANDLERS[type(route)](message, route)
    if isinstance(route, Broadcast):
        wake_up.publish(message.module)
    return found


def _route(message: Message) -> Decided:
    directory = PartyDirectory(hub_party(), message.holder, message.epoch)
    route = routing.decide(message, directory)
    return open_routing.decide(message, directory) if isinstance(route, Open) else route


async def _tell(
    exchange: _Exchange, complete: Answer, error: OcpiError | None, *, seconds: float
) -> None:
    """Tell those who want to know of every answer; no failure of theirs changes it."""
    received, caller = exchange.received, exchange.caller
    message_log.on_answered(
        message_log.AnsweredRequest(
            method=received.method,
            path=received.path,
            query=received.query,
            headers=received.headers,
            ids=received.ids,
            caller=exchange.presented.token_of,
            body=received.body.read,
            http_status=complete.http_status,
            answer=complete.body,
            seconds=seconds,
        )
    )
    owes_reading = outages.note_answer(
        received.method,
        platform_id=caller.platform_id if caller else None,
        http_status=complete.http_status,
        has_failed=error is not None and is_failure(error),
    )
    if owes_reading:
        await in_thread()
        outages.make_up()
