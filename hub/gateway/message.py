"""A message to a functional module, read once and checked before anything is done with it.

Spec: 2.2.1 transport and format; A-01, A-06, A-22, A-32 of the ambiguities.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self
from urllib.parse import parse_qsl, unquote

from hub.gateway import implied_sender, page_links
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
from parties.hub_identity import endpoint_url, hub_party, served_version
from parties.role_pairs import implements, stands_in

WITH_BODY = frozenset({"PUT", "PATCH", "POST"})


# Without slots, all three: a message is made of the `vars` of two, and keeps its decoded `value`.
@dataclass(frozen=True)
class Called:
    """What a URL and a method lead to: a resource of one side of a module, and an object there.

    `path` is what follows the endpoint's URL, as sent; the `parameters` of the query are decoded,
    of a repeated one the last counts. `values` are the variable steps of the path: the party that
    owns the object, if it is a `url_owner` there, and the `ids` of the object, which is of a
    `kind`, and of its parts. The store finds it under a `key`, which is empty without ids.
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
        """The hub's own URL of what it is about, without a query."""
        endpoint = endpoint_url(VERSIONS[self.version], self.module, self.interface)
        return f"{endpoint}/{self.path}" if self.path else endpoint


@dataclass(frozen=True)
class Speaker:
    """Who sends a message, whose the object is, and to whom it goes: None when it names nobody.

    What its sender owns and gets is filed under the name of a `holder`; another hub sends what is
    of one of its parties, whose it is then. It `is_inferred` when it did not name itself; `page` is
    the page of a party's list that it follows a link to.
    """

    sender: PartyRef
    owner: PartyRef
    holder: str
    to: PartyRef | None
    is_from_hub: bool
    is_inferred: bool
    page: LinkedPage | None


@dataclass(frozen=True)
class Message(Called, Speaker):
    """A request whose resource, method and sender are known to be right.

    `query` is what follows the `?`, as sent. It `is_correlated` when its sender named the exchange
    it belongs to, `lacks_ids` when it named no exchange or request.
    """

    method: str
    query: str
    body: bytes
    message_ids: MessageIds
    platform_id: int
    is_correlated: bool
    lacks_ids: bool

    @cached_property
    def value(self) -> object:
        """Its body, decoded when somebody first asks; raises what `ocpi.validation.decode` does."""
        return decode(self.body)

    @property
    def content(self) -> dict[str, object]:
        return as_object(self.value)


def read(
    received: Received, caller: Caller, records: Records, *, version: str, side: str, module: str
) -> Message:
    """Read a request; raises `OcpiError` for what need not be routed at all."""
    declared, interface = _declared(version, side, module)
    if caller.version not in {"", version}:
        records.check_version(version, caller)
    url = _Url.read(received, "ocpi", version, side, module)
    called = _called(received.method, url, declared, interface, version=version)
    speaker = _speaker(received, url, called, caller, records)
    message = _message(received, called, speaker, caller)
    _check_owner(message, caller)
    if message.page is not None:
        page_links.check(message.page, message.sender, message.platform_id, to=message.to)
    _check_variant(called.kind, url)
    return message


class _Url(NamedTuple):
    """What follows the endpoint's URL, and the decoded parameters behind it.

    `given` are the parameters that say something, `contradicted` those that say several things.
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
    """Return the module and the side of it that are called; `NotFound` if the hub has none such."""
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


def _called(
    method: str, url: _Url, module: Module, interface: InterfaceRole, *, version: str
) -> Called:
    match = _match(module.interfaces[interface], url.path, method)
    resource, kind, ids = match.resource, match.resource.object, match.ids
    kept, receiving = _kept(module, kind), interface is InterfaceRole.RECEIVER
    variant = url.parameters.get(kind.variant.member) if kind and kind.variant else None
    return Called(
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
    """Return what the hub keeps of a resource: of a module, objects of one type at most."""
    policy = POLICIES.get(module.identifier)
    if policy is None or kind is None or kind is not module.kept:
        return Kept.NOTHING
    return Kept.FOR_ONE if policy.personal else Kept.FOR_ALL


def _speaker(
    received: Received, url: _Url, called: Called, caller: Caller, records: Records
) -> Speaker:
    headers, page = RoutingHeaders.read(received.headers), _page(url, called)
    cursor = url.given.get("cursor")
    named = headers.sender if cursor is None else implied_sender.of_cursor(cursor, headers, caller)
    if named is None:
        named = _implied_sender(called, page, caller, records)
    parties = [(party.role, party.ref) for party in caller.parties]
    sender = sender_of(named, parties, called.module, called.interface)
    is_from_hub = any(role is Role.HUB for role, _ in parties)
    owner = called.url_owner or sender
    # Another hub names itself when it broadcasts; whose the object is, the URL says.
    filed_as = owner if is_from_hub and called.interface is InterfaceRole.RECEIVER else sender
    holders = (party.holder for party in caller.parties if party.ref == filed_as)
    return Speaker(
        sender=sender,
        owner=owner,
        holder=next(holders, str(filed_as)),
        to=headers.to or (page.owner if page else None),
        is_from_hub=is_from_hub,
        is_inferred=named is None,
        page=page,
    )


def _page(url: _Url, called: Called) -> LinkedPage | None:
    """Return the page of a party's list that a link of the hub's leads to."""
    sealed = url.given.get(page_links.PARAMETER) if called.is_list else None
    return page_links.read(sealed, endpoint=called.url) if sealed is not None else None


def _implied_sender(
    called: Called, page: LinkedPage | None, caller: Caller, records: Records
) -> PartyRef | None:
    """Return for which party of the caller the hub made the URL that is called, if for one."""
    implied = page.reader if page else None
    if called.is_result:
        implied = implied_sender.of_result(called.ids[0], called.module, caller, records)
    elif called.is_posted and called.ids:
        implied = implied_sender.of_posted(called.ids[0], caller, records)
    return implied if implied in caller.refs else None


def _message(received: Received, called: Called, speaker: Speaker, caller: Caller) -> Message:
    correlation_id = received.headers.get(CORRELATION_ID, "").strip()
    return Message(
        **vars(called),
        **vars(speaker),
        method=received.method,
        query=received.query,
        body=received.body() if received.method in WITH_BODY else b"",
        message_ids=received.ids,
        platform_id=caller.platform_id,
        is_correlated=correlation_id == received.ids.correlation_id,
        lacks_ids=not all(map(received.headers.get, (REQUEST_ID, CORRELATION_ID))),
    )


def _check_variant(kind: ObjectType | None, url: _Url) -> None:
    """Refuse a query that names two variants: some readers take the first, others the last."""
    if kind is not None and kind.variant is not None and kind.variant.member in url.contradicted:
        finding = Finding(kind.variant.member, "stands more than once in the query")
        raise InvalidParameters(findings=(finding,))


def _may_own(role: Role, module: ModuleID, interface: InterfaceRole) -> bool:
    """Whether objects can be a party's when it sends them to another by name (CP-11)."""
    return implements(role, module, interface) or stands_in(role, module, interface)


def _check_owner(message: Message, caller: Caller) -> None:
    """Refuse a client owned object that is not the sender's (TF-48, A-32).

    404, as the specification allows: whether such an object exists is nobody else's business.
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
