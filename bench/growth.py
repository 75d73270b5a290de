"""A large hub beside a small one: the same messages may cost hardly more, whatever surrounds them.

Both run at the same time, on one database server, and are measured in turns; idle they cost next to
nothing. What is measured has the same size in both: the same owner with the same Locations, as many
receivers, a reader of as many owners.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import count, repeat
from statistics import median
from typing import Any

from bench import cpu, objects
from bench.bulk_hub import LARGE, MEASURED, RECEIVERS, SMALL, HubSize
from bench.environment import (
    Testbed,
    database_afresh,
    emsp,
    headers,
    settings,
    start,
    wait_for_hub,
    worker,
)
from bench.figures import Figure, Round, at_most, median_round
from bench.load import Answer, Outcome, fire, request, walk
from bench.objects import CPO
from bench.receivers import PATIENCE, taken
from bench.requests import shots
from bench.sink import TIMED
from local import ports
from local.processes import Family
from ocpi.transport.pagination import read_link
from ocpi.types import InterfaceRole, ModuleID, PartyRef

MOST = 1.3
"""So many times what it costs in the small hub, it may cost in the large one."""
ROUNDS = 3
PUTS, RELAYED, PAGES, FIRST_PAGES, CHANGES, CONSOLE_PAGES = 400, 400, 60, 10, 40, 8
"""How often each is done in a round."""
PAGE = 100
_SETTLING_SECONDS = 1.0
_IDLE_SECONDS = 4.0
"""After the start of a worker, until what it finds to do is done."""


@dataclass(frozen=True, slots=True)
class SizedHub:
    """A running hub of a size, and an administrator's cookie at its console."""

    testbed: Testbed
    cookie: str


Work = Callable[[SizedHub, int], Outcome]
"""Does something many times at a hub, in one of several rounds."""


def measure(share: float = 1.0) -> Iterator[Figure]:
    """Fill both hubs, then measure one kind of work after the other, both hubs in turns."""
    sizes = SMALL.scaled(share), LARGE.scaled(share)
    with sized_hub(sizes[0], "small", 1) as small, sized_hub(sizes[1], "large", 2) as large:
        for what, work in WORKS.items():
            yield from _compared(what, work, small, large)


def _compared(what: str, work: Work, small: SizedHub, large: SizedHub) -> Iterator[Figure]:
    """Return two figures: how long one takes, and the CPU time of the hub for it."""
    rounds = [[work(hub, number) for hub in (large, small)] for number in range(ROUNDS)]
    for unit, of in _UNITS.items():
        found = median_round(Round(of(big), max(of(little), _LEAST)) for big, little in rounds)
        aim, limited_by = at_most(MOST * found.limit), f"small hub, {unit}"
        yield Figure(what, found.measured, unit, found.limit, limited_by, aim)


_UNITS: Mapping[str, Callable[[Outcome], float]] = {
    "ms": lambda done: median(done.latencies) * 1000,
    "ms of CPU": lambda done: done.cpu_ms,
}
_LEAST = 1e-9
"""Of a limit: where processes cannot be read, both costs are 0."""


def _counted(run: Callable[[], Outcome]) -> Outcome:
    """Do something; its CPU time is that of the hub alone, with what it writes a moment later."""
    before = cpu.seconds()
    done = run()
    time.sleep(_SETTLING_SECONDS)
    return replace(done, cpu_seconds=cpu.of_hub(before, cpu.seconds()))


# ------------------------------------------------------------------------------------- the work


def _put(hub: SizedHub, number: int) -> Outcome:
    numbers = [1 + each % MEASURED for each in range(PUTS)]
    template = objects.put(ModuleID.LOCATIONS)
    later = 10**7 + number * PUTS  # than what is stored
    made = shots(hub.testbed, template, numbers, since=later)
    return _counted(lambda: fire(hub.testbed.url, made))


def _relay(hub: SizedHub, _: int) -> Outcome:
    found = hub.testbed
    url = f"{found.endpoint(InterfaceRole.SENDER, ModuleID.TOKENS)}/04A1B2C3D4E5F6/authorize"
    given = headers(found.tokens[CPO], sender=CPO, to=emsp(0))
    shot = request("POST", url, given, b'{"location_id":"L1","evse_uids":["E1"]}')
    return _counted(lambda: fire(found.url, repeat(shot, RELAYED)))


def _pages(hub: SizedHub, _: int) -> Outcome:
    """Follow the Links from the first page, which is not counted: it has another figure."""
    found = hub.testbed
    url = f"{found.endpoint(InterfaceRole.SENDER, ModuleID.LOCATIONS)}?limit={PAGE}"
    given = found.headers(emsp(0))
    links: list[str] = []

    def following(answer: Answer | None) -> bytes | None:
        link = read_link(answer.header("link"), base_url=url) if answer else url
        links.append(link or "")
        return request("GET", link, given) if link and len(links) <= PAGES else None

    def crawl() -> Outcome:
        done = walk(found.url, following)
        return replace(done, count=done.count - 1, latencies=done.latencies[1:])

    return _counted(crawl)


def _first_page(hub: SizedHub, _: int) -> Outcome:
    found = hub.testbed
    url = f"{found.endpoint(InterfaceRole.SENDER, ModuleID.LOCATIONS)}?limit={PAGE}"
    shot = request("GET", url, found.headers(emsp(0)))
    return _counted(lambda: fire(found.url, repeat(shot, FIRST_PAGES), in_flight=1))


def _dispatch(hub: SizedHub, number: int) -> Outcome:
    """Send changes one after the other; each is over when all receivers have it."""
    with worker(hub.testbed):
        _arrived(hub.testbed, f"{TIMED}{number}-first", MEASURED)  # the worker is there
        _wait_until_quiet(hub.testbed)
        return _counted(lambda: _arrivals(hub, number))


def _wait_until_quiet(found: Testbed) -> None:
    """Wait until receivers have what came in before, and the worker has nothing left to do."""
    before = -1
    while (seen := taken(found)) != before:
        before = seen
        time.sleep(_IDLE_SECONDS)


def _arrivals(hub: SizedHub, number: int) -> Outcome:
    began = time.perf_counter()
    names = (f"{TIMED}{number}-{each}" for each in range(CHANGES))
    latencies = [_arrived(hub.testbed, name, 1 + place) for place, name in enumerate(names)]
    return Outcome(CHANGES, time.perf_counter() - began, latencies)


def _arrived(found: Testbed, name: str, which: int) -> float:
    """Change an EVSE; return how many seconds after the answer the last receiver had it."""
    path, body = objects.status_of_evse(1).numbered(which, 2 * 10**7 + next(_MOMENTS))
    url = f"{found.endpoint(InterfaceRole.RECEIVER, ModuleID.LOCATIONS)}/{path}"
    given = {**found.headers(CPO), "X-Correlation-ID": name}
    fire(found.url, [request("PATCH", url, given, body)], in_flight=1)
    accepted = time.monotonic()
    return max(max(_received(found, name)) - accepted, 0.0)


_MOMENTS = count()


def _received(found: Testbed, name: str) -> Sequence[float]:
    """Wait until all receivers have a message; return when each had it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with urllib.request.urlopen(f"{found.sinks[0]}/times") as answer:  # noqa: S310 - our own
            times: Sequence[float] = json.load(answer).get(name, ())
        if len(times) == RECEIVERS:
            return times
        time.sleep(0.02)
    raise RuntimeError(f"{name} did not arrive at all {RECEIVERS} receivers")


def _console(path: str) -> Work:
    def look(hub: SizedHub, _: int) -> Outcome:
        address = hub.testbed.url + path
        asked = urllib.request.Request(address, headers={"Cookie": hub.cookie})  # noqa: S310
        return _counted(lambda: _opened(asked))

    return look


def _opened(page: urllib.request.Request) -> Outcome:
    latencies = []
    for _ in range(CONSOLE_PAGES):
        began = time.perf_counter()
        with urllib.request.urlopen(page) as answer:  # noqa: S310 - our own hub
            if answer.url != page.full_url:
                raise RuntimeError(f"{page.full_url} led to {answer.url}")
            answer.read()
        latencies.append(time.perf_counter() - began)
    return Outcome(len(latencies), sum(latencies), latencies)


WORKS: Mapping[str, Work] = {
    "PUT of a location": _put,
    f"page of {PAGE} by its Link": _pages,
    f"first page of {PAGE}, counted": _first_page,
    "authorize relayed": _relay,
    f"change dispatched to {RECEIVERS} receivers": _dispatch,
    "console: list of locations": _console("/admin/hub/location/"),
    "console: search for a location": _console(f"/admin/hub/location/?q=E1-{SMALL.locations}"),
    "console: list of platforms": _console("/admin/parties/platform/"),
    "console: dashboard": _console("/admin/"),
}


# ------------------------------------------------------------------------------------- the hubs


@contextmanager
def sized_hub(size: HubSize, name: str, broker: int) -> Iterator[SizedHub]:
    """Fill a database of a hub of this size and run its web process and its receivers.

    `broker` is the number of its database in Redis: what wakes one hub must not wake the other.
    """
    print(f"filling the {name} hub: {size} …", flush=True)
    sink_ports, port = [ports.free() for _ in range(RECEIVERS)], ports.free()
    sinks = [f"http://127.0.0.1:{each}" for each in sink_ports]
    redis_url = f"{os.environ['REDIS_URL'].rpartition('/')[0]}/{broker}"
    own = settings(database_afresh(f"hub_bench_{name}"), port) | {"REDIS_URL": redis_url}
    access = _filled(size, sinks, own)
    with Family() as family:
        tokens = {PartyRef.parse(key): token for key, token in access["tokens"].items()}
        url = own["HUB_PUBLIC_URL"]
        start(family, f"sink-{name}", "-m", "bench.sink", *map(str, sink_ports))
        start(family, f"web-{name}", "-m", "settings.serve", environment=own)
        wait_for_hub(url, tokens[CPO])
        found = Testbed(url, tokens, tuple(sinks), own["DATABASE_URL"], own)
        yield SizedHub(found, access["cookie"])


def _filled(size: HubSize, sinks: Sequence[str], own: Mapping[str, str]) -> Mapping[str, Any]:
    """Fill by a process of its own: Django knows one database for as long as a process lives."""
    asked = json.dumps({"size": asdict(size), "sinks": sinks})
    command = [sys.executable, "-m", "bench.bulk_hub", asked]
    done = subprocess.run(
        command, env={**os.environ, **own}, stdout=subprocess.PIPE, text=True, check=True
    )
    found: Mapping[str, Any] = json.loads(done.stdout)
    return found
