"""Discovery: which versions and endpoints a platform offers.

Spec: 2.2.1 credentials (registration, errors during registration); versions; A-84, A-85. Nothing
here uses the database: callers give their connection back before a peer is asked.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from ocpi.client import (
    ITSELF,
    AddressRefused,
    Peer,
    PeerError,
    PeerTimeout,
    PeerUnreachable,
    RedirectRefused,
    Reply,
    ReplyTooLarge,
    shared,
)
from ocpi.errors import (
    InvalidParameters,
    NoMatchingEndpoints,
    NotJson,
    UnsupportedVersion,
    UnusableApi,
)
from ocpi.modules import Version
from ocpi.transport.message_ids import MessageIds
from ocpi.types import InterfaceRole, ModuleID, OcpiModel, Role, one_line
from ocpi.validation import decode, validate
from ocpi.versions import latest
from parties.role_pairs import implements, typical_interfaces

# How much of what a peer wrote an error message repeats.
_LONGEST_URL = 100
_LONGEST_VERSION = 10
_MOST_VERSIONS = 20
_REASONS: tuple[tuple[type[PeerError], str], ...] = (
    (PeerTimeout, "did not answer in time"),
    (PeerUnreachable, "cannot be reached"),
    (AddressRefused, "is not an address the hub may call"),
    (RedirectRefused, "redirects, which the hub does not follow; give the final URL"),
    (ReplyTooLarge, "answers with more than the hub reads"),
    (PeerError, "broke off its answer"),
)

Interface = tuple[ModuleID, InterfaceRole]
Pick = Callable[[Iterable[str]], Version]
"""Chooses among the versions a platform offers; raises `UnsupportedVersion` if none will do."""


@dataclass(frozen=True, slots=True)
class Discovered:
    """What a platform offers in the version that was picked."""

    versions_url: str
    version: Version
    endpoints: Mapping[Interface, str]
    correlation_id: str = ""
    """Of all calls of this handshake."""


def pick_only(version: Version) -> Pick:
    """Return a `Pick` that takes this version alone."""

    def pick(numbers: Iterable[str]) -> Version:
        offered = sorted(numbers)
        if version.number not in offered:
            theirs = version_list(offered)
            message = f"your versions endpoint does not offer {version.number}, only {theirs}"
            raise UnsupportedVersion(message)
        return version

    return pick


def discover(
    versions_url: str,
    *,
    peer: Peer,
    pick: Pick,
    roles: frozenset[Role],
    by_hand: Mapping[Interface, str],
    correlation_id: str = "",
) -> Discovered:
    """Fetch versions and details from a platform with these roles; 3001, 3002 or 3003 otherwise.

    What an operator added `by_hand` counts like what is advertised, and goes before it.
    """
    correlation_id = correlation_id or MessageIds.new().correlation_id
    get = partial(fetch, peer=peer, correlation_id=correlation_id)
    details_urls = _details_urls(get(versions_url), versions_url)
    version = pick(details_urls)
    url = details_urls[version.number]
    advertised = _endpoints(unwrapped(get(url)), version, roles=roles, url=url)
    endpoints = {**advertised, **by_hand}
    _require_usable(endpoints, version, roles)
    return Discovered(versions_url, version, endpoints, correlation_id)


def ask(
    method: str, url: str, *, peer: Peer, body: bytes | None = None, correlation_id: str = ""
) -> Reply:
    """Make one call of the handshake; 3001 says why there is no answer at all."""
    check_address(url)
    headers = MessageIds.new(correlation_id).as_headers()
    try:
        return shared().request(method, url, peer=peer, headers=headers, body=body)
    except PeerError as error:
        reason = next(reason for kind, reason in _REASONS if isinstance(error, kind))
        message = f"{method} {shown_url(url)}: this URL {reason}"
        raise UnusableApi(message) from error


def check_address(url: str) -> None:
    """Refuse a URL the hub may not call, before it is called or stored."""
    try:
        shared().check_url(url)
    except AddressRefused as error:
        message = f"{shown_url(url)} cannot be used: {error}"
        raise UnusableApi(message) from error


def fetch(url: str, *, peer: Peer, correlation_id: str = "") -> object:
    """GET the data of an envelope; 3001 says what came instead."""
    reply, what = ask("GET", url, peer=peer, correlation_id=correlation_id), f"GET {shown_url(url)}"
    if reply.refuses_token:
        refused = f"your side refused the token the hub was given (HTTP {reply.http_status})"
        raise UnusableApi(f"{what}: {refused}; {sent_as(peer)}")
    return data_of(reply, what)


def sent_as(peer: Peer) -> str:
    """Say in which form a peer was sent its token, and how an operator changes that (A-02)."""
    if peer.base64:
        return "it was sent in Base64; the quirk base64=off sends it as it is"
    return "it was sent without Base64; the quirk base64=on encodes it"


def data_of(reply: Reply, what: str) -> object:
    """Return the decoded data of a success; 3001 says what came instead."""
    envelope = reply.envelope
    if reply.ok and envelope is not None and envelope.data is not None:
        return _decoded(envelope.data, what)
    if envelope is not None and envelope.status_message == ITSELF:
        message = f"{what}: {ITSELF}"
    elif envelope is None:
        message = f"{what}: HTTP {reply.http_status} without an OCPI envelope"
    elif reply.ok:
        message = f"{what}: the envelope has no data"
    else:
        message = f"{what}: HTTP {reply.http_status}, status_code {envelope.status_code}"
    if not reply.ok and reply.words and not message.endswith(reply.words):
        message = f"{message}: {reply.words}"
    raise UnusableApi(message)


def _decoded(data: bytes, what: str) -> object:
    try:
        return decode(data)
    except (NotJson, InvalidParameters) as error:
        message = f"{what}: {error}"
        raise UnusableApi(message) from error


def unwrapped(data: object) -> object:
    """Unwrap a single object that was sent as a list of one."""
    return data[0] if isinstance(data, list) and len(data) == 1 else data


def shown_url(url: str) -> str:
    """Show a URL of a peer without its query, at a readable length."""
    return one_line(url.partition("?")[0], longest=_LONGEST_URL)


def version_list(versions: Iterable[str]) -> str:
    """Show the versions a peer says it offers."""
    shown = [one_line(version, longest=_LONGEST_VERSION) for version in versions]
    return ", ".join(shown[:_MOST_VERSIONS])


def _details_urls(data: object, url: str) -> dict[str, str]:
    """Read the list of versions; a details object in its place is a list of its own version."""
    if isinstance(data, dict) and "endpoints" in data and isinstance(data.get("version"), str):
        return {data["version"]: url}
    if not isinstance(data, list) or not data:
        message = (
            f"{shown_url(url)} is not a versions endpoint: a list of {{version, url}} was expected"
        )
        raise UnusableApi(message)
    return {
        entry["version"]: entry["url"] for entry in data if _is_readable(latest().listed, entry)
    }


def _is_readable(model: type[OcpiModel], entry: object) -> bool:
    """Return whether one entry of a peer's list is readable; the others still count."""
    try:
        validate(model, entry)
    except InvalidParameters:
        return False
    return True


def _endpoints(
    details: object, version: Version, *, roles: frozenset[Role], url: str
) -> dict[Interface, str]:
    """Read the endpoints of modules that the version has, the first of each interface."""
    if not isinstance(details, dict) or not isinstance(details.get("endpoints"), list):
        message = f"{shown_url(url)} are not version details: an object with endpoints was expected"
        raise UnusableApi(message)
    if details.get("version") not in (None, version.number):  # a list is not hashable
        described = version_list([str(details["version"])])
        message = f"{shown_url(url)} describes version {described}, not {version.number}"
        raise UnusableApi(message)
    found: dict[Interface, str] = {}
    for entry in details["endpoints"]:
        interface = _interface(entry, version, roles)
        if interface is not None:
            found.setdefault(interface, _address(entry, interface))
    return found


def _interface(entry: object, version: Version, roles: frozenset[Role]) -> Interface | None:
    if not isinstance(entry, dict) or entry.get("identifier") not in list(version.modules):
        return None
    module = ModuleID(entry["identifier"])
    if module == ModuleID.CREDENTIALS:
        return module, InterfaceRole.SENDER
    if entry.get("role") is None:
        return _inferred(module, roles)
    return (module, InterfaceRole(entry["role"])) if entry["role"] in list(InterfaceRole) else None


def _inferred(module: ModuleID, roles: frozenset[Role]) -> Interface | None:
    """Fill in a forgotten interface role where the platform's parties leave only one (A-84)."""
    fitting = [
        side for side in InterfaceRole if any(implements(role, module, side) for role in roles)
    ]
    return (module, fitting[0]) if len(fitting) == 1 else None


def _address(entry: Mapping[str, object], interface: Interface) -> str:
    url = entry.get("url")
    if not isinstance(url, str):
        message = f"your version details give no URL for {interface[0]} {interface[1]}"
        raise UnusableApi(message)
    check_address(url)
    return url


def _require_usable(
    endpoints: Mapping[Interface, str], version: Version, roles: frozenset[Role]
) -> None:
    """Require an interface that the platform's roles can use through the hub (3003)."""
    usable = typical_interfaces(version, roles)
    if not usable & endpoints.keys():
        names = (
            ", ".join(sorted(f"{module} {side}" for module, side in usable))
            or "none for these roles"
        )
        message = f"your version details need at least one of: {names}"
        raise NoMatchingEndpoints(message)
