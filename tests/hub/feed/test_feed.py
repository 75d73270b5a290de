"""The feed: no change is skipped however late its transaction commits, and none swap."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from hub import feed, store
from hub.feed import Selection
from hub.feed import sql as statements
from hub.models import Change, Location
from hub.store import WriteRequest
from ocpi.types import PartyRef
from tests.cast import CPB
from tests.hub.concurrency import start, wait_for_a_lock
from tests.hub.feed.location_changes import BEGINNING, put, read, read_until
from tests.hub.store.write_requests import location_write

pytestmark = pytest.mark.usefixtures("transactional_db")


@contextmanager
def another_transaction() -> Iterator[Callable[[WriteRequest], None]]:
    """Run a transaction in a thread of its own: writes when told, commits with the block."""
    tasks: list[WriteRequest | None] = []
    given, done = threading.Semaphore(0), threading.Semaphore(0)

    def work() -> None:
        with transaction.atomic():
            for number in count():
                given.acquire()
                message = tasks[number]
                if message is None:
                    break
                store.apply(message)
                done.release()

    def write(message: WriteRequest) -> None:
        tasks.append(message)
        given.release()
        assert done.acquire(timeout=10)

    with ThreadPoolExecutor(1) as pool:
        future = start(pool, work)
        try:
            yield write
        finally:
            tasks.append(None)
            given.release()
            future.result(timeout=10)


def test_a_change_whose_transaction_commits_late_is_not_skipped() -> None:
    """Nothing beyond an open transaction is read, so that a position once passed stays complete."""
    with another_transaction() as write:
        write(put(1))
        store.apply(put(2, CPB))

        early = read()
        assert early.changes == ()
        assert early.complete
        assert feed.is_pending("locations")

    late = read_until(lambda batch: len(batch.changes) == 2, early.reached)
    assert [change.object_key for change in late.changes] == ["L1", "L2"]
    assert late.reached >= late.changes[-1].position


def test_the_position_never_moves_back() -> None:
    """An older transaction that is still open does not undo what was reached."""
    store.apply(put(1))
    first = read_until(lambda batch: len(batch.changes) == 1)

    again = read(first.reached)

    assert again.changes == ()
    assert again.reached >= first.reached


def test_a_transaction_that_is_rolled_back_leaves_nothing() -> None:
    """What was not committed was never accepted."""
    with transaction.atomic():
        store.apply(put(1))
        transaction.set_rollback(True)

    store.apply(put(2))
    batch = read_until(lambda batch: len(batch.changes) == 1)
    assert [change.object_key for change in batch.changes] == ["L2"]


WRITERS, ROUNDS = 8, 100


def write(writer: int) -> None:
    """Put and patch three Locations in turn."""
    for number in range(ROUNDS):
        place = (writer + number) % 3 + 1
        store.apply(put(place, name=f"{writer}/{number}"))
        body = {"status": "CHARGING", "last_updated": "2026-06-01T00:00:00Z"}
        store.apply(location_write("PATCH", f"L{place}", "E1", body=body))


def hold(stop: threading.Event) -> None:
    """Keep transactions open for longer than any write takes."""
    while not stop.is_set():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()")
            time.sleep(0.05)


def poll(stop: threading.Event, seen: dict[str, list[int]]) -> None:
    """Read on and on, a few changes at a time, until nothing more can come."""
    position = BEGINNING
    while True:
        finishing = stop.is_set() and not feed.is_pending("locations")
        batch = read(position, limit=7)
        for change in batch.changes:
            seen[change.object_key].append(change.revision)
        position = batch.reached
        if finishing and batch.complete and not batch.changes:
            return


def test_a_reader_sees_every_change_of_every_object_in_its_order() -> None:
    """Eight writers race on three objects while others hold transactions open; a reader polls.

    Each object's revisions arrive strictly increasing and none is missing.
    """
    stop = threading.Event()
    seen: dict[str, list[int]] = defaultdict(list)

    with ThreadPoolExecutor(WRITERS + 3) as pool:
        beside = [start(pool, partial(hold, stop)) for _ in range(2)]
        beside.append(start(pool, partial(poll, stop, seen)))
        writing = [start(pool, partial(write, number)) for number in range(WRITERS)]
        try:
            for future in writing:
                future.result(timeout=50)
        finally:
            stop.set()
        for future in beside:
            future.result(timeout=20)

    assert Change.objects.count() == WRITERS * ROUNDS * 2
    for location in Location.objects.all():
        assert seen[location.object_key] == list(range(1, location.revision + 1))


def test_a_transaction_number_is_taken_behind_the_objects_lock() -> None:
    """The writer that waits for an object gets the higher number, whoever began first."""
    store.apply(put(1))
    settings = connection.settings_dict
    lock = "SELECT pg_advisory_xact_lock(hashtextextended('locations/NL-CPA/L1', 0))"
    with (
        psycopg.connect(
            host=settings["HOST"],
            port=settings["PORT"],
            user=settings["USER"],
            password=settings["PASSWORD"],
            dbname=settings["NAME"],
        ) as holder,
        ThreadPoolExecutor(1) as pool,
    ):
        holder.execute(lock)
        waiting = start(pool, lambda: store.apply(put(1, name="waits")))
        wait_for_a_lock(holder)
        [(number,)] = holder.execute("SELECT pg_current_xact_id()::text::bigint").fetchall()
        holder.commit()
        waiting.result(timeout=10)

    assert Change.objects.get(revision=2).transaction > number


@pytest.mark.parametrize("limit, most_bytes", [(2, 10**6), (500, 1), (500, 3_000)])
def test_batches_are_bounded_and_together_complete(limit: int, most_bytes: int) -> None:
    """A batch ends at its number or its size, and says whether more may follow."""
    for number in range(1, 8):
        store.apply(put(number))
    read_until(lambda batch: len(batch.changes) == 7)
    seen, sizes, position, complete = [], [], BEGINNING, False

    while not complete:
        batch = read(position, limit=limit, most_bytes=most_bytes)
        position, complete = batch.reached, batch.complete
        seen += [change.object_key for change in batch.changes]
        sizes.append(len(batch.changes))

    assert seen == [f"L{number}" for number in range(1, 8)]
    assert max(sizes) <= limit
    assert all(sizes[:-1])
    assert max(sizes) < 7


def test_only_what_the_receiver_may_see_is_read() -> None:
    """Owners without access and what is meant for another party are passed over."""
    store.apply(put(1))
    store.apply(put(2, PartyRef("NL", "XXX")))
    store.apply(put(3))
    Change.objects.filter(object_key="L3").update(audience="FR-MSB")

    batch = read_until(lambda batch: bool(batch.changes))

    assert [change.object_key for change in batch.changes] == ["L1"]


def test_what_is_for_one_party_is_read_by_that_party_alone() -> None:
    """Whoever owns it; what is for everybody is not among it, nor what is left out."""
    for number, audience in enumerate(["DE-MSA", "FR-MSB", "", "DE-MSA", "DE-MSA"], start=1):
        store.apply(put(number))
        Change.objects.filter(object_key=f"L{number}").update(audience=audience)
    read_until(lambda batch: bool(batch.changes))
    own = Selection("locations", audience="DE-MSA")
    first = feed.read(own, BEGINNING, limit=9, most_bytes=10**6).changes

    rest = feed.read(own, BEGINNING, limit=9, most_bytes=10**6, excluded=[first[1].position])

    assert [change.object_key for change in first] == ["L1", "L4", "L5"]
    assert [change.object_key for change in rest.changes] == ["L1", "L5"]


def test_a_change_without_a_body_is_read() -> None:
    """A DELETE has none."""
    store.apply(put(1))
    Change.objects.update(body=None, method="DELETE")

    [change] = read_until(lambda batch: bool(batch.changes)).changes

    assert (change.method, change.body) == ("DELETE", None)


def test_reading_for_one_party_costs_nothing_for_the_others() -> None:
    """The index leads to its own changes, however many there are for others."""
    with connection.cursor() as cursor:
        cursor.execute(_MANY)
        cursor.execute("ANALYZE hub_change")
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statements.READ_FOR_ONE.text}", _OF_ONE)
        [[plan]] = cursor.fetchall()

    scans = [node for node in _nodes(plan[0]["Plan"]) if "Index Name" in node]
    assert [node["Index Name"] for node in scans] == ["hub_change_for_audience"]
    assert scans[0]["Actual Rows"] == 10
    assert scans[0].get("Rows Removed by Filter", 0) == 0


_MANY = """
INSERT INTO hub_change (transaction, module, owner, object_key, part_key, audience, revision,
  method, path, body, correlation_id)
SELECT 3 + n / 20, 'sessions', 'NL-CPA', 'S' || n, '', CASE WHEN n % 1000 = 0 THEN 'DE-MSA'
  ELSE 'FR-' || lpad((n % 900)::text, 3, '0') END, 1, 'PUT', '', '{}', ''
FROM generate_series(3, 10002) AS n"""
_OF_ONE: dict[str, Any] = {
    "module": "sessions",
    "owners": [],
    "audience": "DE-MSA",
    "transaction": 0,
    "seq": 0,
    "excluded": [],
    "stretch": 500,
    "limit": 500,
    "bytes": 10**6,
}


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)
