"""A load generator: so many requests in flight over kept-alive connections, one event loop."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import aiohttp
import uvloop


@dataclass(frozen=True, slots=True)
class Shot:
    """One request."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many requests were answered in how many seconds, and how long each took."""

    count: int
    seconds: float
    latencies: Sequence[float]
    refused: int

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.count / self.seconds

    def all_accepted(self) -> "Outcome":
        """Return this outcome, unless a request was refused: then there is nothing to measure."""
        if self.refused or not self.count:
            message = f"{self.refused} of {self.count} requests were refused"
            raise RuntimeError(message)
        return self


def fire(shots: Iterable[Shot], *, in_flight: int = 16, seconds: float | None = None) -> Outcome:
    """Send the requests, for `seconds` at most; an answer that is no 2xx counts as refused."""
    return uvloop.run(_fire(iter(shots), in_flight, seconds))


async def _fire(shots: Iterator[Shot], in_flight: int, seconds: float | None) -> Outcome:
    latencies: list[float] = []
    refused = 0
    started = time.perf_counter()
    end = started + seconds if seconds else None

    async def work(session: aiohttp.ClientSession) -> None:
        nonlocal refused
        for shot in shots:
            begun = time.perf_counter()
            if end is not None and begun > end:
                return
            async with session.request(
                shot.method, shot.url, headers=shot.headers, data=shot.body
            ) as answer:
                await answer.read()
                refused += answer.status >= 300
            latencies.append(time.perf_counter() - begun)

    connector = aiohttp.TCPConnector(limit=in_flight)
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(work(session) for _ in range(in_flight)))
    return Outcome(len(latencies), time.perf_counter() - started, latencies, refused)


def follow(
    url: str, headers: dict[str, str], next_page: Callable[[str | None], str | None]
) -> Outcome:
    """Crawl a list page by page to its end."""
    return uvloop.run(_follow(url, headers, next_page))


async def _follow(
    url: str | None, headers: dict[str, str], next_page: Callable[[str | None], str | None]
) -> Outcome:
    latencies: list[float] = []
    started = time.perf_counter()
    async with aiohttp.ClientSession() as session:
        while url:
            begun = time.perf_counter()
            async with session.get(url, headers=headers) as answer:
                await answer.read()
                answer.raise_for_status()
                url = next_page(answer.headers.get("Link"))
            latencies.append(time.perf_counter() - begun)
    return Outcome(len(latencies), time.perf_counter() - started, latencies, 0)
