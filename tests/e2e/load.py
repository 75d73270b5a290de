"""`python -m tests.e2e.load FILE`: an owner that sends without a pause, and its receiver.

One process and one loop for both, so that the machine is left to the hub: texts are prepared, each
connection stays open and changes objects of its own, one message after the other, each sent again
until the hub has acknowledged it. The ports of both platforms are served here; whoever started it
says `GET /load/go`, `/load/halt` (nothing is under way when it answers) and `/load/report`.
"""

import asyncio
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import uvloop

from tests.e2e.insistence import CONTENT_LENGTH, InsistentConnection
from tests.e2e.load_ledger import LoadLedger, State

NAME, X, Y, UPDATED = "@name@", 987654321, 123456789, "@updated@"
"""Marks in a prepared text: an object's name, its counters, and when it changed."""
LOCATIONS = 4
"""Of each connection."""
_WHOLE_EVERY = 8
_LONGEST_DEBT_SECONDS = 0.5
"""What is behind after an outage is not made up for by a burst."""
_X, _Y = re.compile(rb'"x": ?(\d+)'), re.compile(rb'"y": ?(\d+)')
_CDR = re.compile(rb'"id": ?"(C\d+-\d+)"')
_EMPTY = b'{"status_code":1000,"timestamp":"2026-11-30T00:00:00Z","data":[]}'


@dataclass(frozen=True, slots=True)
class Prepared:
    """A message of one kind, with marks: all of its head but for its length, and its body."""

    head: bytes
    body: bytes

    def message(self, name: str, number: int, change: State) -> "Message":
        """Fill in the marks."""
        moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        marks = {NAME: name, str(X): str(number), str(Y): str(number), UPDATED: moment}
        head, body = self.head, self.body
        for mark, value in marks.items():
            body = body.replace(mark.encode(), value.encode())
        head = head.replace(NAME.encode(), name.encode())
        return Message(name, change, b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body))


@dataclass(frozen=True, slots=True)
class Message:
    """A whole request, and which state of which object it is of."""

    name: str
    change: State
    request: bytes


def messages(connection: int, kinds: Mapping[str, Prepared]) -> Iterator[Message]:
    """Change the objects of one connection, round after round."""
    for number in count(1):
        both, whole, part = State(number, number), State(x=number), State(y=number)
        for place in range(LOCATIONS):
            name = f"L{connection}-{place}"
            if number == 1 or (number + place) % _WHOLE_EVERY == 0:
                yield kinds["location"].message(name, number, both)
            else:
                yield kinds["evse"].message(name, number, part)
        is_first = number % _WHOLE_EVERY == 1
        session = kinds["session" if is_first else "progress"]
        yield session.message(f"S{connection}", number, whole)
        if number % 2:
            yield kinds["tariff"].message(f"T{connection}", number, whole)
            yield kinds["cdr"].message(f"C{connection}-{number}", number, State())


@dataclass(slots=True)
class Pace:
    """So many messages a second of all connections together, and no more."""

    rate: float
    _due: float = 0.0

    async def wait(self) -> None:
        """Wait for the next message's turn."""
        now = time.monotonic()
        self._due = max(self._due + 1 / self.rate, now - _LONGEST_DEBT_SECONDS)
        if self._due > now:
            await asyncio.sleep(self._due - now)


@dataclass(slots=True)
class Sender:
    """The owner: `busy` connections have a message that is not acknowledged yet."""

    host: str
    port: int
    pace: Pace
    ledger: LoadLedger
    going: asyncio.Event = field(default_factory=asyncio.Event)
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    busy: int = 0
    again: int = 0
    seconds: Counter[int] = field(default_factory=Counter)
    """How many messages were acknowledged in each second in which messages were sent."""

    async def run(self, waiting: Iterator[Message]) -> None:
        """Send the messages of one connection, each until it is acknowledged."""
        connection = InsistentConnection(self.host, self.port)
        for message in waiting:
            await self.pace.wait()
            await self.going.wait()
            self._count(1)
            self.again += await connection.insist(message.request, self._look)
            self.seconds[int(time.monotonic())] += 1
            self.ledger.acknowledge(message.name, message.change)
            self._count(-1)

    async def halt(self) -> None:
        """Send nothing more; return when all that was sent is acknowledged."""
        self.going.clear()
        if self.busy:
            await self.idle.wait()

    def _look(self) -> None:
        """Count a second in which nothing is acknowledged, too."""
        self.seconds[int(time.monotonic())] += 0

    def _count(self, more: int) -> None:
        self.busy += more
        (self.idle.clear if self.busy else self.idle.set)()

    def report(self) -> dict[str, Any]:
        """Return what was sent, and how fast."""
        rates = list(self.seconds.values()) or [0]
        return {
            "again": self.again,
            "seconds": len(rates),
            "rate": sum(rates) / len(rates),
            "usual_rate": median(rates),
            "cpu_seconds": time.process_time(),
        }


class Receiver(asyncio.Protocol):
    """A connection of the hub to the receiver, or of whoever started this."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Keep what answers are written to."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request that is there as a whole."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n") + 4) >= 4:
            head = bytes(self._buffer[:end])
            length = CONTENT_LENGTH.search(head)
            whole = end + (int(length[1]) if length else 0)
            if len(self._buffer) < whole:
                return
            body = bytes(self._buffer[end:whole])
            del self._buffer[:whole]
            method, path, _ = head.split(b" ", 2)
            self._answer(method, path.decode(), body)

    def _answer(self, method: bytes, path: str, body: bytes) -> None:
        if path.startswith("/load/"):
            self._task = asyncio.get_running_loop().create_task(self._order(path))
            return
        if method in {b"PUT", b"PATCH", b"POST"} and "/receiver/" in path:
            self._sender.ledger.receive(*_read(path, body))
        self._write(_EMPTY)

    async def _order(self, path: str) -> None:
        sender = self._sender
        if path == "/load/go":
            sender.going.set()
        elif path == "/load/halt":
            await sender.halt()
        report = {**sender.ledger.report(), **sender.report()} if path == "/load/report" else {}
        self._write(json.dumps(report).encode())

    def _write(self, body: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self._transport.write(head % len(body) + body)


def _read(path: str, body: bytes) -> tuple[str, State]:
    """Return which state of which object a push is of."""
    cdr = _CDR.search(body) if path.partition("?")[0].rstrip("/").endswith("/cdrs") else None
    if cdr is not None:
        return cdr[1].decode(), State()
    name = path.partition("/receiver/")[2].split("/")[3]
    counters = [found and int(found[1]) for found in (_X.search(body), _Y.search(body))]
    return name, State(*counters)


async def _serve(asked: Mapping[str, Any]) -> None:
    loop, hub = asyncio.get_running_loop(), urlsplit(asked["url"])
    sender = Sender(hub.hostname or "", hub.port or 80, Pace(asked["rate"]), LoadLedger())
    kinds = {
        name: Prepared(kind["head"].encode(), kind["body"].encode())
        for name, kind in asked["kinds"].items()
    }
    for port in asked["ports"]:
        await loop.create_server(lambda: Receiver(sender), "127.0.0.1", port)
    async with asyncio.TaskGroup() as group:
        for number in range(asked["connections"]):
            group.create_task(sender.run(messages(number, kinds)))


if __name__ == "__main__":
    uvloop.run(_serve(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
