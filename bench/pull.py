"""Pulling: 50,000 Locations from a platform's list, page by page, then all of them once more.

What is stored is fed to an eMSP, but not delivered here. The limit is the hub's own store, taking
such objects one by one: pushes without HTTP. The process may not grow on the way.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import TYPE_CHECKING

from bench import memory, objects
from bench.environment import SMALL_CPO, Testbed, background
from bench.figures import Figure, Key, at_least
from bench.list_server import EVSES, LOCATIONS
from bench.write_requests import write_request
from local import ports
from ocpi.types import InterfaceRole, ModuleID

if TYPE_CHECKING:
    from hub.models import PullState

_WARM = 50
"""Pages after which the process has allocated what it needs."""
_PATIENCE = 30.0
"""Seconds until the platform with the list has to listen."""
PUSHED = 2_000
"""Objects stored one by one, in each of the three rounds of the limit."""
_BARE = "stored one by one, no HTTP"


def measure(testbed: Testbed) -> Iterator[Figure]:
    """Read the list as a newcomer's, then again when nothing changed."""
    del testbed
    bare = [_pushed(0)]
    with _list():
        sizes: list[float] = []
        first = _read(sizes)
        bare.append(_pushed(1))
        again = _read([])
    bare.append(_pushed(2))
    what, one_by_one = f"pull of {LOCATIONS:,} locations", median(bare)
    aim = at_least(1.5, 4)
    yield Figure(what, first, "objects/s", one_by_one, _BARE, aim, key=Key.PULL)
    yield Figure(f"{what}, nothing changed", again, "objects/s", one_by_one, _BARE, aim)
    yield Figure(
        f"memory of the worker, page {_WARM}",
        sizes[0],
        "MB",
        sizes[-1],
        "at the last page",
        at_least(0.9),
    )


@contextmanager
def _list() -> Iterator[None]:
    """Let the small CPO's platform offer a list."""
    from parties.models import Endpoint, Party  # noqa: PLC0415 - Django is set up by now

    port = ports.free()
    url = f"http://127.0.0.1:{port}/locations"
    owner = Party.objects.get(key=str(SMALL_CPO))
    module, role = ModuleID.LOCATIONS, InterfaceRole.SENDER.value
    with background("list", "-m", "bench.list_server", str(port)):
        _wait(port)
        Endpoint.objects.create(platform=owner.platform, module=module, role=role, url=url)
        yield
        Endpoint.objects.filter(url=url).delete()


def _wait(port: int) -> None:
    end = time.monotonic() + _PATIENCE
    while ports.is_free(port):
        if time.monotonic() > end:
            raise RuntimeError("the platform with the list did not start")
        time.sleep(0.05)


def _read(sizes: list[float]) -> float:
    """Read the whole list; return objects a second, and note what the process holds."""
    from hub.pull import status  # noqa: PLC0415 - Django is set up by now

    def watch(state: "PullState") -> None:
        if state.pages >= _WARM:
            sizes.append(memory.own())

    found = status.of_party(SMALL_CPO, ModuleID.LOCATIONS)
    started = time.perf_counter()
    [done] = status.read_now(found, full=True, watch=watch)
    seconds = time.perf_counter() - started
    if (done.seen, done.last_error) != (LOCATIONS, ""):
        raise RuntimeError(status.line(done))
    return done.seen / seconds


def _pushed(turn: int) -> float:
    """Return how many such objects a second the store takes one by one, without any HTTP."""
    from hub import store  # noqa: PLC0415 - Django is set up by now

    template = objects.put(ModuleID.LOCATIONS, evses=EVSES, owner=SMALL_CPO)
    new = range(LOCATIONS + turn * PUSHED, LOCATIONS + (turn + 1) * PUSHED)
    texts = [template.numbered(number, 0) for number in new]
    messages = [
        write_request(
            ModuleID.LOCATIONS, "PUT", SMALL_CPO, path.rpartition("/")[2], path=path, body=body
        )
        for path, body in texts
    ]
    started = time.perf_counter()
    for message in messages:
        store.apply(message)
    return PUSHED / (time.perf_counter() - started)
