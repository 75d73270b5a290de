"""Serving lists: pages of 100 out of 50,000 Locations, first ones and such in the middle.

The limit is the same SQL by psycopg, its rows joined, without HTTP.
"""

import itertools
from collections.abc import Iterator

from bench import bulk_rows, objects, page_sql
from bench.environment import Ground, emsp
from bench.figures import Figure
from bench.load import Outcome, fire, request
from bench.page_sql import Reader
from ocpi.types import InterfaceRole, ModuleID

LOCATIONS = 50_000
PAGE = 100
SECONDS = 3.0


def measure(ground: Ground) -> Iterator[Figure]:
    """Measure pages by their Link, and first pages, which count."""
    bulk_rows.fill(ground, [objects.put(ModuleID.LOCATIONS)], LOCATIONS)
    reader = Reader(ModuleID.LOCATIONS, emsp(0), (objects.CPO,), PAGE)
    deep, first = (_steady(ground, reader, after) for after in (LOCATIONS // 2, 0))
    bare = page_sql.bare(ground, reader, after=LOCATIONS // 2)
    counted = page_sql.bare(ground, reader, after=0, counts=True)
    yield Figure(
        f"page of {PAGE} locations by its Link", deep.rate, "pages/s", bare, page_sql.WHAT, 0.5
    )
    yield Figure(
        f"first page of {PAGE} of {LOCATIONS:,}",
        first.rate,
        "pages/s",
        counted,
        f"{page_sql.WHAT}, counted",
        0.5,
    )


def _steady(ground: Ground, reader: Reader, after: int) -> Outcome:
    """Ask for the page behind a place, as the hub's own Link would; 0 is the beginning."""
    url = f"{ground.endpoint(InterfaceRole.SENDER, reader.module)}?limit={reader.limit}"
    if after:
        url += f"&offset={after}&cursor={after}-{LOCATIONS}-{reader.party}"
    shot = request("GET", url, ground.headers(reader.party))
    fire(ground.url, itertools.repeat(shot, 100))
    return fire(ground.url, itertools.repeat(shot), seconds=SECONDS)
