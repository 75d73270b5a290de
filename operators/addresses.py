"""From which address a request comes, behind as many proxies as the hub is told of."""

from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest

_SUBSCRIBER = 64


def address_of(request: HttpRequest) -> str | None:
    """Return the address our outermost proxy saw; what a client claims is ignored."""
    hops = [request.META.get("REMOTE_ADDR", "")]
    hops += reversed(request.headers.get("X-Forwarded-For", "").replace(" ", "").split(","))
    seen = [hop for hop in hops if hop][: settings.HUB_PROXIES + 1]
    try:
        return str(ip_address(seen[-1])) if seen else None
    except ValueError:
        return None


def subscriber(address: str | None) -> str:
    """Return what one attacker cannot change at will: of IPv6 the first half."""
    if address is None:
        return "unknown"
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Address(int(parsed) >> _SUBSCRIBER << _SUBSCRIBER))
    return address
