"""The relay of a message to one party, answered in that party's own words.

Spec: 2.2.1 transport and format (response format, pagination, routing headers); mod_cdrs,
mod_commands; A-23, A-37, A-95, A-96.
"""

from collections.abc import Mapping
from functools import partial

from database import sql
from hub import store
from hub.gateway import (
    body_check,
    broadcast,
    command_routing,
    forwarding,
    loop_guard,
    outbound,
    page_links,
    posts_in_flight,
    response_urls,
)
from hub.gateway.http import Answer
from hub.gateway.message import Message
from hub.gateway.outbound import PeerAnswer
from hub.gateway.page_links import LinkedPage
from hub.gateway.routes import Destination, Direct, Returned
from hub.gateway.steps import in_thread
from hub.store import WriteRequest, cdr_references
from ocpi.errors import NotFound
from ocpi.transport import envelope
from ocpi.transport.pagination import next_link
from ocpi.transport.routing_headers import RoutingHeaders

_NOT_FOUND = 404


async def relay_message(message: Message, route: Direct) -> Answer:
    """Forward a message to its party and return the party's answer (TF-62, TF-73)."""
    destination = route.destination
    if _may_block(message, destination):
        await in_thread()
    body_check.check(message)
    refused = command_routing.answer_about_others_session(message, destination)
    if refused is not None:
        return Answer(envelope.render(data=refused))
    with loop_guard.guarded(message, destination):
        if message.asks_for_results:
            return await _send_command(message, destination)
        return await _pass_on(message, destination)


def _may_block(message: Message, destination: Destination) -> bool:
    """Whether database or Redis are asked first: not for plain reads and authorizations."""
    between_hubs = message.is_from_hub or destination.is_behind_hub
    is_command = message.asks_for_results or message.resource.about is not None
    return between_hubs or is_command or broadcast.is_kept_push(message)


async def return_result(message: Message, _route: Returned) -> Answer:
    """Forward a result to the requester; its sender gets the requester's answer (CMD-07)."""
    await in_thread()
    answer, destination = await response_urls.forward_result(message)
    return in_its_words(message, destination, answer)


def in_its_words(
    message: Message,
    destination: Destination,
    answer: PeerAnswer,
    more_headers: Mapping[str, str] | None = None,
) -> Answer:
    """Return the answer of a party with routing headers that say it is from that party."""
    routing = RoutingHeaders(to=message.sender, sender=destination.ref).as_headers()
    headers = {**answer.headers, **(more_headers or {}), **routing}
    return Answer(answer.body, answer.http_status, headers)


async def _pass_on(message: Message, destination: Destination) -> Answer:
    request = broadcast.direct_write_request(message, destination)
    if request is None or not message.is_posted:
        return await _send(message, destination, request)
    post = partial(_pass_on_post, message, destination, request)
    return await posts_in_flight.post_once(request, message.platform_id, post)


async def _pass_on_post(
    message: Message, destination: Destination, request: WriteRequest
) -> Answer:
    repeated = store.repeat_post(request)
    if repeated is not None:  # a retry: the party has the object already
        return broadcast.acknowledgement(message, repeated)
    return await _send(message, destination, request)


async def _send(message: Message, destination: Destination, request: WriteRequest | None) -> Answer:
    url = _page_url(message, destination)
    answer = await forwarding.send(outbound.of_message(message, destination, url=url))
    headers: dict[str, str] = {}
    if request is not None and (answer.is_success or _is_gone(message, answer)):
        await in_thread()
        headers |= _remembered(message, request, answer)
    if answer.next_page is not None and message.is_list:
        headers["Link"] = _link_to(message, destination, answer.next_page)
    return in_its_words(message, destination, answer, headers)


def _is_gone(message: Message, answer: PeerAnswer) -> bool:
    """Whether a party was to delete what it does not have: as good as deleted."""
    return message.method == "DELETE" and answer.http_status == _NOT_FOUND


async def _send_command(message: Message, destination: Destination) -> Answer:
    """Forward a command or a charging profile request; its results come to the hub (CMD-02)."""
    command_routing.check(message)
    too_often = command_routing.too_often_answer(message, destination)
    if too_often is not None:
        return Answer(envelope.render(data=too_often))
    rewritten, callback = response_urls.substitute(message, destination)
    answer = await forwarding.send(outbound.of_message(rewritten, destination))
    await in_thread()
    response_urls.note_answer(callback, answer)
    return in_its_words(message, destination, answer)


def _link_to(message: Message, destination: Destination, url: str) -> str:
    """Return a Link to the hub in place of the party's own to its next page (TF-42)."""
    page = LinkedPage(message.sender, message.platform_id, destination.ref, url)
    return next_link(page_links.next_page(message.url, page))


def _page_url(message: Message, destination: Destination) -> str | None:
    """Return the party's own URL of the page asked for, None when none is.

    Raises `NotFound` when the party has moved to another host since it gave the link (A-95).
    """
    if message.page is None:
        return None
    url = outbound.own_url(destination, message.page.url)
    if url is None:
        text = "the party has moved; start the list again without it"
        raise NotFound(f"{page_links.PARAMETER}: {text}")
    return url


def _remembered(message: Message, request: WriteRequest, answer: PeerAnswer) -> dict[str, str]:
    """Store what a party accepted; of a posted object, return the hub's own Location header."""
    applied = broadcast.remember(request)
    if applied is None or not message.is_posted:
        return {}
    if answer.location is not None:
        with sql.best_effort(f"where {request.audience} keeps what was posted"):
            cdr_references.remember_location(request, answer.location)
    return broadcast.location_header(message, applied)
