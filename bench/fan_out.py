"""Fanning out: status changes accepted while they are delivered to 1, 10 and 50 receivers.

As many as the hub takes, against what it takes while nobody delivers; then a few a second, from the
owner's answer to each receiver's request, against one request made directly. Clocks of processes
on one machine agree.
"""

import itertools
import json
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from itertools import count

from bench import objects
from bench.environment import HUB, Testbed, emsp, headers, only_receivers, worker
from bench.figures import Aim, Figure, Key, at_most
from bench.load import Outcome, fire, request
from bench.objects import CPO
from bench.receivers import skip_to_present, taken, wait_until
from bench.requests import shots
from bench.sink import TIMED
from ocpi.types import InterfaceRole, ModuleID

ARRIVALS: Mapping[int, Sequence[tuple[float, Aim | None, Key | None]]] = {
    1: ((0.5, at_most(6, 3), Key.ARRIVAL), (0.99, at_most(30, 15), Key.ARRIVAL_P99)),
    10: ((0.5, at_most(15, 8), Key.ARRIVAL_10), (0.99, at_most(100), None)),
    50: ((0.5, None, None), (0.99, at_most(100), None)),
}
"""By number of receivers: for each quantile of the arrivals, the aim; else ten direct requests."""
ROUNDS = 3
LOCATIONS = 1_000
SECONDS = 3.0
SENDING_SECONDS = 5.0
_MOST_CHANGES, _MOST_MESSAGES = 20, 200
"""A second: far below what the machine can deliver, however many receivers there are."""
_numbers = count()


def measure(testbed: Testbed) -> Iterator[Figure]:
    """Measure without delivery, then with more and more receivers."""
    fire(testbed.url, shots(testbed, objects.put(ModuleID.LOCATIONS), range(LOCATIONS)))
    alone = _accepted(testbed)
    for number in ARRIVALS:
        with only_receivers(testbed, number):
            skip_to_present(testbed)
            with worker():
                yield from _arrivals(testbed, number)
                yield Figure(
                    f"status changes accepted while {number} receivers get them",
                    _accepted(testbed),
                    "/s",
                    alone,
                    "while nobody gets them",
                )


def _accepted(testbed: Testbed) -> float:
    change = objects.status_of_evse(1)
    several = itertools.cycle(shots(testbed, change, range(LOCATIONS)))
    return fire(testbed.url, several, seconds=SECONDS).rate


def _directly(testbed: Testbed) -> Outcome:
    """Send requests to a sink, one after the other."""
    url = f"{testbed.sinks[0]}/locations/NL/CPA/X"
    shot = request("PUT", url, headers("token", sender=HUB, to=emsp(0)), b"{}")
    return fire(testbed.sinks[0], [shot] * 100, in_flight=1)


def _arrivals(testbed: Testbed, receivers: int) -> Iterator[Figure]:
    """Measure from acceptance to arrival, in several rounds; the median round counts."""
    pace = min(_MOST_CHANGES, _MOST_MESSAGES // receivers)
    before = taken(testbed)
    _send(testbed)
    wait_until(testbed, before + receivers)  # the worker is there
    rounds = [(_late(testbed, receivers, pace), _directly(testbed)) for _ in range(ROUNDS)]
    for share, aim, key in ARRIVALS[receivers]:
        found = [(late.quantile(share), direct.quantile(0.5)) for late, direct in rounds]
        middle, direct = sorted(found)[len(found) // 2]
        what = f"accepted to received by {receivers}, {pace} changes/s, p{share * 100:.0f}"
        yield Figure(
            what,
            middle,
            "ms",
            direct,
            "one request directly, ms",
            aim or at_most(10 * direct),
            key=key,
        )


def _late(testbed: Testbed, receivers: int, pace: int) -> Outcome:
    """Send for a while; return how much later than the owner's answer each message arrived."""
    before = taken(testbed)
    accepted = dict(_paced(testbed, pace))
    wait_until(testbed, before + len(accepted) * receivers)
    received = _received(testbed)
    late = [max(moment - sent, 0.0) for name, sent in accepted.items() for moment in received[name]]
    return Outcome(len(late), SENDING_SECONDS, late)


def _paced(testbed: Testbed, pace: int) -> Iterator[tuple[str, float]]:
    """Send so many changes a second."""
    for _ in range(int(SENDING_SECONDS * pace)):
        yield _send(testbed), time.monotonic()
        time.sleep(1 / pace)


def _send(testbed: Testbed) -> str:
    number = next(_numbers)
    name, change = f"{TIMED}{number}", objects.status_of_evse(1)
    path, body = change.numbered(number % LOCATIONS, number + LOCATIONS)
    url = f"{testbed.endpoint(InterfaceRole.RECEIVER, ModuleID.LOCATIONS)}/{path}"
    head = {**testbed.headers(CPO), "X-Correlation-ID": name}
    fire(testbed.url, [request(change.method, url, head, body)], in_flight=1)
    return name


def _received(testbed: Testbed) -> dict[str, list[float]]:
    with urllib.request.urlopen(f"{testbed.sinks[0]}/times") as answer:  # noqa: S310 - our own sink
        found: dict[str, list[float]] = json.load(answer)
    return found
