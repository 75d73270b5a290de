"""The body of a request: how far it is read, for whom, and how much memory all may take.

Spec: 2.2.1 transport and format. The first 64 KiB are read of anybody's body, the rest only behind
a token the hub knows, or a log-in at the console: strangers cannot fill the memory. Long bodies of
all senders share a budget of `HUB_LONG_BODIES_BYTES`: each takes its length of it before the rest
is read, until it is answered. One that does not fit waits until the time for its body is over.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

from django.conf import settings

Receive = Callable[[], Awaitable[dict[str, Any]]]
Admits = Callable[[], bool]

MOST_BYTES_UNASKED = 65_536
"""Of a body, before anybody asks who sends it."""
_PAUSE_SECONDS = 0.05
"""Between two looks at whether a body fits into the budget by now."""


class SenderLeft(Exception):
    """The sender left before the end of its body, or its chunked encoding is broken."""


class MemoryBudget:
    """What the long bodies of a process take; its event loop alone uses it, so there is no lock."""

    def __init__(self) -> None:
        """Begin empty."""
        self.taken = 0

    def is_full_for(self, size: int) -> bool:
        """Whether a body has to wait for others."""
        most: int = settings.HUB_LONG_BODIES_BYTES
        return self.taken > 0 and self.taken + size > most

    @contextmanager
    def share(self) -> Iterator["Share"]:
        """Lend a share to a request; it is free again when the request is answered."""
        share = Share(self)
        try:
            yield share
        finally:
            self.taken -= share.size


class Share:
    """What one body takes of the budget."""

    def __init__(self, budget: MemoryBudget) -> None:
        """Begin with nothing."""
        self.size = 0
        self._budget = budget

    async def take(self, size: int) -> None:
        """Wait until a body fits beside the others; one alone always does."""
        while self._budget.is_full_for(size):  # noqa: ASYNC110 - an event would belong to one loop
            await asyncio.sleep(_PAUSE_SECONDS)
        self._budget.taken += size
        self.size = size


class Body:
    """The body of one request, which arrives bit by bit."""

    def __init__(self, receive: Receive, headers: Mapping[str, str]) -> None:
        """Begin before its first byte."""
        self._receive = receive
        self._announced = headers.get("content-length", "")
        self._chunks: list[bytes] = []
        self._size = 0
        self.is_whole = False
        self.awaits_memory = False

    async def read(self, share: Share, threads: Executor, admits: Admits) -> bytes | None:
        """Return it, cut one byte beyond what the hub accepts; None for a stranger's long one."""
        most: int = settings.HUB_MAX_BODY_BYTES + 1
        await self._read(min(most, MOST_BYTES_UNASKED + 1))
        if not self.is_whole and self._size > MOST_BYTES_UNASKED:
            loop = asyncio.get_running_loop()
            if not await loop.run_in_executor(threads, admits):
                return None
            self.awaits_memory = True
            await share.take(self._expected(most))
            self.awaits_memory = False
            await self._read(most)
        return b"".join(self._chunks)[:most]

    async def drop(self) -> None:
        """Take the rest off the wire: a sender that is still writing does not read the answer."""
        left = settings.HUB_MAX_BODY_BYTES - self._size
        while not self.is_whole and left > 0:
            left -= len(await self._next())

    async def _read(self, most: int) -> None:
        while not self.is_whole and self._size < most:
            self._chunks.append(await self._next())
            self._size += len(self._chunks[-1])

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.is_whole = True
            raise SenderLeft
        self.is_whole = not message.get("more_body")
        content: bytes = message.get("body", b"")
        return content

    def _expected(self, most: int) -> int:
        # A body that does not announce its length counts as the longest: twelve such (5 MB) share
        # the default 64 MB, or some nine hundred of 70 kB that say how long they are.
        digits = self._announced
        return (
            min(int(digits), most) if digits.isdecimal() and len(digits) < len(str(most)) else most
        )
