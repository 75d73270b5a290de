"""A list is read one page ahead: the next page comes while the last one is stored."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection

from hub.models import Location, PullState
from hub.pull import crawl, schedule
from parties.models import Platform
from sandbox import SandboxPlatform
from tests.cast import CPA, Cast, a_location
from tests.hub.pull.workers import asked, offer, read, state

FIVE = [a_location(CPA, number, evses=1) for number in range(1, 6)]
PATIENCE_SECONDS = 20


@pytest.fixture
def cpo(cast: Cast) -> SandboxPlatform:
    """P1, whose pages have two of its five locations."""
    platform = cast.join("P1", page_limit=2)
    offer(platform, "locations", *FIVE)
    platform.forget()
    return platform


@contextmanager
def nothing_is_stored() -> Iterator[None]:
    """Let every write of a Location wait for the end of the block."""
    where = connection.get_connection_params()
    names = ("host", "port", "dbname", "user", "password")
    with psycopg.connect(**{name: where[name] for name in names if name in where}) as other:
        other.execute("LOCK TABLE hub_location IN EXCLUSIVE MODE")
        yield


def reading() -> "Future[PullState]":
    """Read the list in a thread of its own."""

    def work() -> PullState:
        try:
            return read(full=True)
        finally:
            connection.close()

    pool = ThreadPoolExecutor(1)
    found = pool.submit(work)
    pool.shutdown(wait=False)
    return found


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait for what is to happen soon."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.01)


def held() -> list[str]:
    """Return the ids of the Locations that are stored."""
    return sorted(Location.objects.values_list("object_id", flat=True))


def test_the_next_page_comes_while_one_is_stored(cpo: SandboxPlatform) -> None:
    """One page ahead and no more: the third is asked for when the first is stored."""
    with nothing_is_stored():
        found = reading()
        wait_until(lambda: len(asked(cpo)) == 2)
        time.sleep(0.2)
        ahead = [seen.query.get("offset", "0") for seen in asked(cpo)]
    done = found.result(PATIENCE_SECONDS)

    assert ahead == ["0", "2"]
    assert [seen.query.get("offset", "0") for seen in asked(cpo)] == ["0", "2", "4"]
    assert (done.pages, done.seen, done.stored, done.last_error) == (3, 5, 5, "")
    assert held() == ["L1", "L2", "L3", "L4", "L5"]


def test_a_page_that_came_before_a_suspension_is_not_stored(cpo: SandboxPlatform) -> None:
    """What was asked for ahead is judged when it is its turn; the list goes on there later."""
    with nothing_is_stored():
        found = reading()
        wait_until(lambda: len(asked(cpo)) == 2)
        Platform.objects.filter(name="P1").update(status="SUSPENDED")
    done = found.result(PATIENCE_SECONDS)

    assert held() == ["L1", "L2"]
    assert (done.pages, done.seen) == (1, 2)
    assert "offset=2" in done.next_url


def test_a_page_of_a_list_that_is_to_begin_anew_is_not_stored(cpo: SandboxPlatform) -> None:
    """An operator asked for everything meanwhile: the crawl ends, the next begins at the first."""
    with nothing_is_stored():
        found = reading()
        wait_until(lambda: len(asked(cpo)) == 2)
        schedule.request([state().pk], full=True)
    found.result(PATIENCE_SECONDS)
    before = held()
    cpo.forget()

    done = read()

    assert before == ["L1", "L2"]
    assert asked(cpo)[0].query.get("offset", "0") == "0"
    assert (done.seen, done.last_error, len(held())) == (5, "", 5)


def test_no_page_is_asked_for_when_the_time_is_up(cpo: SandboxPlatform) -> None:
    """What was asked for is stored; the next task goes on with the next page."""
    schedule.reconcile()
    lease = crawl.claim(state().pk)
    assert lease is not None

    crawl.crawl(lease, seconds=0)

    assert (len(asked(cpo)), state().pages, held()) == (1, 1, ["L1", "L2"])
