"""Pulling: 50,000 Locations from a platform's list, page by page, then all of them once more.

What is stored is fed to an eMSP, but not delivered here. The limit is a loop that asks for the same
pages, one after the other, and does nothing with them. The process may not grow on the way.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import aiohttp
import uvloop

from bench import memory
from bench.figures import Figure
from bench.ground import SMALL_CPO, Ground, background
from bench.shelf import LOCATIONS
from local import ports
from ocpi.types import InterfaceRole, ModuleID

if TYPE_CHECKING:
    from hub.models import PullState

PAGE = 100
_WARM = 20
"""Pages after which the process has everything it needs."""
_PATIENCE = 30.0
_BARE = "the pages asked for, nothing done"


def measure(ground: Ground) -> Iterator[Figure]:
    """Read the list as a newcomer's, then again when nothing changed."""
    del ground
    with _list() as url:
        bare = uvloop.run(_asked(url))
        sizes: list[float] = []
        first = _read(sizes)
        again = _read([])
    what = f"pull of {LOCATIONS:,} locations"
    yield Figure(what, first, "objects/s", bare, _BARE, 0.1)
    yield Figure(f"{what}, nothing changed", again, "objects/s", bare, _BARE, 0.2)
    yield Figure(
        f"memory of the worker, page {_WARM}", sizes[0], "MB", sizes[-1], "at the last page", 0.9
    )


@contextmanager
def _list() -> Iterator[str]:
    """Let the small CPO's platform offer a list."""
    from parties.models import Endpoint, Party  # noqa: PLC0415 - Django is set up by now

    port = ports.free()
    url = f"http://127.0.0.1:{port}/locations"
    owner = Party.objects.get(key=str(SMALL_CPO))
    module, role = ModuleID.LOCATIONS.value, InterfaceRole.SENDER.value
    with background("shelf", "-m", "bench.shelf", str(port)):
        _wait(port)
        Endpoint.objects.create(platform=owner.platform, module=module, role=role, url=url)
        yield url
        Endpoint.objects.filter(url=url).delete()


def _wait(port: int) -> None:
    end = time.monotonic() + _PATIENCE
    while ports.is_free(port):
        if time.monotonic() > end:
            raise RuntimeError("the platform with the list did not start")
        time.sleep(0.05)


def _read(sizes: list[float]) -> float:
    """Read the whole list; return objects a second, and note what the process holds."""
    from hub.sync import overview  # noqa: PLC0415 - Django is set up by now

    def watch(state: "PullState") -> None:
        if state.pages >= _WARM:
            sizes.append(memory.own())

    found = overview.of_party(SMALL_CPO, ModuleID.LOCATIONS.value)
    started = time.perf_counter()
    [done] = overview.read_now(found, full=True, watch=watch)
    seconds = time.perf_counter() - started
    if (done.seen, done.last_error) != (LOCATIONS, ""):
        raise RuntimeError(overview.line(done))
    return done.seen / seconds


async def _asked(url: str) -> float:
    started = time.perf_counter()
    async with aiohttp.ClientSession() as session:
        for start in range(0, LOCATIONS, PAGE):
            async with session.get(f"{url}?offset={start}&limit={PAGE}") as answer:
                await answer.read()
                answer.raise_for_status()
    return LOCATIONS / (time.perf_counter() - started)
