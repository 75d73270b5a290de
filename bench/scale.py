"""`python -m bench scale [SHARE]`: what more processes bring, and what a larger hub costs.

First the curve: the same work by 1, 2 and 4 web processes, then by 1, 2 and 4 delivery workers, as
far as the machine has cores. Then a hub of 1,000 platforms, 10,000 agreements and 1,000,000
Locations beside a small one (`bench.growth`); with a share, as 0.01, of fewer of all. A whole run
is kept in SCALE.md, its curve in SCALE.svg.
"""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import count, cycle
from pathlib import Path
from statistics import median

from bench import growth, objects
from bench.curve import Curve, Point, drawn
from bench.environment import USUAL_RECEIVERS, Testbed, emsp, headers, testbed, web, worker
from bench.figures import Figure, table
from bench.load import Outcome, fire, request
from bench.objects import CPO, Template
from bench.receivers import skip_to_present, taken, wait_until
from bench.requests import shots
from ocpi.types import InterfaceRole, ModuleID

PROCESSES = (1, 2, 4)
ROUNDS = 3
SECONDS = 3.0
OBJECTS = 1_000
IN_FLIGHT = 32
CHANGES = 1_000
"""That wait for each receiver when workers begin."""
RESULTS = Path(__file__).parent / "SCALE.md"
PICTURE = Path(__file__).parent / "SCALE.svg"


def main(arguments: Sequence[str]) -> int:
    """Print each figure as it is known; a whole run is kept."""
    share = float(arguments[0]) if arguments else 1.0
    started = time.monotonic()
    with testbed(USUAL_RECEIVERS) as found:
        curves: list[Curve] = []
        more: list[Figure] = []
        for curve in _curves(found):
            curves.append(curve)
            more += _printed(_figures(curve))
    larger = [*_printed(growth.measure(share))]
    sections = {"More processes": more, "A large hub beside a small one": larger}
    took = f"the run took {time.monotonic() - started:,.0f} s"
    notes = [*too_few_cores(os.cpu_count() or 1), took]
    text = table(sections, notes, made_by="python -m bench scale")
    print(f"\n{text}")
    if share == 1:
        RESULTS.write_text(f"{text}\n![Throughput and latency]({PICTURE.name})\n", encoding="utf-8")
        PICTURE.write_text(drawn(curves), encoding="utf-8")
    return 1 if any(figure.is_met is False for figure in larger) else 0


def too_few_cores(cores: int) -> list[str]:
    """Say which numbers of processes are not measured, in one note or none."""
    without = [str(number) for number in PROCESSES if number > cores]
    if not without:
        return []
    return [f"not measured: {' and '.join(without)} processes, the machine has {cores} cores"]


def _allowed() -> list[int]:
    return [number for number in PROCESSES if number <= (os.cpu_count() or 1)]


def _curves(found: Testbed) -> Iterator[Curve]:
    """Measure each kind of work by more and more processes."""
    yield from _by_web_processes(found)
    yield _by_workers(found)


def _by_web_processes(found: Testbed) -> Iterator[Curve]:
    """Measure all numbers of processes in turns: what else the machine does meets all alike."""
    works = {"PUT of a token": _puts(found), "authorize relayed": _relayed(found)}
    with ExitStack() as held:
        hubs = {number: held.enter_context(web(found, number)) for number in _allowed()}
        for what, requests in works.items():
            rounds: dict[int, list[Outcome]] = {number: [] for number in hubs}
            for _ in range(ROUNDS):
                for number, hub in hubs.items():
                    rounds[number].append(
                        fire(hub.url, requests, in_flight=IN_FLIGHT, seconds=SECONDS)
                    )
            yield Curve(f"{what}, web processes", [_point(n, each) for n, each in rounds.items()])


def _point(processes: int, rounds: Sequence[Outcome]) -> Point:
    middle = sorted(rounds, key=lambda one: one.rate)[len(rounds) // 2]
    return Point(processes, middle.rate, middle.quantile(0.5))


def _puts(found: Testbed) -> Iterator[bytes]:
    """Replace the same tokens again and again, each time with something new."""
    template = objects.put(ModuleID.TOKENS)
    fire(found.url, shots(found, template, range(OBJECTS)))
    return _endless(found, template)


def _endless(found: Testbed, template: Template) -> Iterator[bytes]:
    """Make a thousand requests at a time: they wait while the clock stands between rounds."""
    for start in count(OBJECTS, OBJECTS):
        yield from shots(found, template, range(OBJECTS), since=start)


def _relayed(found: Testbed) -> Iterator[bytes]:
    url = f"{found.endpoint(InterfaceRole.SENDER, ModuleID.TOKENS)}/04A1B2C3D4E5F6/authorize"
    body = b'{"location_id":"L1","evse_uids":["E1"]}'
    readers = [emsp(number) for number in range(USUAL_RECEIVERS)]
    return cycle(
        request("POST", url, headers(found.tokens[CPO], sender=CPO, to=each), body)
        for each in readers
    )


def _by_workers(found: Testbed) -> Curve:
    """Measure how fast a backlog is delivered by more and more workers."""
    fire(found.url, shots(found, objects.put(ModuleID.LOCATIONS), range(CHANGES)))
    rates: dict[int, list[float]] = {number: [] for number in _allowed()}
    for turn in range(ROUNDS):
        for place, number in enumerate(rates):
            rates[number].append(_backlog(found, number, turn * len(rates) + place + 1))
    points = [Point(number, median(each), 0) for number, each in rates.items()]
    return Curve(f"delivery to {USUAL_RECEIVERS} receivers, workers", points)


def _backlog(found: Testbed, workers: int, turn: int) -> float:
    """Have changes accepted while nobody delivers; return how many messages a second arrive."""
    skip_to_present(found)
    change = objects.status_of_evse(1)
    fire(found.url, shots(found, change, range(CHANGES), since=turn * CHANGES))
    before, messages = taken(found), CHANGES * USUAL_RECEIVERS
    with worker(number=workers):
        first = wait_until(found, before + 1)
        return messages / (wait_until(found, before + messages) - first)


def _figures(curve: Curve) -> Iterator[Figure]:
    one = curve.points[0]
    for point in curve.points:
        late = f", p50 {point.latency:.1f} ms" if point.latency else ""
        what = f"{curve.what}: {point.processes}{late}"
        yield Figure(what, point.rate, "/s", one.rate, "by one")


def _printed(figures: Iterable[Figure]) -> Iterator[Figure]:
    for figure in figures:
        print(figure.row(), flush=True)
        yield figure
