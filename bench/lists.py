"""Serving lists: pages of 100 out of 50,000 Locations, first ones and such in the middle.

The limit is the same SQL by psycopg, its rows joined, without HTTP.
"""

import itertools
from collections.abc import Iterator, Mapping

from bench import bulk_rows, objects, page_sql
from bench.environment import Testbed, emsp
from bench.figures import Figure, Key, Round, at_least, median_round
from bench.load import Answer, Outcome, fire, request, walk
from bench.page_sql import Reader
from ocpi.transport.pagination import read_link
from ocpi.types import InterfaceRole, ModuleID

LOCATIONS = 50_000
PAGE = 100
SECONDS = 2.0
ROUNDS = 3


def measure(testbed: Testbed) -> Iterator[Figure]:
    """Measure pages by their Link, and first pages, which count."""
    bulk_rows.fill(testbed, [objects.put(ModuleID.LOCATIONS)], LOCATIONS)
    reader = Reader(ModuleID.LOCATIONS, emsp(0), (objects.CPO,), PAGE)
    yield _pages(testbed, reader, f"page of {PAGE} locations by its Link", LOCATIONS // 2)
    yield _pages(testbed, reader, f"first page of {PAGE} of {LOCATIONS:,}", 0)


def _pages(testbed: Testbed, reader: Reader, what: str, after: int) -> Figure:
    """Measure a page in turns with its SQL; the first one is counted, too."""
    found: dict[Round, Outcome] = {}
    for _ in range(ROUNDS):
        outcome = _steady(testbed, reader, after)
        bare = page_sql.bare(testbed, reader, after=after, counts=not after)
        found[Round(outcome.rate, bare)] = outcome
    middle = median_round(found)
    return Figure(
        what,
        middle.measured,
        "pages/s",
        middle.limit,
        page_sql.WHAT if after else f"{page_sql.WHAT}, counted",
        at_least(0.8, 0.95) if after else at_least(0.5),
        key=Key.PAGE if after else None,
        cpu_ms=found[middle].cpu_ms,
    )


def _steady(testbed: Testbed, reader: Reader, after: int) -> Outcome:
    """Ask for one page again and again: the first, or the one behind a place by its Link."""
    url = f"{testbed.endpoint(InterfaceRole.SENDER, reader.module)}?limit={reader.limit}"
    headers = testbed.headers(reader.party)
    shot = request("GET", _behind(url, headers, after) if after else url, headers)
    fire(testbed.url, itertools.repeat(shot, 100))
    return fire(testbed.url, itertools.repeat(shot), seconds=SECONDS)


def _behind(url: str, headers: Mapping[str, str], after: int) -> str:
    """Return the Link of the page that ends so many objects after the beginning."""
    links: list[str | None] = []

    def following(answer: Answer | None) -> bytes | None:
        if answer is None:
            return request("GET", f"{url}&offset={after - PAGE}", headers)
        links.append(read_link(answer.header("link"), base_url=url))
        return None

    walk(url, following)
    if not links or links[0] is None:
        raise RuntimeError(f"no Link leads on behind {after} objects")
    return links[0]
