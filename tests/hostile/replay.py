"""Hostile bytes on real connections, and a well-behaved platform that asks all the while."""

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from urllib.parse import urlsplit

from tests.hostile.ledger import Ledger

Shot = tuple[str, bytes]
"""Of which kind, and what is sent."""
Read = tuple[int, bytes]
CONNECTIONS = 8
_PATIENCE = 15.0
_EVERY_SECONDS = 0.1
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_NO_BODY = (204, 304)


class Line:
    """One connection, made again whenever the hub ended it."""

    def __init__(self, url: str) -> None:
        """Remember where the hub is."""
        parts = urlsplit(url)
        self._where = (parts.hostname or "", parts.port or 80)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, sent: bytes, *, last: bool = False) -> Read | None:
        """Send and read an answer; `last`: nothing comes after it, the hub is told so."""
        try:
            async with asyncio.timeout(_PATIENCE):
                return await self._ask(sent, last=last)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
            self.close()
            return None

    async def _ask(self, sent: bytes, *, last: bool) -> Read:
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._where, limit=2**24)
        reader, writer = self._streams
        writer.write(sent)
        if last:
            writer.write_eof()
        answer, goes_on = await _answer(reader, has_body=not sent.startswith(b"HEAD "))
        if last or not goes_on:
            self.close()
        return answer

    def close(self) -> None:
        """End the connection."""
        streams, self._streams = self._streams, None
        if streams is not None:
            streams[1].transport.abort()


async def _answer(reader: asyncio.StreamReader, *, has_body: bool) -> tuple[Read, bool]:
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    if has_body and status not in _NO_BODY:
        body = await _body(reader, head)
    else:
        body = b""
    return (status, body), b"connection: close" not in head.lower()


async def _body(reader: asyncio.StreamReader, head: bytes) -> bytes:
    if found := _LENGTH.search(head):
        return await reader.readexactly(int(found[1]))
    parts = []
    while _CHUNKED.search(head):
        size = int(await reader.readuntil(b"\r\n"), 16)
        parts.append((await reader.readexactly(size + 2))[:-2])
        if not size:
            break
    return b"".join(parts)


async def replay(
    url: str, shots: Iterator[Shot], canary: bytes, ledger: Ledger, tell: Callable[[], None]
) -> None:
    """Send every shot, some connections at once, and write the ledger."""
    watch = asyncio.create_task(_watch(Line(url), canary, ledger))
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(CONNECTIONS):
                group.create_task(_send(Line(url), shots, ledger, tell))
    finally:
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch


async def _send(
    line: Line, shots: Iterator[Shot], ledger: Ledger, tell: Callable[[], None]
) -> None:
    for kind, sent in shots:
        began = time.monotonic()
        answer = await line.ask(sent, last=kind.startswith("malformed"))
        ledger.add(kind, sent, answer, time.monotonic() - began)
        tell()
    line.close()


async def _watch(line: Line, canary: bytes, ledger: Ledger) -> None:
    """Ask as a platform does that has done nothing wrong."""
    with closing(line):
        while True:
            began = time.monotonic()
            answer = await line.ask(canary)
            ledger.canary = max(ledger.canary, time.monotonic() - began)
            assert answer is None or b'"status_code":1000' in answer[1], answer
            await asyncio.sleep(_EVERY_SECONDS)
