"""Accepting changes: every object through the full stack, and its small changes.

The limit is pgbench running the very statement the hub runs for that object. No two messages are
the same: one that changes nothing would be acknowledged without a write.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from bench import objects, pgbench
from bench.environment import Ground, changes
from bench.figures import Figure
from bench.load import Outcome, fire
from bench.requests import shots
from ocpi.types import ModuleID

SECONDS = 3.0
MOST = 9_000
"""Requests made beforehand; a faster hub is done with them before the time is over."""
OBJECTS = 1_000
LARGE, SMALL = 200, 2
LOCATIONS = 100
ROUNDS = 4
TARGET = 0.15


def measure(ground: Ground) -> Iterator[Figure]:
    """Measure PUT or POST of each object, PATCH of a Session, PATCH of an EVSE."""
    for module in ModuleID.TARIFFS, ModuleID.LOCATIONS, ModuleID.TOKENS, ModuleID.SESSIONS:
        limit = pgbench.rate(ground, objects.put(module), OBJECTS)
        rate, name = _replacing(ground, module).rate, module.removesuffix("s")
        yield Figure(f"PUT of a {name}", rate, "/s", limit, pgbench.WHAT, TARGET)
    patched = _steady(ground, objects.progress_of_session())
    yield Figure(
        "PATCH of a session, one period more",
        patched.rate,
        "/s",
        limit,
        f"{pgbench.WHAT} (PUT)",
        TARGET,
    )
    yield _posting(ground)
    yield from _evses(ground)


def _replacing(ground: Ground, module: ModuleID) -> Outcome:
    """Create the objects, then measure what replaces them."""
    template = objects.put(module)
    fire(ground.url, shots(ground, template, range(OBJECTS)))
    return _steady(ground, template)


def _steady(ground: Ground, template: objects.Template) -> Outcome:
    """Measure changes of the objects, round and round."""
    numbers = (number % OBJECTS for number in range(MOST))
    return _fed(ground, shots(ground, template, numbers, since=OBJECTS))


def _fed(ground: Ground, waiting: Iterable[bytes], *, seconds: float = SECONDS) -> Outcome:
    """Measure requests of which each has to be in the feed afterwards."""
    before = changes(ground)
    outcome = fire(ground.url, waiting, seconds=seconds)
    fed = changes(ground) - before
    if fed != outcome.count:
        raise RuntimeError(f"{outcome.count} requests were accepted, {fed} changes fed")
    return outcome


def _posting(ground: Ground) -> Figure:
    template = objects.put(ModuleID.CDRS)
    limit = pgbench.rate(ground, template, 10**15)
    new = shots(ground, template, range(MOST))
    fire(ground.url, new[:200])
    posted = _fed(ground, new[200:])
    return Figure("POST of a CDR", posted.rate, "/s", limit, pgbench.WHAT, TARGET)


def _evses(ground: Ground) -> Iterator[Figure]:
    """Measure large and small Locations in turns: what else the machine does meets both alike."""
    limit = pgbench.rate(ground, objects.put(ModuleID.LOCATIONS), OBJECTS)
    waiting = {evses: iter(_statuses(ground, evses)) for evses in (SMALL, LARGE)}
    runs = [
        (evses, _fed(ground, waiting[evses], seconds=SECONDS / 2))
        for evses in (SMALL, LARGE) * ROUNDS
    ]
    small, large = (
        _together([outcome for of, outcome in runs if of == evses]).rate for evses in (SMALL, LARGE)
    )
    what = f"PATCH of an EVSE among {LARGE}"
    yield Figure(what, large, "/s", limit, f"{pgbench.WHAT} (PUT)", TARGET)
    yield Figure(what, large, "/s", small, f"the same among {SMALL}", 0.9)


def _statuses(ground: Ground, evses: int) -> Sequence[bytes]:
    """Have Locations of so many EVSEs accepted; return changes of their EVSEs."""
    filling = objects.put(ModuleID.LOCATIONS, evses=evses)
    fire(ground.url, shots(ground, filling, range(LOCATIONS)))
    numbers = chain.from_iterable(range(LOCATIONS) for _ in range(3 * MOST // LOCATIONS))
    return shots(ground, objects.status_of_evse(evses), numbers)


def _together(outcomes: Sequence[Outcome]) -> Outcome:
    return sum(outcomes[1:], start=outcomes[0])
