"""The operators' console over a hub that has run for long: every list, every search, every filter.

500,000 Locations, 5,000,000 CDRs and 10,000,000 messages are written by SQL; pages are made in this
process, without a web server between. The slowest page of each list may take half a second.
`python -m bench.console` writes its results to CONSOLE.md, `python -m bench.console 0.01` tries it
with a hundredth of all rows.
"""

# ruff: noqa: SLF001 - _meta and _registry are documented names of Django

import math
import os
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from bench import bulk_rows, objects
from bench.environment import Testbed, connection, testbed
from bench.figures import Figure, at_most, table
from ocpi.types import ModuleID

LOCATIONS, CDRS, MESSAGES = 500_000, 5_000_000, 10_000_000
MOST_MS, MOST_QUERIES = 500.0, 20
_DAYS = 14
"""Over which the messages are spread."""
_TIMES = 3
"""Each page is opened; the median counts."""
_WRITTEN_SECONDS = 2.0
"""By then the writer of the log has written the messages that filling caused."""
_OK = 200
RESULTS = Path(__file__).parent / "CONSOLE.md"
_MESSAGE_QUERIES = (
    "q=journey-77",
    "object=B77&module=locations",
    "party=NL-CPA&status_code=failed",
    "module=cdrs&direction=in&since=1h&until=1m",
    "status_code=4003",
)
_SEARCHED = {"hub.location": "B77", "hub.cdr": "B77", "hub.evse": "B77", "parties.party": "MSA"}

_DAY_OF_MESSAGES = """
INSERT INTO {table} (id, at, direction, platform, sender, receiver, version, module, interface,
  method, endpoint, path, object_key, route, http_status, status_code, status_message,
  milliseconds, request_id, correlation_id, request_body, response_body)
SELECT nextval('hub_exchange_id_seq'), %(until)s::timestamptz
    - %(span)s::interval * (n / (%(number)s + 1.0)::float8),
  CASE WHEN n %% 2 = 0 THEN 'in' ELSE 'out' END, 'P' || n %% 50,
  CASE WHEN n %% 2 = 0 THEN 'NL-CPA' ELSE 'NL-HUB' END,
  CASE WHEN n %% 2 = 0 THEN 'NL-HUB' ELSE 'DE-M' || lpad((n %% 50)::text, 2, '0') END,
  '2.2.1', (ARRAY['locations', 'sessions', 'cdrs', 'tokens'])[1 + n %% 4], 'RECEIVER', 'PUT',
  'https://peer.example/ocpi/2.2.1/receiver', 'NL/CPA/B' || n %% 500000, 'b' || n %% 500000,
  'broadcast', CASE WHEN n %% 97 = 0 THEN 503 ELSE 200 END,
  CASE WHEN n %% 97 = 0 THEN NULL WHEN n %% 89 = 0 THEN 2001 ELSE 1000 END, '', n %% 300,
  'request-' || %(first)s + n, 'journey-' || (%(first)s + n) / 4, repeat('{{"id":"B"}} ', 20),
  '{{"status_code":1000,"timestamp":"2027-01-01T00:00:00Z"}}'
FROM generate_series(1, %(number)s) AS n"""
_FIGURES = """
INSERT INTO hub_traffic (minute, module, direction, number, failed, milliseconds)
SELECT date_trunc('minute', at), module, direction, count(*),
  count(*) FILTER (WHERE status_code IS DISTINCT FROM 1000), sum(milliseconds)
FROM hub_exchange GROUP BY 1, 2, 3 ON CONFLICT DO NOTHING;
INSERT INTO hub_failure (hour, party, module, code, number)
SELECT date_trunc('hour', at), CASE direction WHEN 'in' THEN sender ELSE receiver END, module,
  coalesce(status_code, http_status), count(*)
FROM hub_exchange WHERE status_code IS DISTINCT FROM 1000 GROUP BY 1, 2, 3, 4
ON CONFLICT DO NOTHING"""


def measure(testbed: Testbed, share: float = 1.0) -> Iterator[Figure]:
    """Fill the database, then open every list with each of its searches, filters and orders."""
    _fill(testbed, share)
    client = _client()
    for name, pages in _lists(client):
        yield from _slowest(client, name, pages)
    yield from _slowest(client, "dashboard", ["/admin/"])


def _fill(testbed: Testbed, share: float) -> None:
    bulk_rows.fill(testbed, [objects.put(ModuleID.LOCATIONS)], int(LOCATIONS * share))
    _follow()
    bulk_rows.fill(testbed, [objects.put(ModuleID.CDRS)], int(CDRS * share))
    number = int(MESSAGES * share / _DAYS)
    time.sleep(_WRITTEN_SECONDS)
    with connection(testbed) as db:
        db.execute("TRUNCATE hub_exchange, hub_traffic, hub_failure")
        for day in range(_DAYS):
            _fill_day(db, day, number)
        db.execute("VACUUM ANALYZE hub_exchange")
        db.execute(_FIGURES)
        db.execute("ANALYZE")


def _follow() -> None:
    """Have the map and the statuses of EVSEs counted, of which the filling said nothing."""
    from hub.statistics import follower  # noqa: PLC0415 - Django is set up by now

    follower.recount()
    follower.follow(seconds=math.inf)


def _fill_day(db: psycopg.Connection, ago: int, number: int) -> None:
    """Write a day of the log into a partition of its own, which gets its indexes when full."""
    row = db.execute("SELECT date_trunc('day', now(), 'UTC') - %s * interval '1 day'", [ago])
    [start] = row.fetchone() or ()
    end = start + timedelta(days=1)
    name = f"hub_exchange_{start:%Y%m%d}"
    db.execute(f"DROP TABLE IF EXISTS {name}")
    db.execute(f"CREATE TABLE {name} (LIKE hub_exchange INCLUDING DEFAULTS)")
    last = db.execute("SELECT least(%s, now())", [end]).fetchone() or (end,)
    values = {
        "until": last[0],
        "span": last[0] - start,
        "first": ago * number,
        "number": number,
    }
    db.execute(_DAY_OF_MESSAGES.format(table=name), values)
    db.execute(
        f"ALTER TABLE hub_exchange ATTACH PARTITION {name}"
        f" FOR VALUES FROM ('{start.isoformat()}') TO ('{end.isoformat()}')"
    )


def _client() -> Any:  # noqa: ANN401 - Django is set up only by now
    """Return an administrator's browser, whose answers carry the context of their templates."""
    from django.contrib.auth.models import User  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415
    from django.test.utils import setup_test_environment  # noqa: PLC0415

    setup_test_environment()
    client = Client(HTTP_HOST=os.environ["HUB_PUBLIC_URL"].rpartition("/")[2])
    client.force_login(User.objects.create_superuser("bench"))
    return client


def _lists(client: Any) -> Iterator[tuple[str, list[str]]]:  # noqa: ANN401
    """Return the list of each model with every way to look at it."""
    from django.contrib import admin  # noqa: PLC0415
    from django.urls import reverse  # noqa: PLC0415

    for model in sorted(admin.site._registry, key=lambda each: each._meta.label_lower):
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        shown = client.get(url).context["cl"]
        label = model._meta.label_lower
        asked = (
            _MESSAGE_QUERIES if label == "hub.exchange" else [f"q={_SEARCHED.get(label, 'nobody')}"]
        )
        orders = [f"o={place}" for place in range(len(shown.list_display) + 1)]
        choices = [
            choice["query_string"]
            for spec in getattr(shown, "filter_specs", ())
            for choice in spec.choices(shown)
            if choice.get("query_string")
        ]
        queries = [f"?{query}" for query in (*asked, *orders)]
        yield label, [url, *(f"{url}{query}" for query in (*queries, *choices))]


def _slowest(client: Any, name: str, pages: list[str]) -> Iterator[Figure]:  # noqa: ANN401
    opened = {page: _opened(client, page) for page in pages}
    worst = max(opened, key=lambda page: opened[page][0])
    what = f"{name}, slowest of {len(pages)}: {worst.partition('?')[2] or 'the list'}"
    plain, _ = opened[pages[0]]
    yield Figure(what, opened[worst][0], "ms", plain, "as it is, ms", at_most(MOST_MS))
    queries = max(number for _, number in opened.values())
    if queries > MOST_QUERIES:
        yield Figure(name, queries, "queries", MOST_QUERIES, "most", at_most(MOST_QUERIES))


def _opened(client: Any, page: str) -> tuple[float, int]:  # noqa: ANN401
    """Open a page several times; return its median of milliseconds, and its queries."""
    from django.db import connection as database  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    taken = []
    with CaptureQueriesContext(database) as queries:
        for _ in range(_TIMES):
            began = time.perf_counter()
            answer = client.get(page)
            answer.getvalue()
            taken.append((time.perf_counter() - began) * 1000)
            if answer.status_code != _OK:
                raise RuntimeError(f"{page}: {answer.status_code}")
    return median(taken), len(queries) // _TIMES


def main(share: float) -> int:
    """Measure and print; the results are written only of a run with all rows."""
    started, found = time.monotonic(), []
    with testbed(1) as hub:
        for figure in measure(hub, share):
            print(figure.row(), flush=True)
            found.append(figure)
    amounts = [f"{int(number * share):,}" for number in (LOCATIONS, CDRS, MESSAGES)]
    notes = [
        "{} Locations, {} CDRs, {} messages in the log".format(*amounts),
        f"the run took {time.monotonic() - started:,.0f} s",
    ]
    if share == 1:
        text = table({"The console": found}, notes, made_by="python -m bench.console")
        RESULTS.write_text(text, encoding="utf-8")
    return 1 if any(figure.is_met is False for figure in found) else 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0))
