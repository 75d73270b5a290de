"""`python -m bench budget`: where the CPU time of one message goes, on each path.

By process, as Linux counts it, and within the web process or the worker by the layers of the hub,
by sampling (`bench.sampled`), which itself takes some of it: layers are shares of what the process
used. Other work of the machine is in none of it. RESULTS.md has these tables when a target is
missed.
"""

import itertools
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from bench import cpu, objects, sampled
from bench.cpu import Part
from bench.environment import USUAL_RECEIVERS, Testbed, emsp, headers, only_receivers, web, worker
from bench.load import fire, request
from bench.objects import CPO, Template
from bench.receivers import skip_to_present, taken, wait_until
from bench.requests import shots
from bench.sampled import Layer
from ocpi.types import InterfaceRole, ModuleID

MESSAGES, PAGES, CHANGES = 2_000, 200, 300
WARM = 200
_EVSES = 10
_SETTLING_SECONDS = 2.0
"""After the last answer, until the log is written and the sums are kept."""
_SAMPLED = "bench.sampled"


@dataclass(frozen=True, slots=True)
class Budget:
    """The microseconds of CPU that one message costs each part, and each layer of a process."""

    what: str
    parts: Mapping[Part, float]
    layers: Mapping[Layer, float]
    of: Part = Part.WEB
    """The process whose layers these are."""


def measure(found: Testbed) -> Iterator[Budget]:
    """Yield the budget of each path that has a target."""
    shutil.rmtree(sampled.PROFILES, ignore_errors=True)
    with web(found, 1, module=(_SAMPLED, "settings.serve")) as hub:
        for what, (number, requests) in _paths(hub).items():
            fire(hub.url, itertools.islice(requests, min(WARM, number)))
            with _counting() as counted:
                fire(hub.url, itertools.islice(requests, number))
            yield _budget(what, number, counted, Part.WEB)
    yield _delivery(found)


def tables(budgets: Iterable[Budget]) -> str:
    """Write one table of the parts, and one of the layers, with a column for each path."""
    found = list(budgets)
    return "\n".join(
        [
            "\n## Where the CPU time of one message goes\n",
            "Microseconds; layers are those of the web process, of deliveries those of the worker.",
            "",
            *_table(
                "process", found, [(part, [one.parts[part] for one in found]) for part in cpu.HUB]
            ),
            "",
            *_table(
                "layer", found, [(layer, [one.layers[layer] for one in found]) for layer in Layer]
            ),
            "",
        ]
    )


def _table(
    title: str, budgets: Sequence[Budget], rows: Iterable[tuple[str, Sequence[float]]]
) -> Iterator[str]:
    yield f"| {title} | {' | '.join(one.what for one in budgets)} |"
    yield "|---" * (len(budgets) + 1) + "|"
    for name, numbers in rows:
        yield f"| {name} | {' | '.join(f'{number:,.0f}' for number in numbers)} |"


class _Counted:
    """What processes and layers had used when counting began, and in the end what since then."""

    def __init__(self) -> None:
        """Note the present."""
        self.parts, self.layers = dict(cpu.seconds()), sampled.totals()

    def end(self) -> None:
        """Keep the difference to the beginning."""
        time.sleep(_SETTLING_SECONDS)
        self.parts = {part: used - self.parts[part] for part, used in cpu.seconds().items()}
        self.layers = {each: used - self.layers[each] for each, used in sampled.totals().items()}


@contextmanager
def _counting() -> Iterator[_Counted]:
    time.sleep(_SETTLING_SECONDS)
    counted = _Counted()
    yield counted
    counted.end()


def _budget(what: str, number: int, counted: _Counted, of: Part) -> Budget:
    """Divide by the messages; layers are scaled to what their process used in all."""
    each = {part: used / number * 1e6 for part, used in counted.parts.items()}
    whole = sum(counted.layers.values()) or 1.0
    layers = {layer: used / whole * each[of] for layer, used in counted.layers.items()}
    return Budget(what, each, layers, of)


def _paths(hub: Testbed) -> Mapping[str, tuple[int, Iterator[bytes]]]:
    """Return for each path how many messages are counted, and messages without end."""
    locations = objects.put(ModuleID.LOCATIONS, evses=_EVSES)
    fire(hub.url, shots(hub, locations, range(WARM)))
    page = f"{hub.endpoint(InterfaceRole.SENDER, ModuleID.LOCATIONS)}?limit=100"
    asked = request("GET", page, hub.headers(emsp(0)))
    return {
        "PUT token": (MESSAGES, _renewed(hub, objects.put(ModuleID.TOKENS))),
        "PUT location": (MESSAGES, _renewed(hub, objects.put(ModuleID.LOCATIONS))),
        "POST CDR": (MESSAGES, _posted(hub)),
        "PATCH EVSE": (MESSAGES, _renewed(hub, objects.status_of_evse(_EVSES), since=10**6)),
        "authorize relayed": (MESSAGES, _authorizations(hub)),
        "first page of 100": (PAGES, itertools.repeat(asked)),
    }


def _renewed(hub: Testbed, template: Template, *, since: int = 0) -> Iterator[bytes]:
    """Change the same objects again and again, each time with something new."""
    for start in itertools.count(since, WARM):
        yield from shots(hub, template, range(WARM), since=start)


def _posted(hub: Testbed) -> Iterator[bytes]:
    template = objects.put(ModuleID.CDRS)
    for start in itertools.count(10**9, WARM):
        yield from shots(hub, template, range(start, start + WARM))


def _authorizations(hub: Testbed) -> Iterator[bytes]:
    url = f"{hub.endpoint(InterfaceRole.SENDER, ModuleID.TOKENS)}/04A1B2C3D4E5F6/authorize"
    given = headers(hub.tokens[CPO], sender=CPO, to=emsp(0))
    return itertools.repeat(request("POST", url, given, b'{"location_id":"L1"}'))


def _delivery(found: Testbed) -> Budget:
    """Deliver a backlog; the worker's start is over before it is counted."""
    change = objects.status_of_evse(1)
    fire(found.url, shots(found, objects.put(ModuleID.LOCATIONS), range(CHANGES)))
    skip_to_present(found)
    before = taken(found)
    with only_receivers(found, USUAL_RECEIVERS), worker(found, module=(_SAMPLED,)):
        fire(found.url, shots(found, change, range(1), since=10**6))
        wait_until(found, before + USUAL_RECEIVERS)
        with _counting() as counted:
            fire(found.url, shots(found, change, range(1, CHANGES), since=10**6 + 1))
            wait_until(found, before + CHANGES * USUAL_RECEIVERS)
    counted.parts[Part.WEB] = 0.0
    return _budget("delivery to one", (CHANGES - 1) * USUAL_RECEIVERS, counted, Part.DELIVERY)
