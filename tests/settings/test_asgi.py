"""The bridge between an ASGI server and Django's synchronous views, called as a server would."""

import asyncio
import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from django.conf import LazySettings

from ocpi.transport.authorization import header
from settings.asgi import application
from settings.bodies import MOST_BYTES_UNASKED, Body, MemoryBudget
from settings.django_bridge import environ
from settings.scope import headers_of

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

    assert (start["status"], json.loads(body["body"])["status_code"]) == (400, 2001)


def test_an_overlong_body_is_read_no_further_than_needed(settings: LazySettings) -> None:
    """One byte beyond the limit is enough to know; the rest is not waited for."""
    settings.HUB_MAX_BODY_BYTES = 10
    endless = [{"type": "http.request", "body": b"x" * 6, "more_body": True}] * 2

    start, _ = _call(_scope(method="PUT"), endless)

    assert start["status"] == 401


def test_a_body_that_does_not_come_is_not_waited_for(settings: LazySettings) -> None:
    """A slow sender gets 408, and holds neither a thread nor memory for long."""
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

    found = environ(scope, headers_of(scope), b"together")

    assert found["wsgi.input"].read() == b"together"
    assert found["CONTENT_LENGTH"] == "8"
    assert found["CONTENT_TYPE"] == "a/b"
    assert "HTTP_CONTENT_LENGTH" not in found


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
    """`RAW_URI` is what was sent; `PATH_INFO` its bytes, as WSGI has them."""
    found = environ(_scope(raw_path=raw, query_string=b"x=%20"), {}, b"")

    assert found["RAW_URI"] == raw.decode()
    assert found["PATH_INFO"] == path
    assert found["QUERY_STRING"] == "x=%20"


def test_headers_are_named_as_wsgi_names_them() -> None:
    """Repeated ones are joined; one spelled with `_` cannot pass for one spelled with `-`."""
    headers = [
        (b"X-Request-ID", b"a"),
        (b"x-request-id", b"b"),
        (b"x_forwarded_proto", b"https"),
        (b"OCPI_from_party_id", b"XXX"),
        (b"x-latin", b"\xe9"),
    ]

    found = environ(_scope(), headers_of(_scope(headers=headers)), b"")

    named = {name: value for name, value in found.items() if name.startswith("HTTP_")}
    assert named == {"HTTP_X_REQUEST_ID": "a,b", "HTTP_X_LATIN": "\xe9"}


def test_a_server_without_addresses_is_fine() -> None:
    """Behind a unix socket there is neither a client nor a port."""
    found = environ(_scope(client=None, server=None), {}, b"")

    assert (found["REMOTE_ADDR"], found["SERVER_NAME"]) == ("", "localhost")


def _sent(scope: Message, chunks: Iterable[bytes]) -> tuple[list[Message], int]:
    """Send a body in chunks; return what was answered, and how many chunks were taken for that."""
    waiting, sent, taken = iter(chunks), list[Message](), 0

    async def receive() -> Message:
        nonlocal taken
        chunk = next(waiting, None)
        if chunk is None or sent:
            await asyncio.sleep(60)
        taken += 1
        return {"type": "http.request", "body": chunk, "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    async def run() -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                await application(scope, receive, send)

    asyncio.run(run())
    return sent, taken


@pytest.mark.security("S-08")
@pytest.mark.parametrize("token", [None, "made-up"])
@pytest.mark.parametrize("path", ["/ocpi/2.2.1/receiver/locations/NL/CPA/L1", "/admin/login/"])
@pytest.mark.django_db(transaction=True)
def test_a_long_body_of_a_stranger_is_not_read(path: str, token: str | None) -> None:
    """64 KiB are enough to know: the answer comes before the rest, and the connection ends."""
    headers = [
        (b"host", b"hub"),
        (b"content-length", b"4000000"),
        (b"cookie", b"sessionid=x1234567"),
    ]
    if token:
        headers.append((b"authorization", header(token).encode()))

    sent, taken = _sent(_scope(path, method="POST", headers=headers), [b"x" * 10_000] * 400)

    assert sent[0]["status"] == (401 if path.startswith("/ocpi") else 403)
    assert (b"connection", b"close") in sent[0]["headers"]
    assert taken * 10_000 <= MOST_BYTES_UNASKED + 10_000


@pytest.mark.security("S-08")
def test_long_bodies_share_a_budget(settings: LazySettings) -> None:
    """Who finds it spent waits, and gets 503 when its time is over; then there is memory again."""
    settings.HUB_LONG_BODIES_BYTES = 100_000
    budget = MemoryBudget()

    async def run() -> None:
        with budget.share() as first, budget.share() as second:
            await first.take(80_000)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await second.take(80_000)
            assert budget.taken == 80_000
        assert budget.taken == 0
        with budget.share() as alone:
            await alone.take(5_000_000)

    asyncio.run(run())


@pytest.mark.security("S-08")
@pytest.mark.parametrize(
    "announced, taken", [("", 200_001), ("80000", 80_000), ("9" * 30, 200_001), ("-1", 200_001)]
)
def test_a_long_body_takes_what_it_may_become(
    announced: str, taken: int, settings: LazySettings
) -> None:
    """Its announced length, as far as that can be; unannounced it counts as the longest one."""
    settings.HUB_MAX_BODY_BYTES = 200_000
    room, seen = MemoryBudget(), list[int]()

    async def receive() -> Message:
        seen.append(room.taken)
        return {"type": "http.request", "body": b"x" * 40_000, "more_body": len(seen) < 3}

    async def run() -> None:
        with room.share() as share, ThreadPoolExecutor(1) as threads:
            await Body(receive, {"content-length": announced}).read(share, threads, lambda: True)

    asyncio.run(run())
    assert seen == [0, 0, taken]


@pytest.mark.security("S-08")
@pytest.mark.parametrize(
    "target, headers, status",
    [
        ("/ocpi/versions?x=" + "y" * 4_000, [], 414),
        ("/ocpi/" + "y" * 60_000, [], 414),
        ("/ocpi/versions", [(b"x-long", b"y" * 40_000)], 431),
        ("/ocpi/versions", [(b"x-%d" % number, b"y" * 500) for number in range(80)], 431),
    ],
)
def test_what_is_too_long_is_refused_before_any_view(
    target: str, headers: list[tuple[bytes, bytes]], status: int
) -> None:
    """The answer is an envelope with the caller's ids, and costs no look at a token."""
    ids = [(b"x-request-id", b"r-1"), (b"x-correlation-id", b"c-1")]

    start, body = _call(_scope(target, headers=[*ids, *headers]))

    named = dict(start["headers"])
    envelope = json.loads(body["body"])
    assert (start["status"], envelope["status_code"]) == (status, 2001)
    assert "longer" in envelope["status_message"] or "larger" in envelope["status_message"]
    assert (named[b"x-request-id"], named[b"x-correlation-id"]) == (b"r-1", b"c-1")


@pytest.mark.security("S-08")
def test_outside_of_ocpi_it_is_a_sentence() -> None:
    """The console's visitors read no envelopes."""
    start, body = _call(_scope("/admin/?" + "y" * 5_000))

    assert (start["status"], body["body"][:7]) == (414, b"the URL")
