"""A load generator that leaves the machine to the hub: raw HTTP/1.1 on an event loop.

Requests are bytes made before the clock starts; of an answer only the status and the end are read,
and whether OCPI says success.
"""

import asyncio
import os
import re
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import uvloop

_SUCCESS = b'"status_code":1000'
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_LAST_CHUNK = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer."""

    status: int
    head: bytes
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether both HTTP and OCPI say so."""
        return 200 <= self.status < 300 and _SUCCESS in self.body

    def header(self, name: str) -> str | None:
        """Return a header."""
        found = re.search(rb"\r\n" + name.encode() + rb": *([^\r]*)", self.head, re.IGNORECASE)
        return found[1].decode() if found else None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many requests were answered in how many seconds, and how long each took."""

    count: int
    seconds: float
    latencies: Sequence[float]
    cpu_seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.count / self.seconds

    @property
    def cpu_ms(self) -> float:
        """The CPU time of the whole machine for one request: sender, hub, database, receivers."""
        return self.cpu_seconds / self.count * 1000

    def quantile(self, share: float) -> float:
        """Return in how many milliseconds this share of the answers was there: 0.99 for p99."""
        cuts = statistics.quantiles(self.latencies, n=100)
        return cuts[round(share * 100) - 1] * 1000

    def __add__(self, other: "Outcome") -> "Outcome":
        """Take two runs together."""
        latencies = [*self.latencies, *other.latencies]
        cpu_seconds = self.cpu_seconds + other.cpu_seconds
        seconds = self.seconds + other.seconds
        return Outcome(self.count + other.count, seconds, latencies, cpu_seconds)


Following = Callable[[Answer | None], bytes | None]
"""From an answer, None at the beginning, to the next request of a connection; None ends it."""


def request(method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """Write a whole request."""
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    lines = [f"{method} {target} HTTP/1.1", f"Host: {parts.netloc}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def fire(
    url: str, shots: Iterable[bytes], *, in_flight: int = 16, seconds: float | None = None
) -> Outcome:
    """Send requests to the server of a URL, for `seconds` at most.

    Each has to be answered with success: there is nothing to measure about a refusal.
    """
    waiting = iter(shots)
    end = time.perf_counter() + seconds if seconds else float("inf")

    def following(_: Answer | None) -> bytes | None:
        return next(waiting, None) if time.perf_counter() < end else None

    return uvloop.run(_run(url, [following] * in_flight))


def walk(url: str, following: Following) -> Outcome:
    """Send one request after another, each made from the answer before."""
    return uvloop.run(_run(url, [following]))


async def _run(url: str, followings: Sequence[Following]) -> Outcome:
    server = urlsplit(url)
    host, port = server.hostname or "", server.port or 80
    loop = asyncio.get_running_loop()
    worked, started = machine_cpu(), time.perf_counter()
    connections = [_Connection(each, loop.create_future()) for each in followings]
    transports: list[asyncio.Transport] = []
    try:
        for connection in connections:
            opened = await loop.create_connection(partial(_itself, connection), host, port)
            transports.append(opened[0])
        await asyncio.gather(*(connection.over for connection in connections))
    finally:  # bytes that still come would reach a closed loop
        for transport in transports:
            transport.abort()
    latencies = [latency for connection in connections for latency in connection.latencies]
    seconds, worked = time.perf_counter() - started, machine_cpu() - worked
    return Outcome(len(latencies), seconds, latencies, worked)


def machine_cpu() -> float:
    """Return the seconds all processors worked since the machine began; 0 where Linux is not.

    What a virtual machine's host gave to others (steal) is in no process's time and not in this.
    """
    with suppress(OSError):
        user, nice, system, _idle, _wait, irq, softirq, *_ = map(
            int, Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
        )
        return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _itself(connection: "_Connection") -> "_Connection":
    """Be the factory that the loop asks for, of a connection that is made already."""
    return connection


class _Connection(asyncio.Protocol):
    """One connection: the next request goes out when the last one is answered."""

    def __init__(self, following: Following, over: asyncio.Future[None]) -> None:
        self.over = over
        self.latencies: list[float] = []
        self._following = following
        self._buffer = bytearray()
        self._begun = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin."""
        self._transport = transport
        self._next(None)

    def data_received(self, data: bytes) -> None:
        """Take a piece of an answer."""
        self._buffer += data
        answer = _read(self._buffer)
        if answer is None:
            return
        self.latencies.append(time.perf_counter() - self._begun)
        self._buffer.clear()
        if answer.is_success:
            self._next(answer)
        else:
            self._fail(RuntimeError(f"refused: {answer.status} {answer.body[:500]!r}"))

    def connection_lost(self, error: Exception | None) -> None:
        """Fail, unless we ended the connection ourselves."""
        self._fail(RuntimeError(f"connection lost: {error}"))

    def _next(self, answer: Answer | None) -> None:
        try:
            shot = self._following(answer)
        except RuntimeError as error:  # uvloop would log it and wait for ever
            self._fail(error)
            return
        if shot is None:
            self.over.set_result(None)
            self._transport.close()
            return
        self._begun = time.perf_counter()
        self._transport.write(shot)

    def _fail(self, error: RuntimeError) -> None:
        if not self.over.done():
            self.over.set_exception(error)
            self._transport.close()


def _read(buffer: bytearray) -> Answer | None:
    """Return the answer once all of it is there."""
    end = buffer.find(b"\r\n\r\n") + 4
    if end < 4:
        return None
    head = bytes(buffer[:end])
    length = _LENGTH.search(head)
    if length is not None:
        if len(buffer) < end + int(length[1]):
            return None
        body = bytes(buffer[end:])
    elif _CHUNKED.search(head) and buffer.endswith(_LAST_CHUNK):
        body = b"".join(_chunks(bytes(buffer[end:])))
    else:
        return None
    return Answer(int(head[9:12]), head, body)


def _chunks(text: bytes) -> Iterator[bytes]:
    while True:
        size, _, text = text.partition(b"\r\n")
        length = int(size.partition(b";")[0], 16)
        if not length:
            return
        yield text[:length]
        text = text[length + 2 :]
