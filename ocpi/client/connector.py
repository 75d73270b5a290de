"""How connections are opened: names looked up, answers filtered, sockets checked once more.

See `address_guard` for what is refused.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from functools import partial
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from ocpi.client.address_guard import AddressPolicy
from ocpi.client.answer_bounds import BoundedAnswers
from ocpi.client.failures import AddressRefused
from ocpi.client.limits import Limits

Lookup = Callable[[str], Sequence[str]]
"""From a host name to IP addresses; may block, raises OSError."""

MOST_LOOKUPS: Final = 256
"""Names that are looked up at the same time: each holds a thread until its name server answers or
the operating system gives up, which takes longer than anybody waits here."""

_NUMERIC: Final = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


def system_lookup(host: str) -> list[str]:
    """Ask the operating system."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    except UnicodeError as error:
        raise OSError(f"{host} is not a host name") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class GuardedResolver(AbstractResolver):
    """Looks names up and passes on only addresses the policy permits.

    It has threads of its own: the event loop's pool runs two lookups at a time, so two peers with
    dead name servers would stop all others. A name is looked up once at a time, whoever asks.
    """

    def __init__(self, policy: AddressPolicy, lookup: Lookup, timeout: float) -> None:
        """Prepare; threads start with the first lookup."""
        self._policy = policy
        self._lookup = lookup
        self._timeout = timeout
        self._threads = ThreadPoolExecutor(MOST_LOOKUPS, thread_name_prefix="ocpi-client-dns")
        self._under_way: dict[str, asyncio.Future[Sequence[str]]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses to connect to; OSError if there are none."""
        del family
        async with asyncio.timeout(self._timeout):
            addresses = await asyncio.shield(self._looked_up(host))
        permitted = self._policy.permitted(host, addresses)
        if not permitted:
            raise OSError(f"{host} has no address")
        return [_result(host, address, port) for address in permitted]

    def _looked_up(self, host: str) -> "asyncio.Future[Sequence[str]]":
        """Look a name up, or join the lookup under way, even if its first caller gave up."""
        found = self._under_way.get(host)
        if found is None:
            loop = asyncio.get_running_loop()
            found = loop.run_in_executor(self._threads, self._lookup, host)
            self._under_way[host] = found
            found.add_done_callback(lambda done: self._lookup_ended(host, done))
        return found

    def _lookup_ended(self, host: str, found: "asyncio.Future[Sequence[str]]") -> None:
        del self._under_way[host]
        if not found.cancelled():
            found.exception()  # asyncio logs one that nobody has looked at, as when all gave up

    async def close(self) -> None:
        """Let go of the threads; a lookup under way ends unheard."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _result(host: str, address: str, port: int) -> ResolveResult:
    """Put one address into the HTTP library's form."""
    return ResolveResult(
        hostname=host,
        host=address,
        port=port,
        family=socket.AF_INET6 if ":" in address else socket.AF_INET,
        proto=socket.IPPROTO_TCP,
        flags=_NUMERIC,
    )


class Trail:
    """What a request left behind: whether it opened a connection or was given a pooled one."""

    __slots__ = ("opened",)

    def __init__(self) -> None:
        """Begin with nothing opened."""
        self.opened = False


trail: ContextVar[Trail] = ContextVar("trail")
"""The trail of the request running in this context; the socket factory writes into it."""


def guarded_connector(
    policy: AddressPolicy, limits: Limits, resolver: GuardedResolver, tls: ssl.SSLContext | None
) -> aiohttp.TCPConnector:
    """Build the pool of connections whose every socket the policy has seen."""

    def open_socket(info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        objection = policy.objection(address[0])
        if objection is not None:
            raise AddressRefused(objection)
        trail.get().opened = True
        return socket.socket(family, kind, protocol)

    connector = aiohttp.TCPConnector(
        resolver=resolver,
        socket_factory=open_socket,
        ssl=tls or True,
        limit=limits.connections,
        limit_per_host=limits.per_host,
        keepalive_timeout=limits.keep_alive,
    )
    # The library has no public place for a protocol of one's own.
    factory = partial(BoundedAnswers, loop=asyncio.get_running_loop())
    connector._factory = factory  # type: ignore[assignment] # noqa: SLF001
    return connector
