"""Answers from the store: a page of a list, or one object.

Spec: 2.2.1 transport and format (pull, pagination); mod_cdrs; A-23, A-46, A-95.
"""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

from django.conf import settings

from hub import store
from hub.gateway import broadcast, forwarding, open_routing, outbound, page_links, relay
from hub.gateway.directory import PartyDirectory
from hub.gateway.http import Answer
from hub.gateway.message import Message
from hub.gateway.routes import Addressee, Direct, Stored
from hub.gateway.routing import decide_for
from hub.gateway.steps import in_thread
from hub.store import ObjectQuery, cdr_references
from hub.store.cdr_references import Posted
from ocpi.errors import NotFound, OcpiError
from ocpi.transport import envelope
from ocpi.transport.pagination import PageRequest, next_link
from ocpi.types import InterfaceRole
from parties.holders import ref_of
from parties.hub_identity import hub_party

_FILTERS = ("date_from", "date_to")


async def serve_stored(message: Message, _route: Stored) -> Answer:
    """Answer a GET from the store: a page of a list, or one object."""
    await in_thread()
    return _page(message) if message.is_list else await _single(message)


def _page(message: Message) -> Answer:
    page_request = PageRequest.read(message.parameters)
    if page_request.cursor is not None:
        page_request = replace(page_request, cursor=page_links.open_cursor(page_request.cursor))
    most: int = settings.HUB_PAGE_LIMIT
    limit = min(page_request.limit or settings.HUB_PAGE_LIMIT_DEFAULT, most)
    page = store.page(
        broadcast.policy_of(message),
        open_routing.viewer(message),
        page_request,
        limit=limit,
        by_arrival=message.quirks.filter_by_arrival,
    )
    headers = {"X-Total-Count": str(page.total), "X-Limit": str(most)}
    if page.cursor is not None:
        cursor = page_links.seal_cursor(f"{page.cursor}-{message.sender}-{message.platform_id}")
        position = {"offset": page_request.offset + page.count, "limit": limit, "cursor": cursor}
        headers["Link"] = next_link(_next_url(message, position))
    return Answer(envelope.render(data=page.data, message=_left_out(page)), headers=headers)


def _left_out(page: store.ObjectPage) -> str | None:
    """Tell a reader that takes only what is right how much its list lacks."""
    if not page.left_out:
        return None
    objects = "1 object breaks" if page.left_out == 1 else f"{page.left_out:,} objects break"
    return f"{objects} the specification's tables and, as agreed, not in this list"


def _next_url(message: Message, position: Mapping[str, object]) -> str:
    """Return the URL of the next page: the filters as they were given, and its position."""
    given = message.parameters
    filters = {name: given[name] for name in _FILTERS if given.get(name)}
    return f"{message.url}?{urlencode({**filters, **position})}"


async def _single(message: Message) -> Answer:
    """Answer with one object: the caller's own, or one it may see (A-23, LOC-15)."""
    policy, kind = broadcast.policy_of(message), message.kind
    if kind is None:
        raise NotFound(f"{message.module} has no objects to get")
    if message.is_posted:
        return await _posted(message)
    own = message.interface is InterfaceRole.RECEIVER
    query = ObjectQuery(
        owner=message.holder if own else open_routing.owner(message),
        ids=message.ids,
        variant=message.variant,
        reader=None if own else message.holder,
    )
    return Answer(envelope.render(data=store.get(policy, kind, query)))


async def _posted(message: Message) -> Answer:
    """Answer its sender with what it posted: from the receiver's URL, else the hub's copy."""
    found = cdr_references.by_reference(message.ids[0])
    if found is None or found.owner != message.holder:
        raise NotFound("nothing that this party posted is at this URL")
    try:
        from_receiver = await _from_receiver(message, found)
    except OcpiError:  # what was posted never changes, so the hub's copy is as good
        from_receiver = None
    return from_receiver or Answer(envelope.render(data=found.text.encode()))


async def _from_receiver(message: Message, found: Posted) -> Answer | None:
    addressee = Addressee(ref_of(found.audience), found.audience)
    decided = decide_for(
        addressee, message, PartyDirectory(hub_party(), message.holder, message.epoch)
    )
    if not isinstance(decided, Direct):
        return None
    url = outbound.own_url(decided.destination, found.remote_location)
    if url is None:
        return None
    answer = await forwarding.send(outbound.of_message(message, decided.destination, url=url))
    return relay.in_its_words(message, decided.destination, answer) if answer.is_success else None
