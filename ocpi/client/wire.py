"""One request written and one response read: the only module that drives the HTTP library.

Specification: transport_and_format, JSON / HTTP implementation guide.
"""

import io
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Final

import aiohttp
from yarl import URL

from ocpi.client.address_guard import AddressPolicy
from ocpi.client.connector import GuardedResolver, Lookup, guarded_connector
from ocpi.client.failures import ReplyTooLarge
from ocpi.client.limits import Limits
from ocpi.client.reply import Reply

_ALWAYS: Final = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
}
_WRITTEN_AT_ONCE: Final = 2**20
"""The HTTP library takes larger bodies as a file, to write them in pieces."""

_NEGLIGIBLE: Final = 0.01
"""Seconds after which a further attempt gets a shorter time than the first."""


@dataclass(frozen=True, slots=True)
class Message:
    """One request as it goes out, and when it began."""

    method: str
    headers: Mapping[str, str]
    body: bytes | None
    started: float

    def data(self) -> bytes | io.BytesIO | None:
        """Return the body in the form the HTTP library takes, anew for every attempt."""
        if self.body is None or len(self.body) <= _WRITTEN_AT_ONCE:
            return self.body
        return io.BytesIO(self.body)


class Wire:
    """The connections of one event loop; created and used on that loop only."""

    def __init__(
        self,
        policy: AddressPolicy,
        limits: Limits,
        *,
        lookup: Lookup,
        tls: ssl.SSLContext | None,
        product: str,
    ) -> None:
        """Open the pool; nothing is connected yet."""
        self._limits = limits
        self._timeout = _timeout(limits, limits.total)
        self._resolver = GuardedResolver(policy, lookup, limits.connect)
        self._session = aiohttp.ClientSession(
            connector=guarded_connector(policy, limits, self._resolver, tls),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": product, **_ALWAYS},
            skip_auto_headers=["Content-Type"],
            timeout=self._timeout,
            trust_env=False,
        )
        # The library would repeat any GET, PUT and DELETE that fails before an answer, also on a
        # connection opened for it; it offers no public switch, its own test client does the same.
        self._session._retry_connection = False  # noqa: SLF001

    async def exchange(self, message: Message, url: URL) -> Reply:
        """Write one request and read one response; raises what the library raises."""
        response = await self._session.request(
            message.method,
            url,
            headers=message.headers,
            data=message.data(),
            allow_redirects=False,
            timeout=self._time_left(message),
        )
        try:
            body = await _read(response, self._limits.max_bytes)
        except BaseException:
            response.close()
            raise
        return Reply(
            response.status,
            response.headers,
            body,
            perf_counter() - message.started,
            message.headers["Authorization"],
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()
        await self._resolver.close()

    def _time_left(self, message: Message) -> aiohttp.ClientTimeout:
        """Return the whole time for a first attempt, what is left of it for a further one."""
        spent = perf_counter() - message.started
        if spent < _NEGLIGIBLE:
            return self._timeout
        return _timeout(self._limits, max(self._limits.total - spent, _NEGLIGIBLE))


def _timeout(limits: Limits, total: float) -> aiohttp.ClientTimeout:
    """Put the limits into the library's form."""
    return aiohttp.ClientTimeout(total=total, sock_connect=min(limits.connect, total))


async def _read(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    """Read the body piece by piece, never more than allowed."""
    if (response.content_length or 0) > max_bytes:
        raise ReplyTooLarge(
            f"{response.content_length} bytes announced, {max_bytes} are read at most"
        )
    content = response.content
    body = await content.readany()
    if content.at_eof():
        _check_size(body, max_bytes)
        return body
    pieces = bytearray(body)
    while piece := await content.readany():
        pieces += piece
        _check_size(pieces, max_bytes)
    return bytes(pieces)


def _check_size(body: bytes | bytearray, max_bytes: int) -> None:
    """Refuse a body that has grown too large."""
    if len(body) > max_bytes:
        raise ReplyTooLarge(f"more than {max_bytes} bytes")
