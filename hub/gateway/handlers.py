"""What a routed message is answered with: the receiver's words, an acknowledgement, or stored text.

Spec: 2.2.1 transport and format (response format, pagination, routing headers); A-23, A-37.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpResponse

from database import sql
from hub import store
from hub.gateway import (
    authorization,
    broadcast,
    command_routing,
    forwarding,
    loop_guard,
    observations,
    open_routing,
    page_links,
    permission,
    posts_in_flight,
    response_urls,
)
from hub.gateway.directory import PartyDirectory
from hub.gateway.forwarding import Answer
from hub.gateway.message import Message
from hub.gateway.routing import Destination, Direct, Meant, decide_for
from hub.store import Applied, Incoming, Wanted, cdr_references
from ocpi.errors import NotFound, OcpiError
from ocpi.server import OcpiResponse
from ocpi.transport.pagination import PageRequest, next_link
from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import InterfaceRole
from ocpi.versions import VERSIONS
from parties import observed_habits
from parties.holders import ref_of
from parties.hub_identity import endpoint_url, hub_party

_FILTERS = ("date_from", "date_to")
_FINDINGS_TOLD = 20
_NOT_FOUND = 404


def relayed(message: Message, destination: Destination) -> HttpResponse:
    """Pass a message on to its party and give its answer back, from that party (TF-62, TF-73)."""
    permission.check(message)
    refused = command_routing.answer_for_another(message, destination)
    if refused is not None:
        return OcpiResponse(refused)
    with loop_guard.guarded(message, destination):
        if response_urls.asks_for_results(message):
            return _asked(message, destination)
        return _passed_on(message, destination)


def _passed_on(message: Message, destination: Destination) -> HttpResponse:
    incoming = broadcast.addressed_to(message, destination)
    if incoming is None or not message.is_posted:
        return _sent(message, destination, incoming)
    posted_on = partial(_posted_on, message, destination, incoming)
    return posts_in_flight.once(incoming, message.platform_id, posted_on)


def _posted_on(message: Message, destination: Destination, incoming: Incoming) -> HttpResponse:
    if store.check_same(incoming):  # A retry: the party has it already.
        return _acknowledged(message, incoming, store.repeat(incoming))
    return _sent(message, destination, incoming)


def _sent(message: Message, destination: Destination, incoming: Incoming | None) -> HttpResponse:
    answer = forwarding.send(
        forwarding.outbound(message, destination, url=_page_url(message, destination))
    )
    headers = dict(answer.headers)
    if incoming is not None and (answer.is_success or _is_gone(message, answer)):
        headers |= _remembered(message, incoming, answer)
    if answer.next_page is not None and message.is_list:
        headers["Link"] = _link_to(message, destination, answer.next_page)
    return _in_its_words(message, destination, answer, headers)


def _is_gone(message: Message, answer: Answer) -> bool:
    """Tell whether a party has not what it should delete, which comes to the same."""
    return message.method == "DELETE" and answer.http_status == _NOT_FOUND


def _asked(message: Message, destination: Destination) -> HttpResponse:
    """Pass a command or a request about a profile on; results come to the hub (CMD-02)."""
    command_routing.check(message)
    spared = command_routing.too_often(message, destination)
    if spared is not None:
        return OcpiResponse(spared)
    own, callback = response_urls.substituted(message, destination)
    answer = forwarding.send(forwarding.outbound(own, destination))
    response_urls.note_answer(callback, answer)
    return _in_its_words(message, destination, answer, answer.headers)


def of_result(message: Message) -> HttpResponse:
    """Pass a result on to who asked for it, and tell its sender what became of it (CMD-07)."""
    answer, destination = response_urls.passed_on(message)
    return _in_its_words(message, destination, answer, answer.headers)


def authorized(message: Message) -> HttpResponse:
    """Give the answer of whichever eMSP allows a driver whose token nobody here knows (TOK-14)."""
    permission.check(message)
    answer, destination = authorization.ask_all(
        message, PartyDirectory(hub_party(), message.holder)
    )
    return _in_its_words(message, destination, answer, answer.headers)


def _link_to(message: Message, destination: Destination, url: str) -> str:
    """Put a URL of the hub in place of the one at which a party's list goes on (TF-42)."""
    page = page_links.Page(message.sender, message.platform_id, destination.ref, url)
    return next_link(page_links.next_page(_endpoint(message), page))


def _page_url(message: Message, destination: Destination) -> str | None:
    """Return the party's own URL of a page, if that is still where the party is (A-95)."""
    if message.page is None:
        return None
    url = forwarding.own_url(destination, message.page.url)
    if url is None:
        text = "the party has moved; start the list again without it"
        raise NotFound(f"{page_links.PARAMETER}: {text}")
    return url


def _endpoint(message: Message) -> str:
    version = VERSIONS[message.version]
    return endpoint_url(version, message.module.identifier, message.interface)


def _remembered(message: Message, incoming: Incoming, answer: Answer) -> dict[str, str]:
    """Keep what a party accepted; the hub stands in for the URL where the party keeps it."""
    if broadcast.remember(incoming) is None or not message.is_posted:
        return {}
    if answer.location is not None:
        with sql.forgiving(f"where {incoming.audience} keeps what was posted"):
            cdr_references.remember_location(incoming, answer.location)
    return _location(message, incoming)


def _in_its_words(
    message: Message, destination: Destination, answer: Answer, headers: Mapping[str, str]
) -> HttpResponse:
    routing = RoutingHeaders(to=message.sender, sender=destination.ref).as_headers()
    return HttpResponse(
        answer.body,
        status=answer.http_status,
        content_type="application/json",
        headers={**headers, **routing},
    )


def accepted(message: Message) -> HttpResponse:
    """Store a push addressed to the hub and acknowledge it; what is odd about it is mentioned."""
    incoming = broadcast.addressed_to_hub(message)
    if not message.is_posted:
        return _stored(message, incoming)
    return posts_in_flight.once(incoming, message.platform_id, partial(_stored, message, incoming))


def _stored(message: Message, incoming: Incoming) -> HttpResponse:
    return _acknowledged(message, incoming, store.apply(incoming))


def _acknowledged(message: Message, incoming: Incoming, applied: Applied) -> HttpResponse:
    observed_habits.note(message.platform_id, observations.of_object(message, applied.findings))
    odd = "; ".join(str(finding) for finding in applied.findings[:_FINDINGS_TOLD])
    return OcpiResponse(
        http_status=201 if applied.created else 200,
        message=f"accepted; {odd}" if odd else None,
        headers=_location(message, incoming) if message.is_posted else {},
    )


def _location(message: Message, incoming: Incoming) -> dict[str, str]:
    """Name the hub's own URL of what was posted (CDR-02), which is stored whether or not."""
    with sql.forgiving("the Location of what was posted"):
        return {"Location": f"{_endpoint(message)}/{cdr_references.reference_of(incoming)}"}
    return {}


def stored(message: Message) -> HttpResponse:
    """Serve from what the hub keeps: a page of a list, or one object."""
    return _page(message) if message.is_list else _single(message)


def _page(message: Message) -> HttpResponse:
    asked = PageRequest.read(message.parameters)
    if asked.cursor is not None:
        asked = replace(asked, cursor=page_links.position(asked.cursor))
    most: int = settings.HUB_PAGE_LIMIT
    limit = min(asked.limit or settings.HUB_PAGE_LIMIT_DEFAULT, most)
    page = store.page(
        broadcast.policy_of(message), open_routing.viewer(message), asked, limit=limit
    )
    headers = {"X-Total-Count": str(page.total), "X-Limit": str(most)}
    if page.cursor is not None:
        cursor = page_links.cursor(f"{page.cursor}-{message.sender}-{message.platform_id}")
        position = {"offset": asked.offset + page.count, "limit": limit, "cursor": cursor}
        headers["Link"] = next_link(_next_url(message, position))
    return OcpiResponse(page.data, headers=headers)


def _next_url(message: Message, position: Mapping[str, object]) -> str:
    """Return the URL of the next page: the filters as they were spelled, and where it starts."""
    given = message.parameters
    filters = {name: given[name] for name in _FILTERS if given.get(name)}
    return f"{_endpoint(message)}?{urlencode({**filters, **position})}"


def _single(message: Message) -> HttpResponse:
    """Serve one object: the caller's own, or one it may see (A-23, LOC-15)."""
    policy, kind = broadcast.policy_of(message), message.module.object
    if kind is None:
        raise NotFound(f"{message.module.identifier} has no objects to get")
    if message.is_posted:
        return _posted(message)
    own = message.interface is InterfaceRole.RECEIVER
    wanted = Wanted(
        owner=message.holder if own else open_routing.owner(message),
        ids=message.object_ids,
        variant=message.variant,
        reader=None if own else message.holder,
    )
    return OcpiResponse(store.get(policy, kind, wanted))


def _posted(message: Message) -> HttpResponse:
    """Serve what was posted to whoever posted it: from its receiver's URL, or the hub's copy."""
    found = cdr_references.by_reference(message.object_ids[0])
    if found is None or found.owner != message.holder:
        raise NotFound("nothing that this party posted is at this URL")
    meant = Meant(ref_of(found.audience), found.audience)
    decided = decide_for(meant, message.address, PartyDirectory(hub_party(), message.holder))
    if not isinstance(decided, Direct):
        return OcpiResponse(found.text)
    try:
        url = forwarding.own_url(decided.destination, found.remote_location)
        if url is None:
            return OcpiResponse(found.text)
        answer = forwarding.send(forwarding.outbound(message, decided.destination, url=url))
    except OcpiError:  # gone, or its keeper is: what was posted has not changed
        return OcpiResponse(found.text)
    if not answer.is_success:
        return OcpiResponse(found.text)
    return _in_its_words(message, decided.destination, answer, answer.headers)
