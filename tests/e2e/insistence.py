"""Insistence: a message is sent again over a connection until the hub has acknowledged it."""

import asyncio
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import uvloop

CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_PATIENCE_SECONDS = 15.0
_PAUSE_SECONDS = 0.05
_SUCCESS = b'"status_code":1000'


@dataclass(slots=True)
class InsistentConnection:
    """One connection to the hub, opened again when it was lost."""

    host: str
    port: int
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def insist(self, request: bytes, look: Callable[[], None] = lambda: None) -> int:
        """Send a request until it is acknowledged; return how many attempts were in vain.

        `look` is called after each of them.
        """
        attempts = 0
        while not await self._is_acknowledged(request):
            attempts += 1
            look()
            await asyncio.sleep(_PAUSE_SECONDS)
        return attempts

    def close(self) -> None:
        """Close it; the next request opens it again."""
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None

    async def _is_acknowledged(self, request: bytes) -> bool:
        """Send a request once; return whether the hub says that it has taken it."""
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                body = await self._exchange(request)
        except (OSError, EOFError, TimeoutError):
            self.close()
            return False
        return _SUCCESS in body

    async def _exchange(self, request: bytes) -> bytes:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self.host, self.port)
        reader, writer = self._streams
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = CONTENT_LENGTH.search(head)
        if length is None:
            raise EOFError
        return await reader.readexactly(int(length[1]))


def insist_in_order(url: str, sequences: Sequence[Iterable[bytes]]) -> None:
    """Send the requests of each sequence one after the other, all sequences at the same time."""
    uvloop.run(_all_of(url, sequences))


async def _all_of(url: str, sequences: Sequence[Iterable[bytes]]) -> None:
    async with asyncio.TaskGroup() as group:
        for each in sequences:
            group.create_task(_one_by_one(url, each))


async def _one_by_one(url: str, requests: Iterable[bytes]) -> None:
    server = urlsplit(url)
    connection = InsistentConnection(server.hostname or "", server.port or 80)
    for request in requests:
        await connection.insist(request)
    connection.close()
