"""Storing and listing by the store's SQL, by the same SQL unprepared, and by Django's ORM.

All in this process, in turns, over the same objects, without HTTP or validation: what is compared
is how the database is asked. The limit is the ORM's rate: a ratio of 3 is three times as fast.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bench import objects
from bench.environment import Testbed
from bench.figures import Figure, at_least
from bench.write_requests import write_request
from ocpi.transport.pagination import PageRequest
from ocpi.types import ModuleID

if TYPE_CHECKING:
    from hub.module_policy import ModulePolicy

OBJECTS = 500
EVSES = 10
TURNS = 20
AT_A_TIME = 50
"""Writes of each way before it is the next one's turn."""
LIMIT = 100
PAGES = 10
"""The same of pages."""
_ORM = "Django's ORM"
_Work = Callable[[int], object]


def measure(testbed: Testbed) -> Iterator[Figure]:
    """Measure the PUT of a Tariff and of a Location with EVSEs, and a page of these."""
    del testbed
    yield from _putting(objects.put(ModuleID.TARIFFS), "PUT of a tariff")
    large = objects.put(ModuleID.LOCATIONS, evses=EVSES)
    yield from _putting(large, f"PUT of a location with {EVSES} EVSEs")
    yield _listing(large)


def _putting(template: objects.Template, what: str) -> Iterator[Figure]:
    from bench import by_orm  # noqa: PLC0415 - Django is set up by now
    from hub.module_policy import POLICIES  # noqa: PLC0415

    policy = POLICIES[template.module]
    writes = [_write(template, number % OBJECTS, number) for number in range(3 * AT_A_TIME * TURNS)]

    works: list[_Work] = [
        lambda number: _put(policy, *writes[number], prepared=True),
        lambda number: _put(policy, *writes[number], prepared=False),
        lambda number: by_orm.put(policy, *writes[number]),
    ]
    by_sql, bare, orm = _in_turns(works, AT_A_TIME)
    yield Figure(f"{what}, one statement", by_sql, "/s", orm, _ORM, at_least(1.5))
    yield Figure(f"{what}, one statement, not prepared", bare, "/s", orm, _ORM)


def _put(policy: "ModulePolicy", lock: str, item: Mapping[str, Any], *, prepared: bool) -> None:
    """Store one object as the store does a list of them."""
    from database import sql  # noqa: PLC0415 - Django is set up by now
    from hub.store import batch  # noqa: PLC0415
    from hub.store.sql.writes import LOCK, statements  # noqa: PLC0415

    put = statements(policy, is_fed=True).put
    with sql.driver_connection() as connection, connection.pipeline():
        batch.execute(connection, LOCK, [lock], prepared=prepared)
        batch.execute(connection, put, [item], prepared=prepared)


def _write(template: objects.Template, number: int, moment: int) -> tuple[str, dict[str, Any]]:
    """Return the lock and the values of a write, read and checked already."""
    from hub.store import merge  # noqa: PLC0415 - Django is set up by now
    from hub.store.items import written_item  # noqa: PLC0415

    path, body = template.numbered(number, moment)
    object_id = path.rpartition("/")[2]
    message = write_request(template.module, "PUT", template.owner, object_id, path=path, body=body)
    planned = merge.draft(message)
    item = written_item(0, planned, merge.replacement(message))
    return planned.lock, item


def _listing(template: objects.Template) -> Figure:
    from bench import by_orm  # noqa: PLC0415 - Django is set up by now
    from hub import store  # noqa: PLC0415
    from hub.module_policy import POLICIES  # noqa: PLC0415

    policy = POLICIES[template.module]
    viewer = store.Viewer("DE-M00", frozenset({str(template.owner)}))

    def page(_: int) -> bytes:
        return store.page(policy, viewer, PageRequest(), limit=LIMIT).data

    def by_the_orm(_: int) -> bytes:
        return by_orm.page(policy, viewer, limit=LIMIT)

    if page(0) != by_the_orm(0):
        raise RuntimeError("the two pages differ")
    by_sql, orm = _in_turns([page, by_the_orm], PAGES)
    what = f"page of {LIMIT} locations with {EVSES} EVSEs each, and how many there are"
    return Figure(what, by_sql, "/s", orm, _ORM, at_least(1.5))


def _in_turns(works: Sequence[_Work], at_a_time: int) -> list[float]:
    """Return the rate of each, done in turns: what else the machine does meets all alike."""
    seconds = [0.0] * len(works)
    numbers = iter(range(len(works) * at_a_time * TURNS))
    for _ in range(TURNS):
        for place, work in enumerate(works):
            started = time.perf_counter()
            for _ in range(at_a_time):
                work(next(numbers))
            seconds[place] += time.perf_counter() - started
    return [at_a_time * TURNS / each for each in seconds]
