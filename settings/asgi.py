"""Django's synchronous views behind an ASGI server: one request, one thread, the raw path kept.

Only ASGI carries a path before its percent-encoding is undone, and an OCPI id may contain `/`
(docs/decisions/0001-raw-paths-need-asgi.md). Bodies are read by the event loop, so a slow sender
holds no thread, and never beyond one byte more than the hub accepts (`settings/bodies.py`): to the
view an overlong body is "too large", and a stranger's long one is answered unread. How answers go
out is in `settings/answers.py`.
"""

import asyncio
import io
import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.db import close_old_connections

from ocpi.errors import OcpiError
from settings.answers import Answer, RawHeaders, Send, StreamedAnswer, send_in_parts, send_whole
from settings.bodies import Body, MemoryBudget, Receive, SenderLeft, Share
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
Headers = list[tuple[str, str]]
Write = Callable[[bytes], object]

_WSGI_CONSTANTS = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}
_threads = ThreadPoolExecutor(settings.HUB_WEB_THREADS, thread_name_prefix="web")
_budget = MemoryBudget()
_LINGER_SECONDS = 1.0
"""How long a sender that was answered before the end of its body may go on writing."""


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one HTTP request, or note that the server starts this process."""
    if scope["type"] == "lifespan" and "state" in scope:  # as granian's has
        _begin()
    elif scope["type"] == "http":
        await _serve(scope, receive, send)


async def _serve(scope: Scope, receive: Receive, send: Send) -> None:
    headers = _plain(scope["headers"])
    refused = head_too_large(sum(len(name) + len(value) for name, value in scope["headers"]))
    body = Body(receive, headers)
    answer: Answer | StreamedAnswer
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
    if isinstance(answer, StreamedAnswer):
        await send_in_parts(answer, receive, send, closers=_threads)
    elif body.is_whole:
        await send_whole(answer, send)
    else:
        await _last_answer(answer, send, body)


def _begin() -> None:
    """Record from now on that this process is up: the gaps in that record are outages."""
    from hub.pull import outages  # noqa: PLC0415 - Django is set up meanwhile

    outages.watch()


async def _content(
    scope: Scope, body: Body, headers: Mapping[str, str], share: Share
) -> bytes | None:
    """Return the body; None for a stranger's long one, which is answered unread."""
    admits = partial(_admits, scope["path"], headers)
    try:
        async with asyncio.timeout(settings.HUB_REQUEST_TIMEOUT):
            return await body.read(share, _threads, admits)
    except TimeoutError:
        raise (_turned_away(scope) if body.awaits_memory else body_too_slow()) from None
    except SenderLeft:  # left to the server, this would be a 500
        raise body_broken_off() from None


def _turned_away(scope: Scope) -> OcpiError:
    """Refuse a known sender for lack of memory; what it pushed is then missing, as in an outage."""
    from hub.pull import outages  # noqa: PLC0415 - Django is set up meanwhile

    if scope["path"].startswith(OCPI):
        outages.note_refused(scope["method"])
    return no_memory()


def _admits(path: str, headers: Mapping[str, str]) -> bool:
    """Whether the sender of a long body is known: a platform by its token, a user by log-in."""
    from operators.sessions import is_logged_in  # noqa: PLC0415 - Django is set up meanwhile
    from parties.authentication import is_known  # noqa: PLC0415

    try:
        if path.startswith(OCPI):
            return is_known(headers.get("authorization"))
        return is_logged_in(headers.get("cookie", ""))
    finally:
        close_old_connections()


async def _last_answer(answer: Answer, send: Send, body: Body) -> None:
    """Answer before the end of a body; its sender may write on for a moment, then it is cut off."""
    closing = [*answer.headers, (b"connection", b"close")]
    await send_whole(answer._replace(headers=closing), send)
    with suppress(TimeoutError, SenderLeft):
        async with asyncio.timeout(_LINGER_SECONDS):
            await body.drop()


def _refused(error: OcpiError, scope: Scope, headers: Mapping[str, str]) -> Answer:
    """Return the answer to a request that is refused before any view sees it."""
    made = refusal(error, scope["path"], headers)
    encoded = [(name.lower().encode(), value.encode()) for name, value in made.headers.items()]
    if error.http_status == HTTPStatus.SERVICE_UNAVAILABLE:
        encoded.append((b"retry-after", b"1"))
    return Answer(made.http_status, encoded, made.content)


def _plain(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in raw}


def _call(scope: Scope, body: bytes | None) -> Answer | StreamedAnswer:
    """Run the WSGI application in this thread."""
    started: list[tuple[int, RawHeaders]] = []

    def start_response(status: str, headers: Headers, _error: object = None, /) -> Write:
        encoded = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
        started[:] = [(int(status[:3]), encoded)]
        return _no_writing

    parts = wsgi(_environ(scope, body), start_response)
    [(status, headers)] = started
    if _is_streamed(parts):
        close_old_connections()  # this thread's; another one makes the parts
        return StreamedAnswer(status, headers, parts)
    try:
        content = b"".join(parts)
    finally:
        parts.close()
    return Answer(status, headers, content)


def _is_streamed(parts: Any) -> bool:  # noqa: ANN401 - what Django returns to a WSGI server
    """Whether an answer is made while it is sent; a static file is not: its length is known."""
    return getattr(parts, "streaming", False) and not parts.has_header("Content-Length")


class _NotRead(io.RawIOBase):
    """In place of a stranger's body, for a view that asks for it all the same."""

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
        **_WSGI_CONSTANTS,
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
    # Not 0 for one that was not read: a view must fail at it, not take it for empty.
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
