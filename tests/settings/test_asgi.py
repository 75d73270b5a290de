"""The bridge between an ASGI server and Django's synchronous views, called as a server would."""

import asyncio
import json
from collections.abc import Iterable
from typing import Any

import pytest
from django.conf import LazySettings

from settings.asgi import _environ, application

Message = dict[str, Any]


def _scope(target: str = "/ocpi/versions", **changes: object) -> Message:
    path, _, query = target.partition("?")
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "http_version": "1.1",
        "scheme": "http",
        "headers": [(b"host", b"hub")],
        **changes,
    }


def _call(
    scope: Message, received: Iterable[Message] = ({"type": "http.request"},)
) -> list[Message]:
    """Run the application; return what it sent."""
    waiting, sent = list(received), []

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(application(scope, receive, send))
    return sent


def test_an_answer_has_its_status_headers_and_body() -> None:
    """A stranger gets 401 with an envelope, through the whole of Django."""
    start, body = _call(_scope())

    assert (start["type"], start["status"]) == ("http.response.start", 401)
    headers = dict(start["headers"])
    assert headers[b"content-type"] == b"application/json"
    assert all(name == name.lower() for name, _ in start["headers"])
    assert json.loads(body["body"])["status_code"] == 2001


def test_other_protocols_are_left_alone() -> None:
    """No lifespan, no websockets."""
    assert _call({"type": "lifespan"}, []) == []


def test_a_body_that_does_not_come_to_its_end_is_no_message() -> None:
    """Nothing is processed; who is still there, its chunks being none, reads 400."""
    half = {"type": "http.request", "body": b'{"a"', "more_body": True}

    start, body = _call(_scope(method="PUT"), [half, {"type": "http.disconnect"}])

    assert (start["status"], body["body"]) == (400, b"")


def test_an_overlong_body_is_read_no_further_than_needed(settings: LazySettings) -> None:
    """One byte beyond the limit is enough to know; the rest is not waited for."""
    settings.HUB_MAX_BODY_BYTES = 10
    endless = [{"type": "http.request", "body": b"x" * 6, "more_body": True}] * 2

    start, _ = _call(_scope(method="PUT"), endless)

    assert start["status"] == 401


def test_a_body_that_does_not_come_is_not_waited_for(settings: LazySettings) -> None:
    """A slow sender is told 408, and holds neither a thread nor memory for long."""
    settings.HUB_REQUEST_TIMEOUT = 0.05
    sent: list[Message] = []

    async def receive() -> Message:
        await asyncio.sleep(60)
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(application(_scope(method="PUT"), receive, send))

    assert sent[0]["status"] == 408


def test_the_body_arrives_in_one_piece() -> None:
    """Chunks are joined; the length is the one counted, whatever was announced."""
    scope = _scope(headers=[(b"content-length", b"999"), (b"content-type", b"a/b")])

    environ = _environ(scope, b"together")

    assert environ["wsgi.input"].read() == b"together"
    assert environ["CONTENT_LENGTH"] == "8"
    assert environ["CONTENT_TYPE"] == "a/b"
    assert "HTTP_CONTENT_LENGTH" not in environ


@pytest.mark.parametrize(
    "raw, path",
    [
        (b"/a%2Fb%20c", "/a/b c"),
        (b"/caf%C3%A9", "/caf\u00c3\u00a9"),
        (b"/%FF%ED%A0%80", "/\xff\xed\xa0\x80"),
        (b"/%zz", "/%zz"),
    ],
)
def test_the_raw_path_is_kept_beside_the_decoded_one(raw: bytes, path: str) -> None:
    """`RAW_URI` is what was sent; `PATH_INFO` its bytes, as WSGI wants them."""
    environ = _environ(_scope(raw_path=raw, query_string=b"x=%20"), b"")

    assert environ["RAW_URI"] == raw.decode()
    assert environ["PATH_INFO"] == path
    assert environ["QUERY_STRING"] == "x=%20"


def test_headers_are_named_as_wsgi_names_them() -> None:
    """Repeated ones are joined; one spelled with `_` cannot pass for one spelled with `-`."""
    headers = [
        (b"X-Request-ID", b"a"),
        (b"x-request-id", b"b"),
        (b"x_forwarded_proto", b"https"),
        (b"OCPI_from_party_id", b"XXX"),
        (b"x-latin", b"\xe9"),
    ]

    environ = _environ(_scope(headers=headers), b"")

    named = {name: value for name, value in environ.items() if name.startswith("HTTP_")}
    assert named == {"HTTP_X_REQUEST_ID": "a,b", "HTTP_X_LATIN": "\xe9"}


def test_a_server_without_addresses_is_fine() -> None:
    """Behind a unix socket there is neither a client nor a port."""
    environ = _environ(_scope(client=None, server=None), b"")

    assert (environ["REMOTE_ADDR"], environ["SERVER_NAME"]) == ("", "localhost")
