"""The writer: batches of writes, each answered when it is committed and by its own outcome."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from django.db import DataError, OperationalError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from database import sql
from hub import store
from hub.models import Change, Evse, Location
from hub.store import Applied, EpochPassed, WriteRequest, batch, merge
from hub.store import writer as store_writer
from hub.store.writer import Writer
from ocpi.errors import InvalidParameters, OcpiError, UnknownLocation
from parties.sql import EPOCH_NUMBER
from tests.cast import CPA, a_location
from tests.hub.concurrency import wait_for_a_lock
from tests.hub.store.write_requests import location_write

if TYPE_CHECKING:
    from concurrent.futures import Future

pytestmark = pytest.mark.usefixtures("transactional_db")
SECONDS = 20
STAMP = "2026-06-01T00:00:00Z"


@pytest.fixture
def writer() -> Iterator[Writer]:
    """A writer of its own, as another process has one."""
    own = Writer()
    yield own
    own.close()


def put(number: int, **changes: Any) -> WriteRequest:
    """Make the PUT of a Location."""
    return location_write("PUT", f"L{number}", body=a_location(CPA, number, **changes))


def patch(number: int, evse: int, **changes: Any) -> WriteRequest:
    """Make the PATCH of an EVSE."""
    body = {"last_updated": STAMP, **changes}
    return location_write("PATCH", f"L{number}", f"E{evse}", body=body)


def unstorable(number: int) -> WriteRequest:
    """Make a PUT that is right but for what the database can hold."""
    return replace(put(number), holder="X" * 27)


def outcomes(answers: Sequence["Future[Applied]"]) -> list[Applied | BaseException]:
    """Return what became of each."""
    return [answer.exception(SECONDS) or answer.result() for answer in answers]


@contextmanager
def busy(writer: Writer) -> Iterator[list["Future[Applied]"]]:
    """Let a writer be at two batches that end with this block; further writes wait behind them."""
    with psycopg.connect(**connection.get_connection_params()) as holder:
        begun = []
        for number in (901, 902):
            name = f"locations/NL-CPA/L{number}"
            holder.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
            begun.append(writer.submit(put(number)))
            waiting(holder, number - 900)
        yield begun


def waiting(observer: "psycopg.Connection[Any]", number: int) -> None:
    """Return as soon as so many wait for the lock of an object."""
    wait_for_a_lock(observer)
    asked = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    end = time.monotonic() + 10
    while observer.execute(asked).fetchall() != [(number,)]:
        assert time.monotonic() < end
        time.sleep(0.01)


def revisions(number: int) -> list[tuple[int, str]]:
    """Return revision and name of each PUT of a Location, in the order of the feed."""
    changes = Change.objects.filter(object_key=f"L{number}").order_by("transaction", "seq")
    return [(each.revision, json.loads(each.body or "")["name"]) for each in changes]


def test_what_gathers_is_one_transaction(writer: Writer) -> None:
    """Writes of one module and kind that wait together are committed together."""
    with busy(writer) as begun:
        answers = [writer.submit(put(number)) for number in range(20)]
    assert all(each.created for each in [answer.result(SECONDS) for answer in begun + answers])

    transactions = Change.objects.exclude(object_key__in=["L901", "L902"])
    assert len({each.transaction for each in transactions}) == 1


def test_one_bad_row_harms_nobody_else(writer: Writer) -> None:
    """Of a batch the database refuses, all but the bad one are stored."""
    with busy(writer):
        requests = [put(1), unstorable(2), put(3)]
        answers = [writer.submit(request) for request in requests]

    first, bad, third = outcomes(answers)
    assert (first, third) == (Applied(created=True), Applied(created=True))
    assert isinstance(bad, DataError)
    assert set(Change.objects.values_list("object_key", flat=True)) >= {"L1", "L3"}
    assert not Location.objects.filter(object_key="L2").exists()


def test_each_of_a_batch_has_an_outcome_of_its_own(writer: Writer) -> None:
    """Created, changed, the same again, refused, unknown: as if it had come alone."""
    for number in (1, 2, 3):
        store.apply(put(number))
    with busy(writer):
        requests = [put(1, name="other"), put(2), put(4)]
        changes = [patch(3, 1, x=1), patch(5, 1, x=1), patch(6, 1, status=7)]
        puts = [writer.submit(request) for request in requests]
        patches = [writer.submit(request) for request in changes]

    assert outcomes(puts) == [
        Applied(created=False),
        Applied(created=False, repeated=True),
        Applied(created=True),
    ]
    changed, unknown, alone = outcomes(patches)
    assert changed == Applied(created=False)
    assert isinstance(unknown, UnknownLocation)
    assert isinstance(alone, UnknownLocation)
    assert isinstance(writer.submit(patch(3, 1, status=7)).exception(SECONDS), InvalidParameters)


def test_writes_of_one_object_keep_the_order_in_which_they_came(writer: Writer) -> None:
    """The second waits for the first, in store and feed, however many come at the same moment."""
    names = [f"name {number}" for number in range(30)]
    answers = [writer.submit(put(1, name=name)) for name in names]

    assert [answer.result(SECONDS).created for answer in answers] == [True] + 29 * [False]
    assert revisions(1) == list(enumerate(names, 1))


def test_two_processes_write_the_same_objects_in_opposite_orders(writer: Writer) -> None:
    """They do not lock each other out, and feed and store have one order."""
    other = Writer()
    answers = []
    for number in range(10):
        for place in range(20):
            answers.append(writer.submit(put(place, name=f"a {number}")))
            answers.append(other.submit(put(19 - place, name=f"b {number}")))
    found = outcomes(answers)
    other.close()

    assert not [each for each in found if isinstance(each, BaseException)]
    for location in Location.objects.all():
        fed = revisions(int(location.object_key[1:]))
        assert [revision for revision, _ in fed] == list(range(1, 21))
        assert fed[-1] == (location.revision, location.name)


def test_beyond_its_bounds_the_writer_refuses_at_once(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 and 3000, by number and by bytes; what it had accepted is stored."""
    monkeypatch.setattr(store_writer, "MOST_WAITING", 5)
    with busy(writer) as begun:
        answers = [writer.submit(put(number)) for number in range(3)]
        refused = writer.submit(put(4)).exception(0)
        monkeypatch.setattr(store_writer, "MOST_WAITING", 1_000)
        monkeypatch.setattr(store_writer, "MOST_WAITING_BYTES", 1_000)
        also = writer.submit(put(4)).exception(0)
        assert not [answer for answer in answers if answer.done()]

    for error in (refused, also):
        assert isinstance(error, OcpiError)
        assert (error.http_status, error.status_code) == (503, 3000)
    assert all(each.created for each in [answer.result(SECONDS) for answer in begun + answers])
    assert Location.objects.count() == 5


def _end_connections() -> None:
    """End what writers have of the database, as its restart does."""
    ended = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    sql.rows(f"{ended} WHERE application_name = %(purpose)s", {"purpose": store_writer.PURPOSE})


def test_the_first_write_after_the_database_was_started_again_is_stored(writer: Writer) -> None:
    """A connection that the server left while it was idle is exchanged before it is used."""
    assert writer.submit(put(1)).result(SECONDS).created
    _end_connections()

    assert writer.submit(put(2)).result(SECONDS).created


def test_a_connection_lost_with_a_batch_is_an_error_for_each_of_it(writer: Writer) -> None:
    """Nobody is told that it was stored; to send it again is safe, and the next ones pass."""
    with busy(writer) as begun:
        _end_connections()
        lost = outcomes(begun)

    assert all(isinstance(each, OperationalError) for each in lost)
    assert [writer.submit(put(number)).result(SECONDS).created for number in (901, 902)] == 2 * [
        True
    ]


def test_a_write_in_a_transaction_is_a_part_of_it() -> None:
    """It is gone when the transaction is undone."""
    with transaction.atomic():
        assert store.apply(put(1)).created
        transaction.set_rollback(True)

    assert not Location.objects.exists()
    assert not Change.objects.exists()


def test_a_closed_writer_has_stored_what_it_accepted_and_takes_no_more(writer: Writer) -> None:
    """Nothing is dropped in silence at the end of a process."""
    answers = [writer.submit(put(number)) for number in range(50)]
    writer.close()

    assert all(answer.result(0).created for answer in answers)
    error = writer.submit(put(51)).exception(0)
    assert isinstance(error, OcpiError)
    assert error.http_status == 503


def test_what_is_not_written_when_the_process_ends_is_answered_with_an_error(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not that it was stored, nor that it was not: its COMMIT may be on its way."""
    monkeypatch.setattr(store_writer, "_END_SECONDS", 0.1)
    with busy(writer) as begun:
        answers = [*begun, writer.submit(put(1))]
        writer.close()
        errors = [answer.exception(0) for answer in answers]

    assert all(isinstance(error, OcpiError) for error in errors)
    assert {str(error) for error in errors} == {store_writer._UNKNOWN}
    for thread in writer._threads:
        thread.join(SECONDS)


@pytest.mark.parametrize(
    "request_of",
    [lambda: put(2), lambda: put(1, name="x"), lambda: patch(1, 1, x=1)],
    ids=["new", "replaced", "changed"],
)
def test_a_write_decided_in_an_epoch_that_is_over_stores_nothing(
    writer: Writer, request_of: Callable[[], WriteRequest]
) -> None:
    """It is to be decided anew; those of the present epoch in the same batch are stored."""
    store.apply(put(1))
    store.apply(put(3))
    present = sql.row(EPOCH_NUMBER, {})
    assert present is not None
    with busy(writer):
        late = writer.submit(request_of(), epoch=present[0] - 1)
        good = writer.submit(put(3, name="good"), epoch=present[0])

    assert isinstance(late.exception(SECONDS), EpochPassed)
    assert not good.result(SECONDS).created
    assert revisions(1) == [(1, Location.objects.get(object_key="L1").name)]
    assert not Location.objects.filter(object_key="L2").exists()
    assert Location.objects.get(object_key="L3").name == "good"


KILLED = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "settings.test"
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()
from hub import store
from tests.hub.store.test_writer import put
import threading
def work(place):
    number = 0
    while True:
        number += 1
        store.apply(put(place, name=f"name {number}"))
        os.write(1, f"{place} {number}\\n".encode())
for place in range(8):
    threading.Thread(target=work, args=(place,), daemon=True).start()
threading.Event().wait()
"""


def test_what_a_killed_process_had_acknowledged_is_stored() -> None:
    """In the midst of batches: at most the one that was on its way comes on top."""
    name = connection.settings_dict["NAME"]
    command = [sys.executable, "-c", KILLED, name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(300)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.read().splitlines()
    acknowledged: dict[int, int] = {}
    for line in lines:
        words = line.split()
        acknowledged[int(words[0])] = int(words[1])

    assert len(acknowledged) == 8
    for number, last in acknowledged.items():
        stored = [int(given.removeprefix("name ")) for _, given in revisions(number)]
        assert stored in (list(range(1, last + 1)), list(range(1, last + 2)))


@st.composite
def a_write(draw: st.DrawFn) -> WriteRequest:
    """Draw a write of one of three Locations."""
    number, evse = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    stamp = f"2026-0{draw(st.integers(1, 9))}-01T00:00:00Z"
    changes = {"name": draw(st.sampled_from(["a", "b"])), "last_updated": stamp}
    part = a_location(CPA, 1)["evses"][0] | {"uid": f"E{evse}", "last_updated": stamp}
    status = draw(st.sampled_from(["AVAILABLE", "CHARGING"]))
    request = draw(
        st.sampled_from(
            [
                put(number, evses=draw(st.integers(0, 3)), **changes),
                location_write("PATCH", f"L{number}", body=changes),
                location_write("PUT", f"L{number}", f"E{evse}", body=part),
                patch(number, evse, status=status, last_updated=stamp),
            ]
        )
    )
    return replace(request, audience="DE-MSA", is_fed=False) if draw(st.booleans()) else request


@settings(max_examples=40)
@given(writes=st.lists(a_write(), min_size=1, max_size=25))
def test_batches_do_what_the_writes_would_do_one_by_one(writes: list[WriteRequest]) -> None:
    """Whatever the sequence: the same answers, objects, parts, own copies and changes."""
    for model in (Evse, Location, Change):
        model._default_manager.all().delete()
    one_by_one = [_outcome(partial(store.apply, request)) for request in writes]
    others = [replace(request, holder="NL-CPB") for request in writes]
    answers = [store_writer.submit(request) for request in others]
    together = [_outcome(partial(answer.result, SECONDS)) for answer in answers]

    assert together == one_by_one
    assert _kept("NL-CPB") == _kept("NL-CPA")


def _outcome(work: Callable[[], Applied]) -> object:
    try:
        return work()
    except OcpiError as error:
        return type(error)


def _kept(owner: str) -> list[list[object]]:
    """Return what is stored and fed of an owner, without numbers that others share."""
    objects = Location.objects.filter(owner=owner).order_by("object_key", "audience")
    names = ("object_key", "audience", "text", "revision", "generation", "repeated", "stale")
    parts = Evse.objects.filter(object__owner=owner)
    of_part = ("object__object_key", "object__audience", "key", "text", "revision", "generation")
    changes = Change.objects.filter(owner=owner).order_by("object_key", "transaction", "seq")
    of_change = ("object_key", "part_key", "revision", "method", "body")
    found = [
        objects.values_list(*names, "last_updated_text"),
        parts.order_by(*of_part[:3]).values_list(*of_part, "position"),
        changes.values_list(*of_change),
    ]
    return [[*rows] for rows in found]


def test_a_batch_that_fails_at_what_is_the_same_has_written_nothing() -> None:
    """Else it would be written again over what another process has stored meanwhile."""
    for number in (1, 2):
        store.apply(put(number))
    rename = "ALTER TABLE {} RENAME TO {}"
    drafts = [merge.draft(put(1, name="newer"), None), merge.draft(put(2), None)]
    params = connection.get_connection_params()
    with psycopg.connect(**params, autocommit=True) as other:
        other.execute(rename.format("hub_deadletter", "away").encode())
        try:
            with pytest.raises(psycopg.errors.UndefinedTable):
                batch.run(other, drafts)
        finally:
            other.execute(rename.format("away", "hub_deadletter").encode())
    assert "newer" not in Location.objects.get(object_key="L1").text
    assert Change.objects.count() == 2
