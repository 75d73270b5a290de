"""Django's synchronous views behind an ASGI server: one request, one thread, the raw path kept.

Only ASGI carries a path before its percent-encoding is undone, and an OCPI id may contain `/`
(docs/decisions/0001-raw-paths-need-asgi.md). Bodies are read by the event loop, so a slow sender
holds no thread, and never beyond one byte more than the hub accepts (`settings/bodies.py`); the
view sees the overlong rest as "too large", and answers a stranger without it. An answer whose
length nobody knows is made part by part, as fast as its reader takes it, in one of a few threads
that no message waits for.
"""

import asyncio
import io
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from http import HTTPStatus
from threading import Event
from typing import Any
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.db import close_old_connections

from ocpi.errors import OcpiError
from settings.bodies import Body, Left, MemoryBudget, Share
from settings.refusals import (
    OCPI,
    body_broken_off,
    body_too_slow,
    head_too_large,
    no_memory,
    refusal,
)
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
_budget = MemoryBudget()
_FAREWELL_SECONDS = 1.0
"""How long who is answered already may write on."""
_PART_SECONDS = 60.0
"""How long a reader may take for one part before it is given up."""
_PART_BYTES = 65_536
"""Smaller parts go out together."""


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one HTTP request, or begin."""
    if scope["type"] == "lifespan" and "state" in scope:  # as a server says that has begun
        _begin()
    elif scope["type"] == "http":
        await _serve(scope, receive, send)


async def _serve(scope: Scope, receive: Receive, send: Send) -> None:
    headers = _plain(scope["headers"])
    refused = head_too_large(sum(map(sum, map(_lengths, scope["headers"]))))
    body = Body(receive, headers)
    with _budget.share() as share:
        try:
            content = None if refused else await _content(scope, body, headers, share)
        except OcpiError as error:
            refused = error
        if refused is not None:
            answer = _refused(refused, scope, headers)
        else:
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(_threads, _call, scope, content)
    if not isinstance(answer[-1], bytes):
        await _stream(answer, receive, send)
    elif body.is_whole:
        await _answer(send, answer)
    else:
        await _last_answer(send, answer, body)


def _begin() -> None:
    """Let it be known that this process is there."""
    from hub.pull import outages  # noqa: PLC0415 - Django is set up meanwhile

    outages.watch()


async def _content(
    scope: Scope, body: Body, headers: Mapping[str, str], share: Share
) -> bytes | None:
    """Return the body; None for a long one of a stranger, who is answered without it."""
    admits = partial(_admits, scope["path"], headers)
    try:
        async with asyncio.timeout(settings.HUB_REQUEST_TIMEOUT):
            return await body.read(share, _threads, admits)
    except TimeoutError:
        raise (_turned_away(scope) if body.awaits_memory else body_too_slow()) from None
    except Left:  # without an answer that would be 500
        raise body_broken_off() from None


def _turned_away(scope: Scope) -> OcpiError:
    """Refuse somebody the hub knows, whose message is missing from now on."""
    from hub.pull import outages  # noqa: PLC0415 - Django is set up meanwhile

    if scope["path"].startswith(OCPI):
        outages.note_refused(scope["method"])
    return no_memory()


def _admits(path: str, headers: Mapping[str, str]) -> bool:
    """Whether somebody the hub knows sends a long body."""
    from operators.sessions import is_logged_in  # noqa: PLC0415 - Django is set up meanwhile
    from parties.authentication import is_known  # noqa: PLC0415

    try:
        if path.startswith(OCPI):
            return is_known(headers.get("authorization"))
        return is_logged_in(headers.get("cookie", ""))
    finally:
        close_old_connections()


async def _last_answer(send: Send, answer: Answer, body: Body) -> None:
    """Answer before the end of a body; its sender may write on for a moment, then it is cut off."""
    status, headers, content = answer
    await _answer(send, (status, [*headers, (b"connection", b"close")], content))
    with suppress(TimeoutError, Left):
        async with asyncio.timeout(_FAREWELL_SECONDS):
            await body.drop()


def _refused(error: OcpiError, scope: Scope, headers: Mapping[str, str]) -> Answer:
    """Return the answer no view is asked for."""
    made = refusal(error, scope["path"], headers)
    encoded = [(name.lower().encode(), value.encode()) for name, value in made.headers.items()]
    if error.http_status == HTTPStatus.SERVICE_UNAVAILABLE:
        encoded.append((b"retry-after", b"1"))
    return made.http_status, encoded, made.content


def _plain(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in raw}


def _lengths(header: tuple[bytes, bytes]) -> tuple[int, int]:
    name, value = header
    return len(name), len(value)


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


def _call(scope: Scope, body: bytes | None) -> Answer:
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
    """Whether an answer is made while it is sent; a file says how long it is."""
    return getattr(parts, "streaming", False) and not parts.has_header("Content-Length")


class _NotRead(io.RawIOBase):
    """The body of a stranger, for a view that should ask for it all the same."""

    def read(self, size: int = -1, /) -> bytes:
        """Have nothing, as when a sender left."""
        del size
        raise OSError("this body was not read")


def _no_writing(_content: bytes) -> None:
    """Refuse WSGI's imperative way to send content, which Django never uses."""
    raise NotImplementedError


def _environ(scope: Scope, body: bytes | None) -> dict[str, Any]:
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
        "wsgi.input": _NotRead() if body is None else io.BytesIO(body),
    }
    environ |= _headers(scope["headers"])
    environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
    environ["CONTENT_LENGTH"] = "1" if body is None else str(len(body))
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
