"""What a routed message is answered with: the receiver's words, an acknowledgement, or stored text.

Spec: 2.2.1 transport and format (response format, pagination, routing headers); A-23, A-37.
"""

from collections.abc import Mapping
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpResponse

from hub import forwarding, opening, store
from hub.messages import Message
from hub.policy import POLICIES, Policy
from hub.routing import Destination
from hub.store import Incoming
from ocpi.errors import HubError, NotFound
from ocpi.server import OcpiResponse
from ocpi.transport.pagination import PageRequest, next_link
from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import InterfaceRole
from ocpi.versions import VERSIONS
from parties.announcement import endpoint_url

_FILTERS = ("date_from", "date_to")
_FINDINGS_TOLD = 20


def relayed(message: Message, destination: Destination) -> HttpResponse:
    """Pass a message on to its party and give its answer back, from that party (TF-62, TF-73)."""
    answer = forwarding.forward(message, destination)
    routing = RoutingHeaders(to=message.sender, sender=destination.ref).as_headers()
    return HttpResponse(
        answer.body,
        status=answer.http_status,
        content_type="application/json",
        headers={**answer.headers, **routing},
    )


def accepted(message: Message) -> HttpResponse:
    """Store a push addressed to the hub and acknowledge it; what is odd about it is mentioned."""
    applied = store.apply(
        Incoming(
            module=message.module,
            policy=_policy(message),
            version=message.version,
            method=message.method,
            owner=message.owner,
            ids=message.object_ids,
            path=message.path,
            body=message.body,
            correlation_id=message.ids.correlation_id,
        )
    )
    odd = "; ".join(str(finding) for finding in applied.findings[:_FINDINGS_TOLD])
    return OcpiResponse(
        http_status=201 if applied.created else 200, message=f"accepted; {odd}" if odd else None
    )


def stored(message: Message) -> HttpResponse:
    """Serve from what the hub keeps: a page of a list, or one object."""
    return _page(message) if message.is_list else _single(message)


def _page(message: Message) -> HttpResponse:
    asked = PageRequest.read(message.parameters)
    most: int = settings.HUB_PAGE_LIMIT
    limit = min(asked.limit or settings.HUB_PAGE_LIMIT_DEFAULT, most)
    page = store.page(_policy(message), opening.viewer(message), asked, limit=limit)
    headers = {"X-Total-Count": str(page.total), "X-Limit": str(most)}
    if page.cursor is not None:
        position = {"offset": asked.offset + page.count, "limit": limit, "cursor": page.cursor}
        headers["Link"] = next_link(_next_url(message, position))
    return OcpiResponse(page.data, headers=headers)


def _next_url(message: Message, position: Mapping[str, object]) -> str:
    """Return the URL of the next page: the filters as they were spelled, and where it starts."""
    endpoint = endpoint_url(VERSIONS[message.version], message.module.identifier, message.interface)
    given = message.parameters
    filters = {name: given[name] for name in _FILTERS if given.get(name)}
    return f"{endpoint}?{urlencode({**filters, **position})}"


def _single(message: Message) -> HttpResponse:
    """Serve one object: the caller's own, or one it may see (A-23, LOC-15)."""
    policy, kind = _policy(message), message.module.object
    if kind is None:
        raise NotFound(f"{message.module.identifier} has no objects to get")
    receiving = message.interface is InterfaceRole.RECEIVER
    owner = message.owner if receiving else opening.owner(message)
    return OcpiResponse(store.get(policy, kind, owner=owner, ids=message.object_ids))


def _policy(message: Message) -> Policy:
    """Return how the module is kept; the hub keeps nothing of a module that is only forwarded."""
    module = message.module.identifier
    if module not in POLICIES:
        why = "set OCPI-to-country-code and OCPI-to-party-id"
        raise HubError(f"{module} must be addressed to a party, not to the hub: {why}")
    return POLICIES[module]
