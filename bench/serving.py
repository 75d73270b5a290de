"""(b) Serving lists: GET-All pages of 100 out of 50,000 Locations, the first page and a crawl.

The limit is the same SQL by psycopg, its rows joined, without HTTP.
"""

import itertools
import time
from collections.abc import Iterator

from bench.accepting import put_shots
from bench.figures import Figure
from bench.ground import CPO, Ground, connection
from bench.load import Outcome, Shot, fire, follow
from ocpi.transport.pagination import read_link
from ocpi.types import ModuleID

LOCATIONS = 50_000
PAGE = 100
SECONDS = 4.0


def measure(ground: Ground) -> Iterator[Figure]:
    """Measure first pages, deep pages, and one crawl to the end."""
    fill(ground)
    headers = ground.headers(ground.emsp_token, ("DE", "M00"))
    first_url = f"{ground.url}/ocpi/2.2.1/sender/locations?limit={PAGE}"
    crawl = follow(first_url, headers, lambda link: read_link(link, base_url=first_url))
    deep_url = _deep(ground, first_url)
    first, deep = (_steady(url, headers) for url in (first_url, deep_url))
    bare = _bare(ground, after=_middle(ground))
    counted = _bare(ground, after=0, count=True)
    yield Figure(
        "GET-All, a page by its Link", deep.rate, "pages/s", bare, "same SQL, bytes joined", 0.5
    )
    yield Figure(
        "GET-All, first page (counts)",
        first.rate,
        "pages/s",
        counted,
        "same SQL, bytes joined",
        0.5,
    )
    early, late = (_mean(crawl, part) for part in (slice(1, 51), slice(-51, -1)))
    yield Figure(
        "crawl of 50,000: last pages", 1 / late, "pages/s", 1 / early, "its first pages", 0.9
    )


def fill(ground: Ground) -> None:
    """Have 50,000 Locations accepted by the hub."""
    fire(put_shots(ground, LOCATIONS)).all_accepted()
    with connection(ground) as db:
        db.execute("VACUUM ANALYZE hub_location")
        db.execute("VACUUM ANALYZE hub_evse")


def _deep(ground: Ground, first_url: str) -> str:
    """Return the Link of a page in the middle, as the hub would write it."""
    with connection(ground) as db:
        total = db.execute("SELECT count(*) FROM hub_location").fetchone()
    count = total[0] if total else 0
    return f"{first_url}&offset={count // 2}&cursor={_middle(ground)}-{count}-DE-M00"


def _middle(ground: Ground) -> int:
    with connection(ground) as db:
        row = db.execute(
            "SELECT seq FROM hub_location ORDER BY seq OFFSET 25000 LIMIT 1"
        ).fetchone()
    return int(row[0]) if row else 0


def _steady(url: str, headers: dict[str, str]) -> Outcome:
    shots = (Shot("GET", url, headers) for _ in itertools.count())
    fire(shots, seconds=1)
    return fire(shots, seconds=SECONDS)


def _bare(ground: Ground, *, after: int, count: bool = False) -> float:
    """Run the hub's page SQL in a loop, as fast as one connection goes."""
    from hub.policy import POLICIES  # noqa: PLC0415 - Django is set up by now
    from hub.store import reading  # noqa: PLC0415

    policy = POLICIES[ModuleID.LOCATIONS]
    values = {
        "owners": ["-".join(CPO)],
        "party": "DE-M00",
        "date_from": None,
        "date_to": None,
        "after": after,
        "offset": 0,
        "limit": PAGE + 1,
        "bytes": reading.MOST_BYTES,
    }
    pages = 0
    with connection(ground) as db:
        started = time.perf_counter()
        while time.perf_counter() - started < SECONDS:
            rows = db.execute(reading.page_sql(policy), values, prepare=True).fetchall()
            if count:
                db.execute(reading.count_sql(policy), values, prepare=True).fetchone()
            ("[" + ",".join(text for _, _, text in rows[:PAGE]) + "]").encode()
            pages += 1
        return pages / (time.perf_counter() - started)


def _mean(crawl: Outcome, part: slice) -> float:
    chosen = crawl.latencies[part]
    return sum(chosen) / len(chosen)
