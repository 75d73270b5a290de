"""A message to a functional module, read once and checked before anything is done with it.

Spec: 2.2.1 transport and format; A-01, A-06, A-22, A-32 of the ambiguities.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple, Self
from urllib.parse import parse_qsl, unquote

from hub.gateway import implied_sender, page_links
from hub.gateway.endpoint import EndpointURL
from hub.gateway.http import Received
from hub.gateway.implied_sender import Records
from hub.gateway.page_links import LinkedPage
from hub.gateway.routes import Kept
from hub.gateway.routing import sender_of
from hub.module_policy import POLICIES
from hub.store.identity import object_key
from ocpi.errors import Finding, InvalidParameters, MethodNotAllowed, NotFound
from ocpi.modules import Interface, Kind, Match, Module, ObjectType, Resource
from ocpi.transport.message_ids import CORRELATION_ID, REQUEST_ID, MessageIds
from ocpi.transport.paths import segments
from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import InterfaceRole, ModuleID, PartyRef, Role
from ocpi.validation import as_object, decode
from ocpi.versions import VERSIONS
from parties.caller import Caller
from parties.epoch import Epoch
from parties.hub_identity import endpoint_url, hub_party, served_version
from parties.quirks import Quirks
from parties.role_pairs import implements, stands_in

WITH_BODY = frozenset({"PUT", "PATCH", "POST"})
_IDS = (REQUEST_ID.lower(), CORRELATION_ID.lower())


# No slots in these three: `_message` copies `vars()` of the two bases, and `cached_property` needs
# a `__dict__` for the decoded `value`.
@dataclass(frozen=True)
class RequestTarget:
    """What a URL and a method lead to: a resource of one side of a module, and an object there.

    path         what follows the endpoint's URL, as sent
    parameters   those of the query, decoded; of a repeated one the last counts
    values       the variable steps of the path by name; among them are the next two
    url_owner    the party in the path that owns the object, if there is one
    ids          those of the object and of the addressed part of it
    kind         the type of the object, None where the resource has no objects
    variant      its type of token, where the query names one
    key          what the store finds the object under; empty without ids
    kept         what the hub keeps of the resource

    It `is_posted` when the hub keeps the object and it is created by POST, like a CDR; it
    `is_result` when results are sent to it. It `asks_for_results` when the body or query has a
    `response_url`.
    """

    version: str
    module: ModuleID
    interface: InterfaceRole
    resource: Resource
    path: str
    values: Mapping[str, str]
    parameters: Mapping[str, str]
    kind: ObjectType | None
    kept: Kept
    url_owner: PartyRef | None
    ids: tuple[str, ...]
    variant: str | None
    key: str
    is_list: bool
    is_posted: bool
    is_result: bool
    asks_for_results: bool

    @property
    def url(self) -> str:
        """The hub's own URL of the resource, without a query."""
        endpoint = endpoint_url(VERSIONS[self.version], self.module, self.interface)
        return f"{endpoint}/{self.path}" if self.path else endpoint


@dataclass(frozen=True)
class MessageParties:
    """The parties of a message: its sender, the owner of the object, and the receiver it names.

    `to` is None without TO headers. The store files what the owner has under the name of a
    `holder`; behind another hub, owner and holder are not the sender but one of that hub's parties.
    The sender `is_inferred` when there were no FROM headers. `page` is the page of a party's list
    when the URL is a page link.
    """

    sender: PartyRef
    owner: PartyRef
    holder: str
    to: PartyRef | None
    is_from_hub: bool
    is_inferred: bool
    page: LinkedPage | None


@dataclass(frozen=True)
class Message(RequestTarget, MessageParties):
    """A request whose resource, method and sender have been checked.

    `query` is what follows the `?`, as sent; `quirks` are those of the sender's platform. It
    `is_correlated` when its sender gave a correlation id; it `lacks_ids` when its sender left out
    X-Correlation-ID or X-Request-ID. What is remembered of the `epoch` in which it came is good for
    it.
    """

    method: str
    query: str
    body: bytes
    message_ids: MessageIds
    platform_id: int
    quirks: Quirks
    is_correlated: bool
    lacks_ids: bool
    epoch: Epoch | None = field(default=None, compare=False)

    @cached_property
    def value(self) -> object:
        """Its body, decoded at the first access; raises what `ocpi.validation.decode` does."""
        return decode(self.body)

    @property
    def content(self) -> dict[str, object]:
        return as_object(self.value)


def read(received: Received, caller: Caller, records: Records, endpoint: EndpointURL) -> Message:
    """Read a request; raises `OcpiError` for one that is wrong wherever it is routed to."""
    version, side, module = endpoint
    declared, interface = _declared(version, side, module)
    if caller.version not in {"", version}:
        records.check_version(version, caller)
    url = _Url.read(received, "ocpi", *endpoint)
    target = _target(received.method, url, declared, interface, version=version)
    parties = _parties(received, url, target, caller, records)
    message = _message(received, target, parties, caller)
    _check_owner(message, caller)
    if message.page is not None:
        page_links.check(message.page, message.sender, message.platform_id, to=message.to)
    _check_variant(target.kind, url)
    return message


class _Url(NamedTuple):
    """What follows the endpoint's URL, and the decoded parameters of the query.

    `given` are the parameters with a value, `contradicted` the names with several values.
    """

    path: str
    parameters: dict[str, str]
    given: dict[str, str]
    contradicted: frozenset[str]

    @classmethod
    def read(cls, received: Received, *endpoint: str) -> Self:
        path = _suffix(received.path, *endpoint)
        pairs = parse_qsl(received.query, keep_blank_values=True)
        parameters = dict(pairs)
        contradicted = frozenset(name for name, value in pairs if parameters[name] != value)
        given = {name: value for name, value in pairs if value}
        return cls(path, parameters, given, contradicted)


def _declared(version: str, side: str, module: str) -> tuple[Module, InterfaceRole]:
    """Return the module and interface in the URL; `NotFound` if the hub does not serve them."""
    role, declared = side.upper(), served_version(version).modules.get(ModuleID(module))
    if declared is None or not declared.functional or role not in declared.interfaces:
        text = f"the hub serves no {side} interface of {module} in {version}"
        raise NotFound(f"{text}; the version details list what it serves")
    return declared, InterfaceRole(role)


def _suffix(path: str, *prefix: str) -> str:
    """Return what follows the endpoint's URL, raw, without slashes at its end (A-01)."""
    _, *parts = path.split("/")
    if tuple(map(unquote, parts[: len(prefix)])) != prefix:
        raise NotFound("there is nothing at this URL; a slash of its fixed part is encoded")
    return "/".join(parts[len(prefix) :]).rstrip("/")


def _target(
    method: str, url: _Url, module: Module, interface: InterfaceRole, *, version: str
) -> RequestTarget:
    match = _match(module.interfaces[interface], url.path, method)
    resource, kind, ids = match.resource, match.resource.object, match.ids
    kept, receiving = _kept(module, kind), interface is InterfaceRole.RECEIVER
    variant = url.parameters.get(kind.variant.member) if kind and kind.variant else None
    return RequestTarget(
        version=version,
        module=module.identifier,
        interface=interface,
        resource=resource,
        path=url.path,
        values=match.values,
        parameters=url.parameters,
        kind=kind,
        kept=kept,
        url_owner=match.owner,
        ids=ids,
        variant=variant,
        key=object_key(kind, ids[0], variant) if kind and ids else "",
        is_list=resource.kind is Kind.LIST,
        is_posted=receiving and kind is not None and kind.posted and kept is not Kept.NOTHING,
        is_result=resource.kind is Kind.RESULT,
        asks_for_results=module.asks_for_results(resource, interface),
    )


def _match(interface: Interface, path: str, method: str) -> Match:
    """Return the resource behind the path, which must take the method (TF-14, TF-52)."""
    steps = segments(path)
    match = interface.match(steps, method)
    if match is not None and method in match.resource.methods:
        return match
    elsewhere = {each for resource in interface.resources for each in resource.methods}
    if match is None and method in elsewhere:
        raise NotFound(f"/{path} leads to no resource of this interface")
    allowed = interface.allowed(steps) if match else elsewhere
    raise MethodNotAllowed(f"{method} is not supported here", allowed=sorted(allowed))


def _kept(module: Module, kind: ObjectType | None) -> Kept:
    """Return what the hub keeps of a resource: it keeps one type of a module's objects at most."""
    policy = POLICIES.get(module.identifier)
    if policy is None or kind is None or kind is not module.kept:
        return Kept.NOTHING
    return Kept.FOR_ONE if policy.personal else Kept.FOR_ALL


def _parties(
    received: Received, url: _Url, target: RequestTarget, caller: Caller, records: Records
) -> MessageParties:
    headers, page = _routing(received, caller), _page(url, target)
    cursor = url.given.get("cursor")
    named = headers.sender if cursor is None else implied_sender.of_cursor(cursor, headers, caller)
    if named is None:
        named = _implied_sender(target, page, caller, records)
    is_inferred = named is None
    if named is None and caller.quirks.owner_speaks:
        named = implied_sender.of_owner(_owner_named(target, received), caller)
    parties = [(party.role, party.ref) for party in caller.parties]
    sender = sender_of(named, parties, target.module, target.interface)
    is_from_hub = any(role is Role.HUB for role, _ in parties)
    owner = target.url_owner or sender
    # In a broadcast of another hub the sender is that hub; the object's owner is in the URL.
    filed_as = owner if is_from_hub and target.interface is InterfaceRole.RECEIVER else sender
    holders = (party.holder for party in caller.parties if party.ref == filed_as)
    return MessageParties(
        sender=sender,
        owner=owner,
        holder=next(holders, str(filed_as)),
        to=headers.to or (page.owner if page else None),
        is_from_hub=is_from_hub,
        is_inferred=is_inferred,
        page=page,
    )


def _routing(received: Received, caller: Caller) -> RoutingHeaders:
    """Read the routing headers; to itself is to the hub for a platform with that quirk."""
    headers = RoutingHeaders.read(received.headers)
    is_itself = headers.to in caller.refs and headers.sender in {None, headers.to}
    return replace(headers, to=hub_party()) if caller.quirks.to_self and is_itself else headers


def _owner_named(target: RequestTarget, received: Received) -> PartyRef | None:
    """Return whom a URL or a posted object names as the owner of what is written."""
    if target.interface is not InterfaceRole.RECEIVER:
        return None
    if target.is_posted and received.method == "POST":
        return implied_sender.owner_in(received.body())
    return target.url_owner


def _page(url: _Url, target: RequestTarget) -> LinkedPage | None:
    """Return the page of a party's list when the URL is a page link, else None."""
    sealed = url.given.get(page_links.PARAMETER) if target.is_list else None
    return page_links.read(sealed, endpoint=target.url) if sealed is not None else None


def _implied_sender(
    target: RequestTarget, page: LinkedPage | None, caller: Caller, records: Records
) -> PartyRef | None:
    """Return the caller's party that the hub made this URL for; None when it made it for none."""
    implied = page.reader if page else None
    if target.is_result:
        implied = implied_sender.of_result(target.ids[0], target.module, caller, records)
    elif target.is_posted and target.ids:
        implied = implied_sender.of_posted(target.ids[0], caller, records)
    return implied if implied in caller.refs else None


def _message(
    received: Received, target: RequestTarget, parties: MessageParties, caller: Caller
) -> Message:
    request_id, correlation_id = map(received.headers.get, _IDS)
    return Message(
        **vars(target),
        **vars(parties),
        method=received.method,
        query=received.query,
        body=received.body() if received.method in WITH_BODY else b"",
        message_ids=received.ids,
        platform_id=caller.platform_id,
        quirks=caller.quirks,
        is_correlated=(correlation_id or "").strip() == received.ids.correlation_id,
        lacks_ids=not (request_id and correlation_id),
        epoch=caller.epoch,
    )


def _check_variant(kind: ObjectType | None, url: _Url) -> None:
    """Refuse a query with two variants: some receivers take the first, others the last."""
    if kind is not None and kind.variant is not None and kind.variant.member in url.contradicted:
        finding = Finding(kind.variant.member, "stands more than once in the query")
        raise InvalidParameters(findings=(finding,))


def _may_own(role: Role, module: ModuleID, interface: InterfaceRole) -> bool:
    """Whether a role may own objects that go to a party, not to the hub (CP-11): stand-ins too."""
    return implements(role, module, interface) or stands_in(role, module, interface)


def _check_owner(message: Message, caller: Caller) -> None:
    """Refuse a client owned object that is not the sender's (TF-48, A-32).

    404, as the specification allows, so as not to reveal whether such an object exists.
    """
    if message.interface is not InterfaceRole.RECEIVER:
        return
    owner, sending = message.owner, InterfaceRole.SENDER
    owns = _may_own if message.to not in {None, hub_party()} else implements
    own = (party.ref for party in caller.parties if owns(party.role, message.module, sending))
    if owner not in own:
        text = f"{owner} is no party of this platform that owns {message.module}"
        raise NotFound(f"{text}; an owner writes under its own country_code and party_id")
    if owner != message.sender and not message.is_from_hub:
        text = f"the URL says {owner}, but OCPI-from says {message.sender}"
        raise InvalidParameters(f"{text}: an owner speaks for itself")
