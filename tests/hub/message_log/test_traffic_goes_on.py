"""Losing the log never stops traffic, and as little as possible of it is lost."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from django.conf import LazySettings
from django.db import connection, transaction

from hub.message_log import rows
from hub.message_log.buffer import Buffer
from hub.message_log.entry import Entry, LoggedBody
from hub.message_log.writer import writer
from hub.models import Exchange, Failure, Traffic
from sandbox import SandboxPlatform
from tests.cast import CPA, a_location, push
from tests.hub.message_log.conftest import Logged

Pair = tuple[SandboxPlatform, SandboxPlatform]


@contextmanager
def without_table() -> Iterator[None]:
    """Take the log's table away."""
    _sql("ALTER TABLE hub_exchange RENAME TO hub_exchange_away")
    try:
        yield
    finally:
        _sql("ALTER TABLE hub_exchange_away RENAME TO hub_exchange")


def _sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def an_entry(body: bytes = b"{}", at: float = 1_800_000_000.0) -> Entry:
    """Return an exchange that came in."""
    cut = LoggedBody.of(body, 100_000)
    return Entry(
        is_inbound=True,
        at=at,
        seconds=0.1,
        method="GET",
        url="/ocpi/versions",
        headers={},
        request=cut,
        response=cut,
    )


def test_a_missing_table_stops_nothing_and_loses_nothing(pair: Pair, logged: Logged) -> None:
    """What waits in memory is written when the table is back."""
    cpo, _ = pair
    with without_table():
        assert push(cpo, a_location(CPA, 1)).http_status == 201
        assert not writer.flush()
    assert [row.object_key for row in logged()] == ["L1"]


def test_a_locked_table_stops_nothing(pair: Pair, logged: Logged) -> None:
    """The writer gives up soon and tries again; requests do not notice."""
    cpo, _ = pair
    with transaction.atomic():
        _sql("LOCK TABLE hub_exchange IN ACCESS EXCLUSIVE MODE")
        answer = push(cpo, a_location(CPA, 1))
        assert (answer.http_status, answer.elapsed < 1) == (201, True)
        assert not writer.flush()
    assert [row.object_key for row in logged()] == ["L1"]


def test_a_full_buffer_drops_and_counts(
    pair: Pair,
    logged: Logged,
    settings: LazySettings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Traffic goes on; the gap is in the hub's own log, in the message log, and in no figure."""
    logged()
    settings.HUB_MESSAGE_LOG_BUFFER_BYTES = 10
    assert push(pair[0], a_location(CPA, 1)).http_status == 201
    writer.close()
    [row] = Exchange.objects.all()
    assert (row.route, row.module, row.platform, row.path) == ("gap", "", "", "")
    assert row.status_message == "the message log has a gap: 1 exchanges did not fit"
    assert not Traffic.objects.exists()
    assert not Failure.objects.exists()
    assert "has a gap: 1 exchanges did not fit" in caplog.text


def test_the_buffer_is_bounded_by_memory() -> None:
    """Large bodies count for more than small ones; room that is given back is used again."""
    buffer = Buffer()
    for _ in range(10):
        buffer.put(an_entry(b"x" * 4_000), max_bytes=30_000)
    assert len(buffer) == 3
    assert buffer.take_dropped() == 7
    assert buffer.take_dropped() == 0
    buffer.remove(len(buffer.first(1)))
    buffer.put(an_entry(), max_bytes=30_000)
    assert len(buffer) == 3


def test_a_row_the_database_cannot_hold_is_written_without_its_texts(logged: Logged) -> None:
    """The others of its batch are written as they are."""
    writer.put(an_entry())
    writer.put(an_entry(at=-1e20))
    writer.put(replace(an_entry(), http_status=2**40))
    writer.put(an_entry(b'{"a": "\\u0000\x00"}'))
    assert [row.path == rows.NOT_MASKED for row in logged()].count(True) == 2
    assert Exchange.objects.count() == 4


def test_beside_such_a_row_nothing_is_lost_from_the_figures(logged: Logged) -> None:
    """What is only counted is counted, each of the batch once."""
    writer.put(an_entry())
    writer.put(replace(an_entry(), http_status=2**40))
    for _ in range(3):
        writer.put(replace(an_entry(), is_written=False))
    assert len(logged()) == 2
    assert sum(Traffic.objects.values_list("number", flat=True)) == 5
    writer.put(an_entry())
    assert len(logged()) == 3


def test_what_nobody_took_in_the_end_is_reported(
    logged: Logged, caplog: pytest.LogCaptureFixture
) -> None:
    """A process that ends while the log's database is away says how much is missing, once."""
    logged()
    with without_table():
        writer.put(an_entry())
        writer.close()
    assert "has a gap: 1 exchanges came too late" in caplog.text
    assert logged() == []


def test_nobody_has_to_ask_for_it(pair: Pair, logged: Logged) -> None:
    """The thread writes by itself, and ends when the process does, having written all."""
    push(pair[0], a_location(CPA, 1))
    [thread] = [each for each in threading.enumerate() if each.name == "message-log"]
    assert not thread.daemon
    writer.close()
    assert Exchange.objects.count() == 1
    assert not thread.is_alive()


def test_no_log_is_kept_when_it_is_off(pair: Pair, logged: Logged, settings: LazySettings) -> None:
    """0 days mean no log at all."""
    settings.HUB_MESSAGE_LOG_DAYS = 0
    push(pair[0], a_location(CPA, 1))
    assert logged() == []
