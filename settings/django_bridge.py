"""Django's synchronous views behind an ASGI server: one request, one thread, the raw path kept."""

import io
import sys
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from django.db import close_old_connections

from settings.answers import Answer, RawHeaders, StreamedAnswer
from settings.scope import Scope, address_of
from settings.wsgi import application as wsgi

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


def answer(scope: Scope, headers: Mapping[str, str], body: bytes | None) -> Answer | StreamedAnswer:
    """Run the WSGI application in this thread; a `body` of None was not read."""
    started: list[tuple[int, RawHeaders]] = []

    def start_response(status: str, given: Headers, _error: object = None, /) -> Write:
        encoded = [(name.lower().encode(), value.encode("latin-1")) for name, value in given]
        started[:] = [(int(status[:3]), encoded)]
        return _no_writing

    parts = wsgi(environ(scope, headers, body), start_response)
    [(status, fields)] = started
    if _is_streamed(parts):
        close_old_connections()  # this thread's; another one makes the parts
        return StreamedAnswer(status, fields, parts)
    try:
        content = b"".join(parts)
    finally:
        parts.close()
    return Answer(status, fields, content)


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


def environ(scope: Scope, headers: Mapping[str, str], body: bytes | None) -> dict[str, Any]:
    """Translate an ASGI scope; `RAW_URI` is the path as it was sent, as gunicorn names it."""
    server = scope.get("server") or ("localhost", 80)
    translated: dict[str, Any] = {
        **_WSGI_CONSTANTS,
        "REQUEST_METHOD": scope["method"],
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "RAW_URI": scope["raw_path"].decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": address_of(scope),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": _NotRead() if body is None else io.BytesIO(body),
    }
    for name, value in headers.items():
        translated["HTTP_" + name.upper().replace("-", "_")] = value
    translated["CONTENT_TYPE"] = translated.pop("HTTP_CONTENT_TYPE", "")
    # Not 0 for one that was not read: a view must fail at it, not take it for empty.
    translated["CONTENT_LENGTH"] = "1" if body is None else str(len(body))
    translated.pop("HTTP_CONTENT_LENGTH", None)
    return translated
