"""A message to a functional module, read and checked before anything is done with it.

Spec: 2.2.1 transport and format; A-06, A-22, A-32, A-33, A-46, A-83 of the ambiguities.
"""

from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from rest_framework.request import Request

from hub.gateway import callbacks, page_links
from hub.gateway.page_links import Page
from hub.gateway.routing import Address, Kept, sender_of
from hub.policy import POLICIES, Policy
from hub.store import cdr_references
from hub.store.reads import cursor_reader
from ocpi.errors import Finding, InvalidParameters, MethodNotAllowed, NotFound, UnsupportedVersion
from ocpi.modules import Interface, Match, Module
from ocpi.server import OcpiView
from ocpi.server.paths import segments
from ocpi.transport.message_ids import CORRELATION_ID, MessageIds
from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import InterfaceRole, ModuleID, PartyRef, Role
from parties.authentication import caller_of
from parties.caller import Caller
from parties.hub_identity import endpoint_url, hub_party, served_version
from parties.models import Credentials
from parties.role_pairs import implements, stands_in

OWNER = ("country_code", "party_id")
POSTED = "cdr_location"
"""The step of a URL that leads to what was created by POST."""
WITH_BODY = frozenset({"PUT", "PATCH", "POST"})


@dataclass(frozen=True, slots=True)
class Message:
    """A request whose resource, method and sender are known to be right.

    `path` is what follows the endpoint's URL and `query` what follows the `?`, both as sent. What
    its sender owns and gets is filed under the name of a `holder`; another hub sends what is of one
    of its parties, whose it is then. It
    `is_correlated` when its sender named the exchange it belongs to, `is_inferred` when it did not
    name itself; `page` is the page of a party's list that it follows a link to.
    """

    method: str
    version: str
    module: Module
    interface: InterfaceRole
    match: Match
    path: str
    query: str
    sender: PartyRef
    holder: str
    to: PartyRef | None
    ids: MessageIds
    body: bytes
    platform_id: int
    is_from_hub: bool
    is_correlated: bool
    is_inferred: bool
    page: Page | None = None

    @property
    def address(self) -> Address:
        """What decides its route."""
        return Address(
            self.method,
            self.module.identifier,
            self.interface,
            self.to,
            is_list=self.is_list,
            sender=self.sender,
            kept=_kept(POLICIES.get(self.module.identifier)),
        )

    @property
    def is_list(self) -> bool:
        """Whether it asks for a list."""
        return not self.match.resource.path

    @property
    def is_owned(self) -> bool:
        """Whether its URL names the owner of a Client Owned Object."""
        return set(OWNER) <= self.match.values.keys()

    @property
    def owner(self) -> PartyRef:
        """The owner the URL names."""
        return PartyRef(self.match.values["country_code"], self.match.values["party_id"])

    @property
    def object_ids(self) -> tuple[str, ...]:
        """The ids of the object and its parts, as the URL spells them."""
        return tuple(value for name, value in self.match.values.items() if name not in OWNER)

    @property
    def variant(self) -> str | None:
        """The variant its URL names, where objects have one (A-99)."""
        kind = self.module.object
        return self.parameters.get(kind.variant.member) if kind and kind.variant else None

    @property
    def is_posted(self) -> bool:
        """Whether it is about what is created by POST and has no id in its URL."""
        kind = self.module.object
        return self.interface is InterfaceRole.RECEIVER and kind is not None and kind.posted

    @property
    def is_result(self) -> bool:
        """Whether it is the result of a command or of a request about a charging profile."""
        return self.module.is_result(self.method, self.interface)

    @property
    def is_authorization(self) -> bool:
        """Whether a driver waits at a Charge Point for its answer (TOK-17)."""
        return self.match.resource.path[1:] == ("authorize",)

    @property
    def parameters(self) -> dict[str, str]:
        """The decoded query parameters; of a repeated one the last counts."""
        return dict(parse_qsl(self.query, keep_blank_values=True))


def read(view: OcpiView, *, version: str, interface: str, module: str) -> Message:
    """Read a request, HTTP's part first; raises `OcpiError` for what need not be routed at all."""
    caller = caller_of(view.request)
    declared, side = _declared(version, interface, module)
    check_version(version, caller)
    method, path = view.request.method or "", _suffix(view, "ocpi", version, interface, module)
    match = _resource(declared.interfaces[side], path, method)
    headers = RoutingHeaders.read(view.request.headers)
    page = _page(view, version, declared, side, match)
    result_of = declared.identifier if declared.is_result(method, side) else None
    named = _named(headers, view.raw_query(), caller) or _implied(match, page, caller, result_of)
    sender = sender_of(named, caller.roles, declared.identifier, side)
    is_from_hub = any(party.role is Role.HUB for party in caller.parties)
    message = Message(
        method=method,
        version=version,
        module=declared,
        interface=side,
        match=match,
        path=path,
        query=view.raw_query(),
        sender=sender,
        holder=caller.holder_of(_speaker(match, side, sender) if is_from_hub else sender),
        to=headers.to or (page.owner if page else None),
        ids=view.message_ids,
        body=view.body() if method in WITH_BODY else b"",
        platform_id=caller.platform_id,
        is_from_hub=is_from_hub,
        is_correlated=_is_correlated(view),
        is_inferred=named is None,
        page=page,
    )
    return _checked(message, caller)


def requester(request: Request) -> PartyRef | None:
    """Return who asks, as far as it is certain whatever else is wrong with the request (A-18)."""
    refs = caller_of(request).refs
    with suppress(InvalidParameters):
        named = RoutingHeaders.read(request.headers).sender
        if named in refs:
            return named
    return next(iter(refs)) if len(refs) == 1 else None


def _declared(version: str, interface: str, module: str) -> tuple[Module, InterfaceRole]:
    """Return the addressed module and its side; 404 when the hub does not serve that."""
    modules = served_version(version).modules
    found = modules.get(ModuleID(module)) if module in set(ModuleID) else None
    if found is None or not found.functional or interface.upper() not in found.interfaces:
        message = f"the hub serves no {interface} interface of {module} in {version}"
        raise NotFound(f"{message}; the version details list what it serves")
    return found, InterfaceRole(interface.upper())


def check_version(version: str, caller: Caller) -> None:
    """Refuse a version the platform did not register with (A-83).

    After a switch the version before it stays open to the token before it, until that one ends:
    with the first use of the new token, or when the grace of the rotation is over.
    """
    if not caller.version or caller.version == version:
        return
    ending = Credentials.objects.filter(pk=caller.credentials_id, valid_until__isnull=False)
    if not ending.exists():
        message = f"this platform is registered with {caller.version}"
        raise UnsupportedVersion(f"{message}; to switch to {version}, PUT its credentials there")


def _suffix(view: OcpiView, *prefix: str) -> str:
    """Return what follows the endpoint's URL, raw, without slashes at its end (A-01)."""
    raw = view.raw_path()
    _, *parts = raw.split("/")
    if tuple(map(unquote, parts[: len(prefix)])) != prefix:
        raise NotFound("there is nothing at this URL; a slash of its fixed part is encoded")
    return "/".join(parts[len(prefix) :]).rstrip("/")


def _resource(interface: Interface, path: str, method: str) -> Match:
    """Return the resource behind the path, which must take the method (TF-14, TF-52)."""
    match = interface.match(segments(path))
    elsewhere = {each for resource in interface.resources for each in resource.methods}
    if match is None and method in elsewhere:
        raise NotFound(f"/{path} leads to no resource of this interface")
    allowed = match.resource.methods if match else elsewhere
    if match is None or method not in allowed:
        raise MethodNotAllowed(f"{method} is not supported here", allowed=sorted(allowed))
    return match


def _speaker(match: Match, side: InterfaceRole, sender: PartyRef) -> PartyRef:
    """Return for whom another hub speaks: it names itself when it broadcasts (A-25)."""
    if side is InterfaceRole.RECEIVER and set(OWNER) <= match.values.keys():
        return PartyRef(*(match.values[name] for name in OWNER))
    return sender


def _named(headers: RoutingHeaders, query: str, caller: Caller) -> PartyRef | None:
    """Return the FROM party, or the one for whom the page link being followed was made (A-46)."""
    cursor = dict(parse_qsl(query)).get("cursor")
    if not cursor or headers.to not in {None, hub_party()}:
        return headers.sender
    reader, platform_id = cursor_reader(page_links.position(cursor))
    if headers.sender not in {None, reader} or platform_id != caller.platform_id:
        raise InvalidParameters(f"cursor: this page link was made for {reader}")
    return reader


def _page(
    view: OcpiView, version: str, module: Module, side: InterfaceRole, match: Match
) -> Page | None:
    """Return the page of a party's list that the request follows a link to."""
    if view.request.method != "GET" or match.resource.path:
        return None
    endpoint = endpoint_url(served_version(version), module.identifier, side)
    return page_links.read(view.raw_query(), endpoint=endpoint)


def _implied(
    match: Match, page: Page | None, caller: Caller, result_of: ModuleID | None
) -> PartyRef | None:
    """Return for whom the hub made the URL that is called: it is followed without headers."""
    found = page.reader if page else None
    if POSTED in match.values:
        known = cdr_references.by_reference(match.values[POSTED])
        own = {party.holder: party.ref for party in caller.parties}
        found = own.get(known.owner) if known else None
    if result_of is not None:
        [reference] = match.values.values()
        asked = callbacks.awaited(reference, platform_id=caller.platform_id, module=result_of)
        found = PartyRef.parse(asked.receiver)
    return found if found in caller.refs else None


def _is_correlated(view: OcpiView) -> bool:
    return view.request.headers.get(CORRELATION_ID, "").strip() == view.message_ids.correlation_id


def _checked(message: Message, caller: Caller) -> Message:
    """Return a message that its sender may send."""
    _check_owner(message, caller)
    _check_page(message)
    _check_variant(message)
    return message


def _check_variant(message: Message) -> None:
    """Refuse a query that names two variants: some readers take the first, others the last."""
    kind = message.module.object
    if kind is None or kind.variant is None:
        return
    name = kind.variant.member
    said = {
        value for each, value in parse_qsl(message.query, keep_blank_values=True) if each == name
    }
    if len(said) > 1:
        raise InvalidParameters(findings=(Finding(name, "stands more than once in the query"),))


def _check_page(message: Message) -> None:
    """Refuse a link that was made for somebody else, or to another list (TF-44, A-46)."""
    page = message.page
    if page is None:
        return
    if (page.reader, page.platform_id) != (message.sender, message.platform_id):
        raise NotFound(f"{page_links.PARAMETER}: this link was made for another party")
    if page.owner != message.to:
        text = f"this link is to a list of {page.owner}; OCPI-to differs"
        raise InvalidParameters(f"{page_links.PARAMETER}: {text}")


def _kept(policy: Policy | None) -> Kept:
    if policy is None:
        return Kept.NOTHING
    return Kept.FOR_ONE if policy.personal else Kept.FOR_ALL


def _may_own(role: Role, module: ModuleID, interface: InterfaceRole) -> bool:
    """Tell whether objects can be a party's when it sends them to another by name (CP-11)."""
    return implements(role, module, interface) or stands_in(role, module, interface)


def _check_owner(message: Message, caller: Caller) -> None:
    """Refuse a client owned object that is not the sender's (TF-48, A-32).

    404, as the specification allows: whether such an object exists is nobody else's business.
    """
    if message.interface is not InterfaceRole.RECEIVER:
        return
    owner = message.owner if message.is_owned else message.sender
    identifier = message.module.identifier
    sending = InterfaceRole.SENDER
    owns = _may_own if message.to not in {None, hub_party()} else implements
    own = {party.ref for party in caller.parties if owns(party.role, identifier, sending)}
    if owner not in own:
        text = f"{owner} is no party of this platform that owns {identifier}"
        raise NotFound(f"{text}; an owner writes under its own country_code and party_id")
    if owner != message.sender and not message.is_from_hub:
        text = f"the URL says {message.owner}, but OCPI-from says {message.sender}"
        raise InvalidParameters(f"{text}: an owner speaks for itself")
