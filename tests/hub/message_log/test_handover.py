"""Batches handed to the log process: the same rows, each once, whoever dies in between."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from django.conf import LazySettings

from hub.message_log import capture, frames, log_process
from hub.message_log.batches import BatchWriter, EntryBatch
from hub.message_log.endpoints import Endpoint
from hub.message_log.entry import LONGEST_MESSAGE, Entry, LoggedBody, LoggedRoute
from hub.message_log.frames import BatchOutcome, Reply
from hub.message_log.handover import connect
from hub.message_log.sql import COLUMNS
from hub.message_log.writer import LogWriter
from hub.models import Exchange, Traffic
from ocpi.transport import envelope
from ocpi.transport.envelope import Envelope
from ocpi.types import ModuleID, PartyRef, one_line
from tests.hub.message_log.test_never_lost import entries
from tests.hub.message_log.test_traffic_goes_on import an_entry, without_table

pytestmark = pytest.mark.django_db(transaction=True)
Serve = Callable[[socket.socket], None]


@contextmanager
def played_by(serve: Serve, path: str) -> Iterator[None]:
    """Let a thread answer at a path."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        thread = threading.Thread(target=serve, args=[listener])
        thread.start()
        yield
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture
def path(tmp_path_factory: pytest.TempPathFactory, settings: LazySettings) -> str:
    """Say where the log process is."""
    found = str(tmp_path_factory.mktemp("log") / "s")
    settings.HUB_MESSAGE_LOG_SOCKET = found
    return found


@pytest.fixture
def process(path: str) -> Iterator[str]:
    """Run the log process in a thread, until the test ends."""
    lifeline, end = os.pipe()

    def serve(listener: socket.socket) -> None:
        log_process.serve(listener, lifeline)

    with played_by(serve, path):
        yield path
        os.close(end)
    os.close(lifeline)


@pytest.fixture
def writer() -> Iterator[LogWriter]:
    """A writer whose thread does not run: a test writes when it wants to."""
    made = LogWriter()
    yield made
    made._disconnect()


def put(writer: LogWriter, *made: Entry) -> None:
    """Have something to write."""
    for entry in made:
        writer._buffer.put(entry, max_bytes=10**9)


def logged() -> list[tuple[object, ...]]:
    """Return all rows without their ids."""
    return list(Exchange.objects.order_by("id").values_list(*COLUMNS))


def full_entries() -> list[Entry]:
    """Return one of everything that exists, and one that uses every field."""
    usual = [each for each in entries() if str(each.route or "") != "no route at all"]
    usual = [each for each in usual if "7" not in map(str, each.secrets)]
    usual = [replace(each, error=one_line(each.error, longest=LONGEST_MESSAGE)) for each in usual]
    told = replace(
        usual[0],
        endpoint=Endpoint("/ocpi/2.2.1/receiver/cdrs", "x?y", "P", "2.2.1", "cdrs", "RECEIVER"),
        object_id="",
        posted_id="id",
        request=LoggedBody.of(b'{"id":"C1","cdr_token":{"uid":"04AABBCCDD"}}', 1000),
        route=LoggedRoute.DIRECT,
        was_sent=True,
        sender=PartyRef("NL", "CPA"),
        receiver=PartyRef("DE", "MSA"),
        module=ModuleID.CDRS,
        envelope=Envelope(2001, "why", None, "2030-01-01T00:00:00Z"),
        http_status=200,
        error="none",
    )
    return [*usual, told, replace(told, is_written=False)]


@pytest.mark.security("S-19")
def test_rows_are_the_same_by_either_way(
    process: str, writer: LogWriter, settings: LazySettings
) -> None:
    """Whatever an exchange consists of: a text of a class of its own, one that no UTF-8 holds."""
    made = full_entries()
    put(writer, *made)
    assert writer.flush()
    assert writer._handover is not None
    assert writer._own._connection is None
    by_process = logged()
    writer._disconnect()
    Exchange.objects.all().delete()

    settings.HUB_MESSAGE_LOG_SOCKET = ""
    put(writer, *made)
    assert writer.flush()

    assert writer._handover is None
    assert len(by_process) == len(made) - 1
    assert logged() == by_process


def test_what_no_code_makes_keeps_nothing_else_out(
    process: str, writer: LogWriter, caplog: pytest.LogCaptureFixture
) -> None:
    """An entry that the log process cannot read is a gap of one."""
    odd = replace(an_entry(), secrets=(7,))  # type: ignore[arg-type]  # what no code does
    unsendable = replace(an_entry(), platform=object())  # type: ignore[arg-type]  # the same
    put(writer, an_entry(), odd, unsendable, an_entry())
    assert writer.flush()
    assert Exchange.objects.count() == 2
    assert caplog.text.count("has a gap: an exchange cannot be read") == 2


def test_a_row_the_database_cannot_hold_is_alone_without_its_texts(
    process: str, writer: LogWriter
) -> None:
    """The others of its batch are written as they are, and each is counted once."""
    put(writer, an_entry(), replace(an_entry(), http_status=2**40), an_entry())
    put(writer, replace(an_entry(), is_written=False))
    assert writer.flush()
    assert Exchange.objects.count() == 3
    assert sum(Traffic.objects.values_list("number", flat=True)) == 4


def test_what_the_database_does_not_take_stays_with_its_sender(
    process: str, writer: LogWriter
) -> None:
    """It is handed over again when the table is back."""
    put(writer, an_entry(), an_entry())
    with without_table():
        assert not writer.flush()
        assert len(writer._buffer) == 2
    assert writer.flush()
    assert Exchange.objects.count() == 2


def test_what_a_process_handed_over_is_written_after_its_death(process: str) -> None:
    """Half a batch is none: of what was not handed over whole nothing is written."""
    with socket.socket(socket.AF_UNIX) as sender:
        sender.connect(process)
        frames.send(sender, frames.batch_frame(EntryBatch([an_entry(), an_entry()])))
        sender.sendall((10_000).to_bytes(4, "big") + b"half of it")
    deadline = time.monotonic() + 10
    while Exchange.objects.count() < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert Exchange.objects.count() == 2


def test_a_batch_whose_writer_died_after_the_commit_is_not_doubled(
    path: str, writer: LogWriter
) -> None:
    """Its transaction was announced before: the database is asked what became of it."""

    def commits_and_dies(listener: socket.socket) -> None:
        sender, _ = listener.accept()
        own = BatchWriter()
        with sender:
            own.write(
                frames.read_batch(frames.receive(sender)),
                lambda number: _say(sender, Reply(BatchOutcome.COMMITTING, number)),
            )
            own.close()

    put(writer, an_entry(), an_entry())
    with played_by(commits_and_dies, path):
        assert not writer.flush()
    put(writer, an_entry())
    assert writer.flush()
    assert Exchange.objects.count() == 3
    assert sum(Traffic.objects.values_list("number", flat=True)) == 3


def test_a_batch_whose_writer_died_before_the_commit_is_written_again(
    path: str, writer: LogWriter
) -> None:
    """Announced is not committed."""

    def dies_at_the_announcement(listener: socket.socket) -> None:
        sender, _ = listener.accept()
        with sender:
            batch = frames.read_batch(frames.receive(sender))

            def announce(number: str) -> None:
                _say(sender, Reply(BatchOutcome.COMMITTING, number))
                raise KeyboardInterrupt

            own = BatchWriter()
            with pytest.raises(KeyboardInterrupt):
                own.write(batch, announce)
            own.close()

    put(writer, an_entry(), an_entry())
    with played_by(dies_at_the_announcement, path):
        assert not writer.flush()
    assert not Exchange.objects.exists()
    assert writer.flush()
    assert Exchange.objects.count() == 2


def test_where_no_log_process_answers_the_thread_writes_itself(
    path: str, writer: LogWriter
) -> None:
    """The variable may name a socket that is gone."""
    assert connect(lambda: True) is None
    put(writer, an_entry())
    assert writer.flush()
    assert Exchange.objects.count() == 1


def test_a_process_that_ends_does_not_wait_for_ever(
    path: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What a log process that stands still did not take is reported as a gap."""
    monkeypatch.setattr("hub.message_log.writer._LAST_SECONDS", 0.3)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(path)
        silent.listen()
        writer = LogWriter()
        writer.put(an_entry())
        time.sleep(0.4)
        writer.close()
    assert "has a gap: 1 exchanges came too late" in caplog.text


def _say(sender: socket.socket, reply: Reply) -> None:
    frames.send(sender, frames.reply_frame(reply))


def test_a_status_code_of_any_size_is_handed_over(process: str, writer: LogWriter) -> None:
    """A peer writes any number there, and must not keep its exchange out of the log by it."""
    read = envelope.read(b'{"status_code":99999999999999999999,"timestamp":"2026-01-01T00:00:00Z"}')
    put(writer, replace(an_entry(), envelope=capture._without_data(read)))
    assert writer.flush()
    assert Exchange.objects.count() == 1
