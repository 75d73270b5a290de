"""Answers that are made while they are sent: in parts, as slowly as the reader takes them."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from hub import export
from hub.models import Tariff
from settings import answers, asgi
from tests.database_backend.pool import held

Message = dict[str, Any]
HEADERS = [(b"content-type", b"text/csv")]


class Reader:
    """Who reads an answer, and goes away after some parts if asked to."""

    def __init__(self, *, leaves_after: int = 1_000_000) -> None:
        self.taken: list[Message] = []
        self._body: list[Message] = [{"type": "http.request"}]
        self._left = asyncio.Event()
        self._leaves_after = leaves_after

    async def receive(self) -> Message:
        """Send the request, then wait until the reader leaves."""
        if self._body:
            return self._body.pop()
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take a part."""
        self.taken.append(message)
        if len(self.taken) > self._leaves_after:
            self._left.set()
            await asyncio.sleep(0)

    @property
    def body(self) -> bytes:
        """What was taken."""
        return b"".join(message.get("body", b"") for message in self.taken)


class Parts:
    """An endless file that knows how much of it was made, and whether it was closed."""

    def __init__(self, end: Callable[[int], bool] = lambda _: False) -> None:
        self.made = 0
        self.closed = False
        self._end = end

    def __iter__(self) -> Iterator[bytes]:
        """Make one part after the other."""
        while not self._end(self.made):
            self.made += 1
            yield b"%d\n" % self.made

    def close(self) -> None:
        """Take note."""
        self.closed = True


@pytest.fixture(autouse=True)
def _every_part_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """However small it is."""
    monkeypatch.setattr(answers, "_PART_BYTES", 1)


def stream(parts: Parts, reader: Reader, send: answers.Send | None = None) -> None:
    """Send the parts."""
    reader._body.clear()
    answer = answers.StreamedAnswer(200, HEADERS, parts)

    async def run(closers: ThreadPoolExecutor) -> None:
        await answers.send_in_parts(answer, reader.receive, send or reader.send, closers=closers)

    with ThreadPoolExecutor(1) as closers:
        asyncio.run(run(closers))


def test_every_part_goes_out_and_then_the_end() -> None:
    """The status first; the last message says that there is no more."""
    parts, reader = Parts(lambda made: made == 3), Reader()

    stream(parts, reader)

    assert reader.body == b"1\n2\n3\n"
    assert [message.get("more_body", False) for message in reader.taken[1:]] == [True] * 3 + [False]
    assert parts.closed


def test_small_parts_go_out_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of many short lines is few messages."""
    monkeypatch.setattr(answers, "_PART_BYTES", 6)
    reader = Reader()

    stream(Parts(lambda made: made == 7), reader)

    bodies = [message["body"] for message in reader.taken[1:]]
    assert bodies == [b"1\n2\n3\n", b"4\n5\n6\n", b"7\n", b""]


def test_nothing_is_made_for_a_reader_that_is_gone() -> None:
    """It ends within a part or two of the reader, and is closed."""
    parts = Parts()

    stream(parts, Reader(leaves_after=5))

    assert parts.made < 20
    assert parts.closed


def test_who_leaves_before_its_turn_is_closed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is made for it when its turn would have come."""
    others = Event()
    parts = Parts()
    with ThreadPoolExecutor(1) as streams:
        monkeypatch.setattr(answers, "_streams", streams)
        streams.submit(others.wait, 20)
        try:
            stream(parts, Reader(leaves_after=0))
            closed = parts.closed and not others.is_set()
        finally:
            others.set()

    assert (closed, parts.made) == (True, 0)


def test_who_takes_not_even_the_head_is_closed() -> None:
    """Its connection is gone before a turn was asked for."""

    async def send(_: Message) -> None:
        raise ConnectionResetError

    parts = Parts()
    with pytest.raises(ConnectionResetError):
        stream(parts, Reader(), send)

    assert (parts.closed, parts.made) == (True, 0)


def test_what_breaks_on_the_way_is_no_end() -> None:
    """The server hears of it and cuts the connection: half a file is not taken for a whole."""

    def breaks(made: int) -> bool:
        if made == 2:
            raise ValueError("no more rows")
        return False

    parts, reader = Parts(breaks), Reader()
    with pytest.raises(ValueError, match="no more rows"):
        stream(parts, reader)

    assert reader.taken[-1]["more_body"] is True
    assert parts.closed


def test_a_reader_that_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its thread is free for others after a while."""
    monkeypatch.setattr(answers, "_PART_SECONDS", 0.05)
    parts = Parts()

    async def stuck(message: Message) -> None:
        if message["type"] == "http.response.body":
            await asyncio.sleep(60)

    with pytest.raises(TimeoutError):
        stream(parts, Reader(), stuck)

    assert parts.made == 1
    assert parts.closed


def _export(user: User, reader: Reader) -> None:
    """Take the tariffs away as a browser does."""
    client = Client()
    client.force_login(user)
    token = "x" * 32
    cookie = f"sessionid={client.cookies['sessionid'].value}; csrftoken={token}"
    path = reverse("admin:hub_tariff_export")
    body = f"form=csv&csrfmiddlewaretoken={token}".encode()
    reader._body = [{"type": "http.request", "body": body}]
    headers = {
        b"host": b"localhost:8000",
        b"cookie": cookie.encode(),
        b"content-type": b"application/x-www-form-urlencoded",
    }
    scope: Message = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "http_version": "1.1",
        "scheme": "http",
        "headers": list(headers.items()),
    }
    connection.close()
    asyncio.run(asgi.application(scope, reader.receive, reader.send))


@pytest.mark.parametrize("leaves_after", [2, 1_000_000])
def test_no_connection_is_kept_by_who_reads_or_has_left(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch, leaves_after: int
) -> None:
    """An export has none between two parts, and none when the reader is gone or at the end."""
    monkeypatch.setattr(export, "CHUNK", 2)
    now = timezone.now()
    for number in range(30):
        Tariff.objects.create(
            owner="NL-CPA", object_id=f"T{number}", object_key=f"T{number}", version="2.2.1",
            text="{}", last_updated=now, last_updated_text='""',
        )  # fmt: skip
    user = User.objects.create_superuser("admin")
    lent: list[int] = []

    class Watching(Reader):
        async def send(self, message: Message) -> None:
            lent.append(held())
            await super().send(message)

    reader = Watching(leaves_after=leaves_after)
    connection.close()
    before = held()
    _export(user, reader)

    assert reader.taken[0]["status"] == 200
    assert max(lent) <= before
    assert held() <= before
    assert (b"T29" in reader.body) is (leaves_after > 30)
