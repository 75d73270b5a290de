"""Fanning out: status changes accepted while they are delivered to 1, 10 and 50 receivers.

As many as the hub takes, against what it takes while nobody delivers; then a few a second, from the
owner's answer to each receiver's request, against one request made directly. Clocks of processes
on one machine agree.
"""

import itertools
import json
import statistics
import time
import urllib.request
from collections.abc import Iterator
from itertools import count

from bench import objects
from bench.delivery import forget_what_was, taken, wait_until
from bench.environment import HUB, Ground, emsp, headers, reaching, worker
from bench.figures import Figure
from bench.load import Outcome, fire, request
from bench.objects import CPO
from bench.requests import shots
from bench.sink import TIMED
from ocpi.types import InterfaceRole, ModuleID

RECEIVERS = (1, 10, 50)
LOCATIONS = 1_000
SECONDS = 6.0
PACED = 100
_MOST_CHANGES, _MOST_MESSAGES = 20, 200
"""A second: far below what the machine can deliver, however many receivers there are."""
_MOST_P99 = 100.0
_MOST_P50 = 10
_numbers = count()


def measure(ground: Ground) -> Iterator[Figure]:
    """Measure without delivery, then with more and more receivers."""
    fire(ground.url, shots(ground, objects.put(ModuleID.LOCATIONS), range(LOCATIONS)))
    alone = _accepted(ground)
    direct = statistics.median(_directly(ground).latencies) * 1000
    for number in RECEIVERS:
        with reaching(ground, number):
            forget_what_was(ground)
            with worker():
                yield from _latencies(ground, number, direct)
                yield Figure(
                    f"status changes accepted while {number} receivers get them",
                    _accepted(ground),
                    "/s",
                    alone,
                    "while nobody gets them",
                    None,
                )


def _accepted(ground: Ground) -> float:
    change = objects.status_of_evse(1)
    several = itertools.cycle(shots(ground, change, range(LOCATIONS)))
    return fire(ground.url, several, seconds=SECONDS).rate


def _directly(ground: Ground) -> Outcome:
    """Send requests to a sink, one after the other."""
    url = f"{ground.sinks[0]}/locations/NL/CPA/X"
    shot = request("PUT", url, headers("token", sender=HUB, to=emsp(0)), b"{}")
    return fire(ground.sinks[0], [shot] * PACED, in_flight=1)


def _latencies(ground: Ground, receivers: int, direct: float) -> Iterator[Figure]:
    before = taken(ground)
    pace = min(_MOST_CHANGES, _MOST_MESSAGES // receivers)
    accepted = dict(_paced(ground, before, receivers, pace))
    wait_until(ground, before + (len(accepted) + 1) * receivers)
    received = _received(ground)
    late = sorted(
        max(moment - sent, 0.0) * 1000
        for name, sent in accepted.items()
        for moment in received[name]
    )
    cuts = statistics.quantiles(late, n=100)
    for name, cut, most in (("p50", 49, _MOST_P50 * direct), ("p99", 98, _MOST_P99)):
        what = f"accepted to received by {receivers}, {pace} changes/s, {name}"
        yield Figure(what, cuts[cut], "ms", direct, "one request directly, ms", None, most=most)


def _paced(ground: Ground, before: int, receivers: int, pace: int) -> Iterator[tuple[str, float]]:
    """Send so many changes a second, once the first is delivered: the worker is there."""
    _send(ground)
    wait_until(ground, before + receivers)
    for _ in range(PACED):
        yield _send(ground), time.monotonic()
        time.sleep(1 / pace)


def _send(ground: Ground) -> str:
    number = next(_numbers)
    name, change = f"{TIMED}{number}", objects.status_of_evse(1)
    path, body = change.numbered(number % LOCATIONS, number + LOCATIONS)
    url = f"{ground.endpoint(InterfaceRole.RECEIVER, ModuleID.LOCATIONS)}/{path}"
    head = {**ground.headers(CPO), "X-Correlation-ID": name}
    fire(ground.url, [request(change.method, url, head, body)], in_flight=1)
    return name


def _received(ground: Ground) -> dict[str, list[float]]:
    with urllib.request.urlopen(f"{ground.sinks[0]}/times") as answer:  # noqa: S310 - our own sink
        found: dict[str, list[float]] = json.load(answer)
    return found
