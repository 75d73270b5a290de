"""Which addresses the hub may call: every URL of a peer is screened here, every socket again.

Specification: none forbids anything; the URLs of versions, endpoints, response_url, Location and
Link come from other companies and must not lead into the hub's own network.

A URL is screened as text (scheme, userinfo, literal address). Its name is then looked up once, the
answers are filtered, and the sockets are opened to exactly those answers, so a name that changes
its address between check and connection gains nothing. The socket factory asks once more: no path
through the HTTP library, pooled, literal or resolved, opens a socket the policy did not see.
"""

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from yarl import URL

from ocpi.client.failures import AddressRefused
from ocpi.client.own_address import ITSELF, OwnAddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_PRINTABLE: Final = re.compile(r"[!-~]+").fullmatch
LONGEST_URL: Final = 8_000
"""Longer than any request line common servers accept."""


def _networks(*texts: str) -> tuple[Network, ...]:
    """Read a table of networks."""
    return tuple(ipaddress.ip_network(text) for text in texts)


_PRIVATE: Final = _networks(
    "10.0.0.0/8",
    "100.64.0.0/10",  # carrier-grade NAT
    "127.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "198.18.0.0/15",  # benchmarking, used inside data centres
    "::1/128",
    "fc00::/7",  # unique local
)
"""Open to development, tests and private peering when the policy says so."""

_NEVER: Final = _networks(
    "0.0.0.0/8",
    "100.100.100.200/32",  # cloud metadata
    "168.63.129.16/32",  # cloud metadata on a public address
    "169.254.0.0/16",  # link-local, cloud metadata
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "fd00:ec2::/32",  # cloud metadata
    "fe80::/10",  # link-local
    "2001::/23",  # Teredo, ORCHID and other protocol assignments
    "2001:db8::/32",
    "2002::/16",  # 6to4 hides an IPv4 address
    "3fff::/20",
)
"""No peer lives there: nobody's policy opens these."""

_GLOBAL_IPV6: Final = ipaddress.IPv6Network("2000::/3")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """What a deployment allows beyond public https."""

    allow_private: bool = False
    """Loopback, private networks, carrier-grade NAT, unique-local IPv6."""

    allow_http: bool = False
    max_url_length: int = 255
    """Of a URL a peer registers; what the hub builds from it may be longer."""

    own: Callable[[], OwnAddress] = OwnAddress
    """Where the caller itself is: it is no peer of its own."""

    def check_url(self, url: str) -> None:
        """Refuse a URL that could never be called; for registration and response_url, no DNS."""
        if len(url) > self.max_url_length:
            raise AddressRefused(f"the URL is longer than {self.max_url_length} characters")
        self.screen(url)

    def screen(self, url: str) -> URL:
        """Return the URL to call, its bytes untouched, or raise AddressRefused."""
        if len(url) > LONGEST_URL or not _PRINTABLE(url):
            raise AddressRefused(
                "a URL is printable ASCII without spaces, percent-encoded where needed"
            )
        try:
            parsed = URL(url, encoded=True)
            host = parsed.raw_host or ""
        except ValueError as error:
            raise AddressRefused(f"not a URL: {error}") from error
        reason = _objection(self, parsed.scheme, parsed.raw_authority, host)
        if reason is None and self.own().includes(parsed):
            reason = ITSELF
        if reason is not None:
            raise AddressRefused(reason)
        return parsed

    def objection(self, address: str) -> str | None:
        """Say why an IP address must not be connected to; None if it may."""
        try:
            ip = _unwrapped(ipaddress.ip_address(address))
        except ValueError:
            return f"{address} is not an IP address"
        if _within(ip, _NEVER) or not (_is_public_kind(ip) or _within(ip, _PRIVATE)):
            return f"{address} is a special-purpose address"
        if not self.allow_private and _within(ip, _PRIVATE):
            return f"{address} is a private address"
        return None

    def permitted(self, host: str, addresses: Sequence[str]) -> list[str]:
        """Keep the answers of a name lookup that may be connected to, in order; refuse if none."""
        objections = {address: self.objection(address) for address in addresses}
        good = [address for address, objection in objections.items() if objection is None]
        if objections and not good:
            reasons = "; ".join(filter(None, objections.values()))
            raise AddressRefused(f"{host}: {reasons}")
        return good


@lru_cache(maxsize=4096)
def _objection(policy: AddressPolicy, scheme: str, authority: str, host: str) -> str | None:
    """Say why nothing at this origin may be called; remembered, most messages share an origin."""
    if scheme != "https" and not (scheme == "http" and policy.allow_http):
        return f"the scheme must be https, not {scheme or 'missing'}"
    if "@" in authority:
        return "a URL with user information names one host and calls another"
    if not host or "%" in authority:
        return "the URL names no usable host"
    return _host_objection(policy, host.lower().rstrip("."))


def _host_objection(policy: AddressPolicy, name: str) -> str | None:
    """Judge what needs no lookup: literal addresses, their odd spellings and localhost."""
    if _is_literal(name):
        return policy.objection(name)
    if _is_odd_ipv4(name):
        return f"{name}: an IPv4 address is written as four decimal numbers"
    if not policy.allow_private and (name == "localhost" or name.endswith(".localhost")):
        return f"{name} is this machine"
    return None


def _is_literal(name: str) -> bool:
    """Whether the host is an IP address in its usual spelling."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_odd_ipv4(name: str) -> bool:
    """Whether C libraries read the host as an IPv4 address: 127.1, 0x7f000001 and so on."""
    try:
        socket.inet_aton(name)
    except OSError:
        return False
    return True


def _within(ip: Address, networks: tuple[Network, ...]) -> bool:
    """Whether one of the networks contains the address."""
    return any(ip in network for network in networks)


def _is_public_kind(ip: Address) -> bool:
    """Whether the address is of a kind that is routed; IPv6 outside 2000::/3 is not."""
    return isinstance(ip, ipaddress.IPv4Address) or ip in _GLOBAL_IPV6


def _unwrapped(ip: Address) -> Address:
    """Return the IPv4 address a NAT64 gateway would connect to, else the address itself.

    Mapped, 6to4 and Teredo addresses are not unwrapped: they are refused as a kind.
    """
    if ip in _NAT64:
        return ipaddress.IPv4Address(ip.packed[-4:])
    return ip
