"""How the hub calls a peer: one request out, one reply or one PeerError back.

Specification: transport_and_format, JSON / HTTP implementation guide.

Every message is sent once. The single exception: a GET, PUT or DELETE that was written to a pooled
connection which the peer closed without a byte of answer is sent once more, because there the peer
had most likely given up the idle connection before the message arrived (RFC 9110 §9.2.2). A message
on a connection opened for it is never repeated, and POST and PATCH are not repeated at all. The
HTTP library's own retry makes no such difference, so it is switched off.
"""

import asyncio
import atexit
import concurrent.futures
import ssl
from collections.abc import Coroutine, Mapping
from time import perf_counter
from typing import Any, Final, Self, TypeVar

import aiohttp
from yarl import URL

from ocpi.client.address_guard import AddressPolicy
from ocpi.client.connector import Lookup, Trail, system_lookup
from ocpi.client.connector import trail as current_trail
from ocpi.client.failures import CAUSES, PeerError, PeerTimeout, RedirectRefused, from_library
from ocpi.client.limits import MOST_REDIRECTS, Limits
from ocpi.client.listeners import CompletedRequest, Listener
from ocpi.client.loop import LoopThread
from ocpi.client.peer import Peer
from ocpi.client.redirects import redirect_target
from ocpi.client.reply import Reply
from ocpi.client.wire import Message, Wire

T = TypeVar("T")

_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "PUT", "DELETE"})
_STALE: Final = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)
"""How a pooled connection fails that its peer had closed already."""
PRODUCT: Final = "ocpi-hub"
_GRACE: Final = 5.0
"""Seconds a thread waits beyond the total time for a loop that has to report it."""


class OcpiClient:
    """Calls peers: `request()` from threads, `send()` on the client's own event loop."""

    def __init__(
        self,
        policy: AddressPolicy,
        limits: Limits,
        *,
        lookup: Lookup = system_lookup,
        tls: ssl.SSLContext | None = None,
        listener: Listener | None = None,
        product: str = PRODUCT,
    ) -> None:
        """Remember policy and limits; thread and connections begin with the first request.

        `product` is how the caller calls itself in `User-Agent` (RFC 9110 §10.1.5).
        """
        self._policy = policy
        self._limits = limits
        self._lookup = lookup
        self._tls = tls
        self._listener = listener
        self._product = product
        self._loop = LoopThread()
        self._wires: dict[asyncio.AbstractEventLoop, Wire] = {}
        self._adopted: set[asyncio.AbstractEventLoop] = set()

    def __enter__(self) -> Self:
        """Use as a context manager: closed at the end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def check_url(self, url: str) -> None:
        """Refuse a URL that could never be called, without asking any name server."""
        self._policy.check_url(url)

    def has_sent(self, via: str) -> bool:
        """Whether a request with this `Via` left this client, or another one of the same hub."""
        return self._policy.own().has_sent(via)

    def request(
        self,
        method: str,
        url: str,
        *,
        peer: Peer,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        seconds: float | None = None,
    ) -> Reply:
        """Send from a thread and wait for the reply; raises PeerError and nothing else.

        `seconds` is for callers that wait less than the client's limits allow.
        """
        coroutine = self.send(method, url, peer=peer, headers=headers, body=body)
        if seconds is not None:
            coroutine = _within(seconds, coroutine)
        try:
            return self.run(coroutine, self._limits.total + _GRACE)
        except TimeoutError as error:
            raise PeerTimeout("the event loop did not report in time") from error
        except concurrent.futures.CancelledError as error:
            raise PeerError("the client was closed while waiting") from error

    async def send(
        self,
        method: str,
        url: str,
        *,
        peer: Peer,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Reply:
        """Send and return the reply; raises PeerError. Only on its own loop, or an adopted one."""
        started = perf_counter()
        complete = _headers(peer, headers, body, via=self._policy.own().via)
        message = Message(method, complete, body or None, started)
        outcome: Reply | PeerError = PeerTimeout("nobody waited any longer")
        try:
            outcome = await self._answer(message, url)
        except PeerError as error:
            outcome = error
            raise
        finally:
            if self._listener is not None:
                seconds = perf_counter() - started
                self._listener(
                    CompletedRequest(method, url, peer, headers or {}, body, outcome, seconds)
                )
        return outcome

    def adopt(self) -> None:
        """Let coroutines of the running loop send as well, on connections that are that loop's."""
        self._adopted.add(asyncio.get_running_loop())

    def run(self, coroutine: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """Run a coroutine, one that awaits `send`, on the client's loop and wait for its result."""
        return self._loop.run(coroutine, timeout)

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> "concurrent.futures.Future[T]":
        """Start a coroutine, one that awaits `send`, on the client's loop; wait for it later."""
        return self._loop.submit(coroutine)

    def close(self) -> None:
        """Close connections, loop and thread; safe to call twice."""
        atexit.unregister(self.close)
        if self._loop.started:
            self._loop.run(self._close_wire())
        self._loop.close()
        for loop in self._adopted:
            if loop.is_running():
                asyncio.run_coroutine_threadsafe(self._close_wire(), loop)

    async def _answer(self, message: Message, url: str) -> Reply:
        """Return the reply to a message; raises PeerError and nothing else."""
        target = self._policy.screen(url)
        try:
            return await self._follow(message, target)
        except CAUSES as error:
            raise from_library(error) from error

    async def _follow(self, message: Message, target: URL) -> Reply:
        """Send, and follow a redirect on the same host."""
        for _ in range(MOST_REDIRECTS + 1):
            reply = await self._send_on_live_connection(message, target)
            onward = redirect_target(target, reply)
            if onward is None:
                return reply
            target = self._policy.screen(str(onward))
        raise RedirectRefused(f"more than {MOST_REDIRECTS} redirects at {target.raw_authority}")

    async def _send_on_live_connection(self, message: Message, target: URL) -> Reply:
        """Send once; again only if a pooled connection turned out to be dead."""
        trail = Trail()
        current_trail.set(trail)
        try:
            return await self._wire().exchange(message, target)
        except _STALE as error:
            connecting = isinstance(error, aiohttp.ClientConnectorError)
            if trail.opened or connecting or message.method not in _IDEMPOTENT:
                raise
        return await self._wire().exchange(message, target)

    def _wire(self) -> Wire:
        """Return the connections of the running loop: the client's own, or an adopted one."""
        loop = asyncio.get_running_loop()
        wire = self._wires.get(loop)
        if wire is None:
            belongings = [] if loop in self._adopted else self._loop.belongings()
            wire = Wire(
                self._policy,
                self._limits,
                lookup=self._lookup,
                tls=self._tls,
                product=self._product,
            )
            belongings.append(wire)
            self._wires[loop] = wire
            atexit.register(self.close)
        return wire

    async def _close_wire(self) -> None:
        """Close the connections of the running loop; those of a parent process are its own."""
        wire = self._wires.pop(asyncio.get_running_loop(), None)
        if wire is not None:
            await wire.close()


async def _within(seconds: float, coroutine: Coroutine[Any, Any, Reply]) -> Reply:
    try:
        async with asyncio.timeout(seconds):
            return await coroutine
    except TimeoutError as error:
        raise PeerTimeout(f"no answer within {seconds:g} s") from error


def _headers(
    peer: Peer, headers: Mapping[str, str] | None, body: bytes | None, *, via: str
) -> dict[str, str]:
    """Put the caller's headers, spelled as given, beside those every message needs."""
    complete = dict(headers) if headers else {}
    if via:
        complete["Via"] = via
    complete["Authorization"] = peer.authorization
    if body:
        complete["Content-Type"] = "application/json"
    return complete
