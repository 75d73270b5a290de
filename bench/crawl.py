"""Crawling: every page of 1,000,000 Tokens in turn, by the Links of the hub alone.

The last pages are to cost what the first ones cost, and neither the web process nor its database
backend may grow. That nothing is skipped or repeated is checked on the way.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import fmean, median

from bench import bulk_rows, memory, objects, page_sql
from bench.environment import SMALL_CPO, Testbed, emsp
from bench.figures import Figure, Key, Round, at_least, median_round
from bench.load import Answer, request, walk
from bench.objects import CPO
from bench.page_sql import Reader
from ocpi.transport.pagination import read_link
from ocpi.types import InterfaceRole, ModuleID, PartyRef, format_datetime

TOKENS = 1_000_000
PAGE = 1_000
ROUNDS = 3
OWNERS = tuple(emsp(number) for number in range(3))
_NUMBER = re.compile(rb'"uid":"B(\d+)"')
_WARM = 50
"""Pages after which a process has allocated what it needs."""


def measure(testbed: Testbed) -> Iterator[Figure]:
    """Crawl as one who may see all, as one who may see a third, and from a date near the end."""
    originals = [objects.put(ModuleID.TOKENS, owner=owner) for owner in OWNERS]
    bulk_rows.fill(testbed, originals, TOKENS)
    crawls = [_crawl(testbed, CPO, range(1, TOKENS + 1)) for _ in range(ROUNDS)]
    what = f"crawl of {TOKENS:,} tokens, {PAGE:,} a page"
    yield from _of_everything(testbed, crawls[0], what)
    yield _constant(what, crawls, Key.CRAWL)
    yield from _memory(crawls)
    yield _constant("crawl of one who may see 1 of 3 owners", [_third(testbed)])
    yield from _of_the_end(testbed, crawls[0])


def _of_everything(testbed: Testbed, crawl: "Crawl", what: str) -> Iterator[Figure]:
    reader = Reader(ModuleID.TOKENS, CPO, OWNERS, PAGE)
    bare = page_sql.bare(testbed, reader, after=TOKENS // 2)
    counted = page_sql.bare(testbed, reader, after=0, counts=True)
    rate = 1 / fmean(crawl.latencies[1:])
    yield Figure(what, rate, "pages/s", bare, page_sql.WHAT, at_least(0.5))
    first = crawl.latencies[0]
    yield Figure(
        f"first page of {TOKENS:,}: {first * 1000:,.0f} ms",
        1 / first,
        "pages/s",
        counted,
        f"{page_sql.WHAT}, counted",
        at_least(0.5),
    )


def _memory(crawls: Sequence["Crawl"]) -> Iterator[Figure]:
    """Compare what processes held soon after the beginning with what they hold in the end."""
    for name, early, late in (
        ("web process", crawls[0].web[0], crawls[-1].web[-1]),
        ("database backend", crawls[0].database[0], crawls[-1].database[-1]),
    ):
        what = f"memory of the {name}, page {_WARM}"
        yield Figure(what, early, "MB", late, "at the last page", at_least(0.9))


def _of_the_end(testbed: Testbed, everything: "Crawl") -> Iterator[Figure]:
    """Measure a list that a date cuts down to its last page, against a page of all."""
    since = datetime(2027, 1, 1, tzinfo=UTC) + timedelta(seconds=TOKENS - PAGE + 1)
    numbers = range(TOKENS - PAGE + 1, TOKENS + 1)
    query = f"&date_from={format_datetime(since)}"
    latencies = [_crawl(testbed, CPO, numbers, query).latencies[0] for _ in range(20)]
    rate, page = 1 / fmean(latencies), 1 / fmean(everything.latencies[1:])
    what = f"the last {PAGE:,} by date_from, counted"
    yield Figure(what, rate, "pages/s", page, "a page of all", at_least(0.5))


def _third(testbed: Testbed) -> "Crawl":
    return _crawl(testbed, SMALL_CPO, range(len(OWNERS), TOKENS + 1, len(OWNERS)))


def _constant(what: str, crawls: Sequence["Crawl"], key: Key | None = None) -> Figure:
    """Compare the last quarter of crawls with their first, the page that counts aside."""
    middle = median_round(crawl.quarters() for crawl in crawls)
    return Figure(
        f"{what}: last quarter",
        middle.measured,
        "pages/s",
        middle.limit,
        "its first quarter",
        at_least(0.9, 1),
        key=key,
    )


@dataclass(slots=True)
class Crawl:
    """One crawl: how long each page took, and memory soon after its beginning and at its end."""

    latencies: Sequence[float] = ()
    web: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)

    def quarters(self) -> Round:
        """Return the rate of its last quarter beside that of its first."""
        pages = self.latencies[1:-1]
        quarter = max(len(pages) // 4, 1)
        return Round(1 / median(pages[-quarter:]), 1 / median(pages[:quarter]))

    def weigh(self, testbed: Testbed) -> None:
        """Note what the hub's processes hold."""
        self.web.append(memory.web(testbed))
        self.database.append(memory.database(testbed))


def _crawl(testbed: Testbed, reader: PartyRef, expected: range, query: str = "") -> Crawl:
    """Follow the Links to the end; the Tokens must come in order, each of them once."""
    url = f"{testbed.endpoint(InterfaceRole.SENDER, ModuleID.TOKENS)}?limit={PAGE}{query}"
    headers = testbed.headers(reader)
    crawl = Crawl()
    missing = iter(expected)
    pages = 0

    def following(answer: Answer | None) -> bytes | None:
        nonlocal pages
        if answer is None:
            return request("GET", url, headers)
        _check(answer, missing, len(expected))
        pages += 1
        if pages == _WARM:
            crawl.weigh(testbed)
        link = read_link(answer.header("link"), base_url=url)
        return request("GET", link, headers) if link else None

    crawl.latencies = walk(testbed.url, following).latencies
    crawl.weigh(testbed)
    if next(missing, None) is not None:
        raise RuntimeError(f"the crawl of {reader} ended before the list did")
    return crawl


def _check(answer: Answer, missing: Iterator[int], total: int) -> None:
    for number in _NUMBER.findall(answer.body):
        if int(number) != next(missing, None):
            raise RuntimeError(f"token {number.decode()} came out of order, or twice")
    if answer.header("x-total-count") != str(total):
        raise RuntimeError(f"X-Total-Count is {answer.header('x-total-count')}, not {total}")
