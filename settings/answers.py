"""Answers on their way to an ASGI server: whole, or part by part while they are made.

An answer whose length nobody knows, such as an exported file, is made as fast as its reader takes
it, in one of a few threads that no message waits for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing
from threading import Event
from typing import Any, NamedTuple, Protocol

from settings.bodies import Receive

Send = Callable[[dict[str, Any]], Awaitable[None]]
RawHeaders = list[tuple[bytes, bytes]]

_streams = ThreadPoolExecutor(4, thread_name_prefix="stream")
_PART_SECONDS = 60.0
"""How long a reader may take for one part before it is given up."""
_PART_BYTES = 65_536
"""Smaller parts go out together."""


class Parts(Protocol):
    """The content of an answer that is made while it is sent."""

    def __iter__(self) -> Iterator[bytes]:
        """Make one part after the other."""

    def close(self) -> None:
        """Make no more, and free what is held for that."""


class Answer(NamedTuple):
    """An HTTP response that is all there."""

    status: int
    headers: RawHeaders
    content: bytes


class StreamedAnswer(NamedTuple):
    """An HTTP response whose content is made while it is sent."""

    status: int
    headers: RawHeaders
    parts: Parts


async def send_whole(answer: Answer, send: Send) -> None:
    """Send an answer that is all there."""
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": answer.content})


async def send_in_parts(
    answer: StreamedAnswer, receive: Receive, send: Send, *, closers: Executor
) -> None:
    """Send part by part until the end, or until the reader is gone.

    What fails on the way is raised, so that the server cuts the connection: half a file must not
    pass for a whole one. Parts whose turn never came are closed by one of the `closers`.
    """
    loop, gone, turn = asyncio.get_running_loop(), Event(), None
    watch = loop.create_task(_until_gone(receive, gone))

    def send_part(part: bytes) -> None:
        message = {"type": "http.response.body", "body": part, "more_body": True}
        asyncio.run_coroutine_threadsafe(_sent(send, message), loop).result(_PART_SECONDS)

    try:
        await send(
            {"type": "http.response.start", "status": answer.status, "headers": answer.headers}
        )
        turn = _streams.submit(_produce, answer.parts, gone, send_part)
        work = asyncio.wrap_future(turn)
        await asyncio.wait((work, watch), return_when=asyncio.FIRST_COMPLETED)
        if not turn.cancel():
            await work
            await send({"type": "http.response.body", "body": b""})
    finally:
        watch.cancel()
        gone.set()
        if turn is None or turn.cancel():  # nobody waits for its turn any more
            await loop.run_in_executor(closers, answer.parts.close)


async def _sent(send: Send, message: dict[str, Any]) -> None:
    """Make a coroutine of a send: a server's may be any awaitable, which no loop takes."""
    await send(message)


def _produce(parts: Parts, gone: Event, send_part: Callable[[bytes], object]) -> None:
    """Make one part after the other, until the end or until nobody reads them."""
    with closing(parts):
        for part in _together(parts):
            if gone.is_set():
                return
            send_part(part)


def _together(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Join small parts, so that a file of many short lines is few messages."""
    waiting, size = [], 0
    for part in parts:
        waiting.append(part)
        size += len(part)
        if size >= _PART_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)


async def _until_gone(receive: Receive, gone: Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    gone.set()
