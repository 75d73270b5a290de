"""The address a request comes from, behind as many proxies as `HUB_PROXIES` says."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest

_IPV6_HOST_BITS = 64
# Some proxies name the client's port too: 192.0.2.1:4711, [2001:db8::1]:4711.
_WITH_PORT = re.compile(r"\[(?P<six>[^]]+)\](:[0-9]+)?|(?P<four>[^:]+):[0-9]+")


def address_of(request: HttpRequest) -> str | None:
    """Return the address our outermost proxy saw; what a client claims is ignored."""
    forwarded_for = request.headers.get("X-Forwarded-For", "")
    return seen_address(request.META.get("REMOTE_ADDR", ""), forwarded_for)


def seen_address(remote: str, forwarded_for: str) -> str | None:
    """Return the same from the connection's own address and the header of the proxies."""
    hops = [remote, *reversed(forwarded_for.replace(" ", "").split(","))]
    seen = [hop for hop in hops if hop][: settings.HUB_PROXIES + 1]
    try:
        return str(_parsed(seen[-1])) if seen else None
    except ValueError:
        return None


def network_of(address: str | None) -> str:
    """Return what one attacker cannot change at will: an IPv4 address, the /64 of an IPv6 one."""
    if address is None:
        return "unknown"
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Address(int(parsed) >> _IPV6_HOST_BITS << _IPV6_HOST_BITS))
    return str(parsed)


def _parsed(text: str) -> IPv4Address | IPv6Address:
    """Read an address; one of IPv4 that a dual-stack socket shows as IPv6 is IPv4 again."""
    ported = _WITH_PORT.fullmatch(text)
    parsed = ip_address(ported["six"] or ported["four"] if ported else text)
    return getattr(parsed, "ipv4_mapped", None) or parsed
