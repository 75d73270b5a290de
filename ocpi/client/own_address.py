"""The addresses of the caller itself: nobody is its own peer.

A URL that leads back to the hub would make it answer itself, with nested requests for each one. It
is recognised as text here, in every spelling; behind names the hub does not know, by the `Via` that
each of its requests carries (RFC 9110 §7.6.3).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from ipaddress import IPv6Address, ip_address
from typing import Final, Self

from yarl import URL

ITSELF: Final = "this is the hub itself, which is no peer of its own"
"""The answer to everybody who names it as one, operators too."""

_LOOPBACK: Final = "localhost"
_USUAL_PORTS: Final = {80, 443}


@dataclass(frozen=True, slots=True)
class OwnAddress:
    """The public URL of the caller, and other names of its host."""

    url: str = ""
    names: tuple[str, ...] = ()

    @property
    def via(self) -> str:
        """The `Via` that marks a request as the caller's own; proxies on the way add theirs."""
        return f"1.1 ocpi-hub-{_digest(self.url)}" if self.url else ""

    def has_sent(self, via: str) -> bool:
        """Whether a request with this `Via` is one of the caller's own, come back."""
        return bool(self.via) and self.via in map(str.strip, via.split(","))

    def includes(self, url: URL) -> bool:
        """Whether a URL leads to the caller."""
        own = _own(self)
        if own is None or url.raw_host is None:
            return False
        hosts, port, path = own
        is_here = _host(url.raw_host) in hosts and _is_port(url.port, port)
        return is_here and f"{url.raw_path}/".startswith(path)

    @classmethod
    def of(cls, url: str, names: list[str]) -> Self:
        """Leave out patterns of names: they say who may ask, not who the caller is."""
        return cls(url, tuple(name for name in names if not name.startswith(("*", "."))))

    @classmethod
    def at_present(cls, said: Callable[[], tuple[str, list[str]]]) -> Self:
        """Do the same with the URL and the names that are said when this is asked for."""
        return cls.of(*said())


@lru_cache(maxsize=16)
def _own(caller: OwnAddress) -> tuple[frozenset[str], int | None, str] | None:
    """Return hosts, port and path of the caller; None if it did not say where it is."""
    url = URL(caller.url)
    if url.raw_host is None:
        return None
    names = {_host(URL.build(scheme="http", host=name).raw_host or "") for name in caller.names}
    return frozenset({_host(url.raw_host), *names}), url.port, f"{url.raw_path.rstrip('/')}/"


@lru_cache(maxsize=16)
def _digest(url: str) -> str:
    return sha256(url.encode()).hexdigest()[:16]


def _host(raw: str) -> str:
    """Return one spelling of a host: lower case, no dot at the end, addresses in their usual form.

    All addresses of the machine's own loop are one place.
    """
    name = raw.lower().rstrip(".")
    if name == _LOOPBACK or name.endswith(f".{_LOOPBACK}"):
        return _LOOPBACK
    try:
        address = ip_address(name)
    except ValueError:
        return name
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    address = mapped or address
    return _LOOPBACK if address.is_loopback else str(address)


def _is_port(port: int | None, own: int | None) -> bool:
    """Whether a port leads to the caller; a proxy sends plain http on to https."""
    return port == own or (port in _USUAL_PORTS and own in _USUAL_PORTS)
