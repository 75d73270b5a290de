"""Accepting changes: every object through the full stack, and its small changes.

The limit is pgbench running the very statement the hub runs for that object, in turns with it. No
two messages are the same: one that changes nothing would be acknowledged without a write.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

from bench import objects, pgbench
from bench.environment import Testbed, changes
from bench.figures import Aim, Figure, Key, Round, at_least, median_round
from bench.load import Outcome, fire
from bench.objects import Template
from bench.requests import shots
from ocpi.types import ModuleID

SECONDS = 1.5
"""Of each round."""
MOST = 20_000
"""Requests made beforehand; a faster hub is done with them before the time is over."""
OBJECTS = 1_000
LARGE, SMALL = 200, 2
"""EVSEs of a Location."""
LOCATIONS = 100
ROUNDS = 3
USUAL = at_least(0.15)
PUTS: Sequence[tuple[ModuleID, Aim, Key | None]] = (
    (ModuleID.TARIFFS, USUAL, None),
    (ModuleID.LOCATIONS, at_least(0.28, 0.4), Key.PUT_LOCATION),
    (ModuleID.TOKENS, at_least(0.3, 0.45), Key.PUT_TOKEN),
    (ModuleID.SESSIONS, USUAL, None),
)
_Limit = Callable[[], float]


def measure(testbed: Testbed) -> Iterator[Figure]:
    """Measure PUT or POST of each object, PATCH of a Session, PATCH of an EVSE."""
    for module, aim, key in PUTS:
        template = objects.put(module)
        what = f"PUT of a {module.removesuffix('s')}"
        yield _replacing(testbed, template, what, (aim, key), _statement(testbed, template))
    put = _statement(testbed, objects.put(ModuleID.SESSIONS))
    what = "PATCH of a session, one period more, against its PUT"
    yield _changing(testbed, objects.progress_of_session(), what, (USUAL, None), put)
    yield _posting(testbed)
    yield from _evses(testbed)


def _statement(testbed: Testbed, template: Template, numbers: int = OBJECTS) -> _Limit:
    return lambda: pgbench.rate(testbed, template, numbers)


def _replacing(
    testbed: Testbed, template: Template, what: str, aim: tuple[Aim, Key | None], limit: _Limit
) -> Figure:
    """Create the objects, then measure what replaces them."""
    fire(testbed.url, shots(testbed, template, range(OBJECTS)))
    return _changing(testbed, template, what, aim, limit)


def _changing(
    testbed: Testbed, template: Template, what: str, aim: tuple[Aim, Key | None], limit: _Limit
) -> Figure:
    """Measure changes of the objects, round and round, in turns with the limit."""
    numbers = (number % OBJECTS for number in range(MOST))
    waiting = iter(shots(testbed, template, numbers, since=OBJECTS))
    return _in_turns(testbed, waiting, what, aim, limit)


def _in_turns(
    testbed: Testbed,
    waiting: Iterator[bytes],
    what: str,
    aim: tuple[Aim, Key | None],
    limit: _Limit,
) -> Figure:
    """Send for a while, then run the limit, in several rounds; the median round counts."""
    found: dict[Round, Outcome] = {}
    for _ in range(ROUNDS):
        outcome = _fed(testbed, waiting)
        found[Round(outcome.rate, limit())] = outcome
    middle = median_round(found)
    return Figure(
        what,
        middle.measured,
        "/s",
        middle.limit,
        pgbench.WHAT,
        aim[0],
        key=aim[1],
        cpu_ms=found[middle].cpu_ms,
    )


def _fed(testbed: Testbed, waiting: Iterable[bytes], *, seconds: float = SECONDS) -> Outcome:
    """Measure requests of which each has to be in the feed afterwards."""
    before = changes(testbed)
    outcome = fire(testbed.url, waiting, seconds=seconds)
    fed = changes(testbed) - before
    if fed != outcome.count:
        raise RuntimeError(f"{outcome.count} requests were accepted, {fed} changes fed")
    return outcome


def _posting(testbed: Testbed) -> Figure:
    template = objects.put(ModuleID.CDRS)
    new = shots(testbed, template, range(MOST))
    fire(testbed.url, new[:200])
    aim = (at_least(0.35, 0.5), Key.POST_CDR)
    limit = _statement(testbed, template, 10**15)
    return _in_turns(testbed, iter(new[200:]), "POST of a CDR", aim, limit)


def _evses(testbed: Testbed) -> Iterator[Figure]:
    """Measure large and small Locations in turns: what else the machine does meets both alike."""
    limit = _statement(testbed, objects.put(ModuleID.LOCATIONS))
    waiting = {evses: iter(_statuses(testbed, evses)) for evses in (SMALL, LARGE)}
    against_put: dict[Round, Outcome] = {}
    against_small = []
    for _ in range(ROUNDS):
        small, large = (_fed(testbed, waiting[evses]) for evses in (SMALL, LARGE))
        against_small.append(Round(large.rate, small.rate))
        against_put[Round(large.rate, limit())] = large
    middle, among = median_round(against_put), median_round(against_small)
    what = f"PATCH of an EVSE among {LARGE}"
    yield Figure(
        f"{what}, against the PUT of its Location",
        middle.measured,
        "/s",
        middle.limit,
        pgbench.WHAT,
        at_least(0.2, 0.35),
        key=Key.PATCH_EVSE,
        cpu_ms=against_put[middle].cpu_ms,
    )
    yield Figure(
        what,
        among.measured,
        "/s",
        among.limit,
        f"the same among {SMALL}",
        at_least(0.9, 1),
        key=Key.EVSES,
    )


def _statuses(testbed: Testbed, evses: int) -> Sequence[bytes]:
    """Have Locations of so many EVSEs accepted; return changes of their EVSEs."""
    filling = objects.put(ModuleID.LOCATIONS, evses=evses)
    fire(testbed.url, shots(testbed, filling, range(LOCATIONS)))
    numbers = chain.from_iterable(range(LOCATIONS) for _ in range(MOST // LOCATIONS))
    return shots(testbed, objects.status_of_evse(evses), numbers)
