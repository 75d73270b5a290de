"""A message to a functional module, read once and checked before anything is done with it.

Spec: 2.2.1 transport and format; A-01, A-06, A-22, A-32 of the ambiguities.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self
from urllib.parse import parse_qsl, unquote

from hub.gateway import page_links
from hub.gateway import sender as unnamed
from hub.gateway.http import Received
from hub.gateway.page_links import LinkedPage
from hub.gateway.routes import Kept
from hub.gateway.routing import sender_of
from hub.gateway.sender import Records
from hub.module_policy import POLICIES
from hub.store.identity import object_key
from ocpi.errors import Finding, InvalidParameters, MethodNotAllowed, NotFound
from ocpi.modules import Interface, Kind, Match, Module, ObjectType, Resource, Version
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


@dataclass(frozen=True)  # without slots: `value` is kept beside the fields
class Message:
    """A request whose resource, method and sender are known to be right.

    `path` is what follows the endpoint's URL and `query` what follows the `?`, both as sent; the
    `parameters` are decoded, of a repeated one the last counts. `values` are the variable steps of
    its URL: its `owner`, the sender where it names none, and the `ids` of the object, which is of a
    `kind`, and of its parts. The store finds it under a `key`, which is empty without ids.

    What its sender owns and gets is filed under the name of a `holder`; another hub sends what is
    of one of its parties, whose it is then. It `is_correlated` when its sender named the exchange
    it belongs to, `lacks_ids` when it named no exchange or request, `is_inferred` when it did not
    name itself; `page` is the page of a party's list that it follows a link to.
    """

    method: str
    version: str
    module: ModuleID
    kind: ObjectType | None
    kept: Kept
    interface: InterfaceRole
    resource: Resource
    values: Mapping[str, str]
    path: str
    query: str
    parameters: Mapping[str, str]
    owner: PartyRef
    ids: tuple[str, ...]
    variant: str | None
    key: str
    sender: PartyRef
    holder: str
    to: PartyRef | None
    message_ids: MessageIds
    body: bytes
    platform_id: int
    is_list: bool
    is_owned: bool
    is_posted: bool
    is_result: bool
    asks_for_results: bool
    is_from_hub: bool
    is_correlated: bool
    lacks_ids: bool
    is_inferred: bool
    page: LinkedPage | None = None

    @property
    def url(self) -> str:
        """The hub's own URL of what it is about, without a query."""
        return _url(VERSIONS[self.version], self.module, self.interface, self.path)

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
    called = _called(received, caller, records, version=version, side=side, module=module)
    speaks = _speaks(called, received, caller, records)
    match, query = called.match, called.query
    kind, ids, resource = match.resource.object, match.ids, match.resource
    receiving, said_owner = called.side is InterfaceRole.RECEIVER, match.owner
    owner = said_owner or speaks.sender
    variant = query.parameters.get(kind.variant.member) if kind and kind.variant else None
    # Another hub names itself when it broadcasts; whose the object is, the URL says.
    speaker = owner if speaks.is_hub and receiving else speaks.sender
    filed_as = (party.holder for party in caller.parties if party.ref == speaker)
    message = Message(
        method=received.method,
        version=version,
        module=called.module.identifier,
        kind=kind,
        kept=called.kept,
        interface=called.side,
        resource=resource,
        values=match.values,
        path=called.path,
        query=received.query,
        parameters=query.parameters,
        owner=owner,
        ids=ids,
        variant=variant,
        key=object_key(kind, ids[0], variant) if kind and ids else "",
        sender=speaks.sender,
        holder=next(filed_as, str(speaker)),
        to=speaks.to,
        message_ids=received.ids,
        body=received.body() if received.method in WITH_BODY else b"",
        platform_id=caller.platform_id,
        is_list=resource.kind is Kind.LIST,
        is_owned=said_owner is not None,
        is_posted=called.is_posted,
        is_result=resource.kind is Kind.RESULT,
        asks_for_results=called.module.asks_for_results(resource, called.side),
        is_from_hub=speaks.is_hub,
        is_correlated=received.headers.get(CORRELATION_ID, "").strip()
        == received.ids.correlation_id,
        lacks_ids=not all(map(received.headers.get, (REQUEST_ID, CORRELATION_ID))),
        is_inferred=speaks.is_inferred,
        page=speaks.page,
    )
    _check_owner(message, caller)
    if message.page is not None:
        page_links.check(message.page, message.sender, message.platform_id, to=message.to)
    _check_variant(kind, query)
    return message


class _Query(NamedTuple):
    """The decoded parameters; `given` are those that say something, `contradicted` say several."""

    parameters: dict[str, str]
    given: dict[str, str]
    contradicted: frozenset[str]

    @classmethod
    def read(cls, query: str) -> Self:
        pairs = parse_qsl(query, keep_blank_values=True)
        parameters = dict(pairs)
        contradicted = frozenset(name for name, value in pairs if parameters[name] != value)
        return cls(parameters, {name: value for name, value in pairs if value}, contradicted)


class _Called(NamedTuple):
    """What is called: a resource of one side of a module, and what of the URL leads to it."""

    version: Version
    module: Module
    side: InterfaceRole
    path: str
    match: Match
    query: _Query

    @property
    def kept(self) -> Kept:
        """What the hub keeps of it: of a module, objects of one type at most."""
        kind, policy = self.match.resource.object, POLICIES.get(self.module.identifier)
        if policy is None or kind is None or kind is not self.module.kept:
            return Kept.NOTHING
        return Kept.FOR_ONE if policy.personal else Kept.FOR_ALL

    @property
    def is_posted(self) -> bool:
        """Whether it is about what is kept, created by POST and has no id in its URL."""
        kind, receiving = self.match.resource.object, self.side is InterfaceRole.RECEIVER
        return receiving and kind is not None and kind.posted and self.kept is not Kept.NOTHING


def _called(
    received: Received, caller: Caller, records: Records, *, version: str, side: str, module: str
) -> _Called:
    served, role = served_version(version), side.upper()
    declared = served.modules.get(ModuleID(module))
    if declared is None or not declared.functional or role not in declared.interfaces:
        text = f"the hub serves no {side} interface of {module} in {version}"
        raise NotFound(f"{text}; the version details list what it serves")
    if caller.version not in {"", version}:
        records.check_version(version, caller)
    path = _suffix(received.path, "ocpi", version, side, module)
    called = InterfaceRole(role)
    match = _resource(declared.interfaces[called], path, received.method)
    return _Called(served, declared, called, path, match, _Query.read(received.query))


def _url(version: Version, module: ModuleID, side: InterfaceRole, path: str) -> str:
    endpoint = endpoint_url(version, module, side)
    return f"{endpoint}/{path}" if path else endpoint


def _suffix(path: str, *prefix: str) -> str:
    """Return what follows the endpoint's URL, raw, without slashes at its end (A-01)."""
    _, *parts = path.split("/")
    if tuple(map(unquote, parts[: len(prefix)])) != prefix:
        raise NotFound("there is nothing at this URL; a slash of its fixed part is encoded")
    return "/".join(parts[len(prefix) :]).rstrip("/")


def _resource(interface: Interface, path: str, method: str) -> Match:
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


class _Speaks(NamedTuple):
    sender: PartyRef
    to: PartyRef | None
    is_inferred: bool
    is_hub: bool
    page: LinkedPage | None


def _speaks(called: _Called, received: Received, caller: Caller, records: Records) -> _Speaks:
    headers = RoutingHeaders.read(received.headers)
    page, sealed = None, called.query.given.get(page_links.PARAMETER)
    if sealed is not None and called.match.resource.kind is Kind.LIST:
        url = _url(called.version, called.module.identifier, called.side, called.path)
        page = page_links.read(sealed, endpoint=url)
    named, cursor = headers.sender, called.query.given.get("cursor")
    if cursor is not None:
        named = unnamed.of_cursor(cursor, headers, caller)
    if named is None:
        named = page.reader if page else None
        if called.match.resource.kind is Kind.RESULT:
            named = unnamed.of_result(
                called.match.ids[0], called.module.identifier, caller, records
            )
        if called.is_posted and called.match.ids:
            named = unnamed.of_posted(called.match.ids[0], caller, records)
        named = named if named in caller.refs else None
    parties = [(party.role, party.ref) for party in caller.parties]
    return _Speaks(
        sender=sender_of(named, parties, called.module.identifier, called.side),
        to=headers.to or (page.owner if page else None),
        is_inferred=named is None,
        is_hub=any(role is Role.HUB for role, _ in parties),
        page=page,
    )


def _check_variant(kind: ObjectType | None, query: _Query) -> None:
    """Refuse a query that names two variants: some readers take the first, others the last."""
    if kind is not None and kind.variant is not None and kind.variant.member in query.contradicted:
        finding = Finding(kind.variant.member, "stands more than once in the query")
        raise InvalidParameters(findings=(finding,))


def _may_own(role: Role, module: ModuleID, interface: InterfaceRole) -> bool:
    """Tell whether objects can be a party's when it sends them to another by name (CP-11)."""
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
