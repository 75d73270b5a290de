"""One message to a functional module, from the request that came in to its answer.

Spec: 2.2.1 transport and format. Authenticate, read, decide the route, let its handler answer; what
is raised on the way becomes an answer here. No framework has a part in it: URLs are matched against
the declarations of the modules, so a new module needs nothing here.
"""

from dataclasses import dataclass, field
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
from hub.gateway.routes import Broadcast, Open
from hub.gateway.steps import in_thread
from hub.pull import outages
from ocpi.errors import OcpiError
from ocpi.transport.error_answer import as_ocpi, error_answer, is_failure
from ocpi.transport.routing_headers import RoutingHeaders
from parties import rate_limits
from parties.authentication import Presented, authenticate
from parties.caller import Caller
from parties.hub_identity import hub_party

_JSON = {"Content-Type": "application/json"}


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

    For `hub.gateway.steps.carry_out`: it begins in a thread.
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
    received, hub = exchange.received, hub_party()
    caller = exchange.caller = authenticate(exchange.presented)
    rate_limits.check_platform(caller)
    try:
        message = gateway_message.read(received, caller, records, exchange.endpoint)
    except OcpiError:
        exchange.routing = RoutingHeaders(to=requester(received.headers, caller), sender=hub)
        raise
    exchange.routing = RoutingHeaders(to=message.sender, sender=hub)
    peer_feedback.of_message(message)
    found = await _handled(message, PartyDirectory(hub, message.holder, message.epoch))
    if found.findings:
        peer_feedback.of_object(message, found.findings)
    return found


async def _handled(message: Message, directory: PartyDirectory) -> Answer:
    """Decide the route, log it, and answer by its handler."""
    route = routing.decide(message, directory)
    if isinstance(route, Open):
        route = open_routing.decide(message, directory)
    message_log.on_routed(message, route)
    found = await HANDLERS[type(route)](message, route)
    if isinstance(route, Broadcast):
        wake_up.publish(message.module)
    return found


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
