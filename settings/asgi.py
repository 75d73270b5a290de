"""Django's synchronous views behind an ASGI server: one request, one thread, the raw path kept.

Only ASGI carries a path before its percent-encoding is undone, and an OCPI id may contain `/`
(docs/decisions/0001). Bodies are read by the event loop, so a slow sender holds no thread, and
never beyond one byte more than the hub accepts; the view sees the overlong rest as "too large".
An answer whose length nobody knows is made part by part, as fast as its reader takes it, in one of
a few threads that no message waits for.
"""

import asyncio
import io
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event
from typing import Any
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.db import close_old_connections

from settings.wsgi import application as wsgi

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = list[tuple[str, str]]
Write = Callable[[bytes], object]
Answer = tuple[int, list[tuple[bytes, bytes]], Any]
"""Status, headers and content: bytes, or what makes it part by part."""

_CONSTANT = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}
_threads = ThreadPoolExecutor(settings.HUB_WEB_THREADS, thread_name_prefix="web")
_streams = ThreadPoolExecutor(4, thread_name_prefix="stream")
_PART_SECONDS = 60.0
"""How long a reader may take for one part before it is given up."""
_PART_BYTES = 65_536
"""Smaller parts go out together."""


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one HTTP request."""
    if scope["type"] != "http":
        return
    try:
        async with asyncio.timeout(settings.HUB_REQUEST_TIMEOUT):
            body = await _read(receive, settings.HUB_MAX_BODY_BYTES + 1)
    except TimeoutError:
        await _answer(send, (408, [], b""))
        return
    if body is None:  # its sender left, or its chunks are none: without an answer that would be 500
        await _answer(send, (400, [], b""))
        return
    loop = asyncio.get_running_loop()
    answer = await loop.run_in_executor(_threads, _call, scope, body)
    if isinstance(answer[-1], bytes):
        await _answer(send, answer)
    else:
        await _stream(answer, receive, send)


async def _answer(send: Send, answer: Answer) -> None:
    status, headers, content = answer
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def _stream(answer: Answer, receive: Receive, send: Send) -> None:
    """Send part by part until the end, or until the reader is gone.

    What fails on the way is raised, so that the server cuts the connection: half is not taken for
    all.
    """
    status, headers, parts = answer
    loop, gone, turn = asyncio.get_running_loop(), Event(), None
    watch = loop.create_task(_until_gone(receive, gone))

    def sent(part: bytes) -> None:
        message = {"type": "http.response.body", "body": part, "more_body": True}
        asyncio.run_coroutine_threadsafe(_sent(send, message), loop).result(_PART_SECONDS)

    try:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        turn = _streams.submit(_produce, parts, gone, sent)
        work = asyncio.wrap_future(turn)
        await asyncio.wait((work, watch), return_when=asyncio.FIRST_COMPLETED)
        if not turn.cancel():
            await work
            await send({"type": "http.response.body", "body": b""})
    finally:
        watch.cancel()
        gone.set()
        if turn is None or turn.cancel():  # nobody waits for its turn any more
            await loop.run_in_executor(_threads, parts.close)


async def _sent(send: Send, message: dict[str, Any]) -> None:
    await send(message)


def _produce(parts: Any, gone: Event, sent: Callable[[bytes], object]) -> None:  # noqa: ANN401 - what Django returns to a WSGI server
    """Make one part after the other, until the end or until nobody reads them."""
    with closing(parts):
        for part in _together(parts):
            if gone.is_set():
                return
            sent(part)


def _together(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Join parts until they are worth being sent."""
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


async def _read(receive: Receive, most: int) -> bytes | None:
    """Return the body up to `most` bytes, or None when the sender left before its end."""
    chunks: list[bytes] = []
    size = 0
    while size < most:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if not message.get("more_body"):
            break
    return b"".join(chunks)[:most]


def _call(scope: Scope, body: bytes) -> Answer:
    """Run the WSGI application in this thread."""
    answer: list[Any] = []

    def start_response(status: str, headers: Headers, _error: object = None, /) -> Write:
        encoded = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
        answer[:] = [int(status[:3]), encoded]
        return _no_writing

    parts = wsgi(_environ(scope, body), start_response)
    if _is_endless(parts):
        close_old_connections()  # this thread's; another one goes on
        return answer[0], answer[1], parts
    try:
        content = b"".join(parts)
    finally:
        parts.close()
    return answer[0], answer[1], content


def _is_endless(parts: Any) -> bool:  # noqa: ANN401 - what Django returns to a WSGI server
    """Tell whether an answer is made while it is sent; a file says how long it is."""
    return getattr(parts, "streaming", False) and not parts.has_header("Content-Length")


def _no_writing(_content: bytes) -> None:
    """Refuse WSGI's imperative way to send content, which Django never uses."""
    raise NotImplementedError


def _environ(scope: Scope, body: bytes) -> dict[str, Any]:
    """Translate an ASGI scope; `RAW_URI` is the path as it was sent, as gunicorn names it."""
    server = scope.get("server") or ("localhost", 80)
    environ: dict[str, Any] = {
        **_CONSTANT,
        "REQUEST_METHOD": scope["method"],
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "RAW_URI": scope["raw_path"].decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": (scope.get("client") or ("",))[0],
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(body),
    }
    environ |= _headers(scope["headers"])
    environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_CONTENT_LENGTH", None)
    return environ


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Name the headers as WSGI does; one spelled with `_` could pass for another and is dropped."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in raw:
        if b"_" in raw_name:
            continue
        name = "HTTP_" + raw_name.decode("latin-1").upper().replace("-", "_")
        value = raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers
