"""The relay of a message to one party, and the answer in that party's words.

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
from hub.store import WriteRequest, cdr_references
from ocpi.errors import NotFound
from ocpi.transport import envelope
from ocpi.transport.pagination import next_link
from ocpi.transport.routing_headers import RoutingHeaders

_NOT_FOUND = 404


def relayed(message: Message, route: Direct) -> Answer:
    """Pass a message on to its party and give its answer back, from that party (TF-62, TF-73)."""
    body_check.check(message)
    destination = route.destination
    refused = command_routing.answer_for_another(message, destination)
    if refused is not None:
        return Answer(envelope.render(data=refused))
    with loop_guard.guarded(message, destination):
        if message.asks_for_results:
            return _asked(message, destination)
        return _passed_on(message, destination)


def returned(message: Message, _route: Returned) -> Answer:
    """Pass a result on to who asked for it, and answer its sender what became of it (CMD-07)."""
    answer, destination = response_urls.passed_on(message)
    return in_its_words(message, destination, answer)


def in_its_words(
    message: Message,
    destination: Destination,
    answer: PeerAnswer,
    more: Mapping[str, str] | None = None,
) -> Answer:
    """Return the answer of a party, from that party, with some headers more."""
    routing = RoutingHeaders(to=message.sender, sender=destination.ref).as_headers()
    headers = {**answer.headers, **(more or {}), **routing}
    return Answer(answer.body, answer.http_status, headers)


def _passed_on(message: Message, destination: Destination) -> Answer:
    request = broadcast.addressed_to(message, destination)
    if request is None or not message.is_posted:
        return _sent(message, destination, request)
    posted_on = partial(_posted_on, message, destination, request)
    return posts_in_flight.once(request, message.platform_id, posted_on)


def _posted_on(message: Message, destination: Destination, request: WriteRequest) -> Answer:
    if store.is_repeated_post(request):  # A retry: the party has it already.
        return broadcast.acknowledged(message, request, store.repeat(request))
    return _sent(message, destination, request)


def _sent(message: Message, destination: Destination, request: WriteRequest | None) -> Answer:
    url = _page_url(message, destination)
    answer = forwarding.send(outbound.of_message(message, destination, url=url))
    headers: dict[str, str] = {}
    if request is not None and (answer.is_success or _is_gone(message, answer)):
        headers |= _remembered(message, request, answer)
    if answer.next_page is not None and message.is_list:
        headers["Link"] = _link_to(message, destination, answer.next_page)
    return in_its_words(message, destination, answer, headers)


def _is_gone(message: Message, answer: PeerAnswer) -> bool:
    """Whether a party has not what it should delete, which comes to the same."""
    return message.method == "DELETE" and answer.http_status == _NOT_FOUND


def _asked(message: Message, destination: Destination) -> Answer:
    """Pass a command or a request about a profile on; results come to the hub (CMD-02)."""
    command_routing.check(message)
    spared = command_routing.too_often(message, destination)
    if spared is not None:
        return Answer(envelope.render(data=spared))
    own, callback = response_urls.substituted(message, destination)
    answer = forwarding.send(outbound.of_message(own, destination))
    response_urls.note_answer(callback, answer)
    return in_its_words(message, destination, answer)


def _link_to(message: Message, destination: Destination, url: str) -> str:
    """Put a URL of the hub in place of the one at which a party's list goes on (TF-42)."""
    page = LinkedPage(message.sender, message.platform_id, destination.ref, url)
    return next_link(page_links.next_page(message.url, page))


def _page_url(message: Message, destination: Destination) -> str | None:
    """Return the party's own URL of a page, if that is still where the party is (A-95)."""
    if message.page is None:
        return None
    url = outbound.own_url(destination, message.page.url)
    if url is None:
        text = "the party has moved; start the list again without it"
        raise NotFound(f"{page_links.PARAMETER}: {text}")
    return url


def _remembered(message: Message, request: WriteRequest, answer: PeerAnswer) -> dict[str, str]:
    """Keep what a party accepted; the hub stands in for the URL where the party keeps it."""
    if broadcast.remember(request) is None or not message.is_posted:
        return {}
    if answer.location is not None:
        with sql.best_effort(f"where {request.audience} keeps what was posted"):
            cdr_references.remember_location(request, answer.location)
    return broadcast.location(message, request)
