"""The figures of the log: added with its rows, once, and few whatever a peer sends."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.conf import LazySettings
from django.db import connection
from django.db.models import Sum

from hub.message_log import counters
from hub.message_log.entry import Entry, LoggedBody
from hub.message_log.sql import LogRow
from hub.message_log.writer import LogWriter
from hub.models import Exchange, Failure, Traffic
from tests.factories import PartyFactory

AT = datetime(2026, 11, 21, 12, 34, 56, tzinfo=UTC)


def a_row(**values: Any) -> LogRow:
    """Return a row of the log."""
    usual: dict[str, Any] = {
        "at": AT,
        "direction": "in",
        "sender": "NL-CPA",
        "receiver": "DE-MSA",
        "module": "locations",
        "http_status": 200,
        "status_code": 1000,
        "milliseconds": 10.0,
    }
    return LogRow(**{**usual, **values})


def test_messages_are_counted_by_minute_module_and_direction() -> None:
    """With those that failed, and how long all of them took."""
    made = [a_row(), a_row(milliseconds=5.0), a_row(direction="out", status_code=2001)]
    made.append(a_row(at=AT + timedelta(seconds=10)))
    minute = datetime(2026, 11, 21, 12, 34, tzinfo=UTC)
    assert counters.traffic(made) == {
        (minute, "locations", "in"): [2, 0, 15.0],
        (minute, "locations", "out"): [1, 1, 10.0],
        (minute + timedelta(minutes=1), "locations", "in"): [1, 0, 10.0],
    }


@pytest.mark.parametrize(
    "values, party, code",
    [
        ({"status_code": 2001}, "NL-CPA", 2001),
        ({"status_code": 2001, "direction": "out"}, "DE-MSA", 2001),
        ({"status_code": 2001, "sender": "XX-XXX"}, "", 2001),
        ({"status_code": 2987}, "NL-CPA", 2900),
        ({"status_code": 77, "http_status": 502}, "NL-CPA", 502),
        ({"status_code": None, "http_status": 404}, "NL-CPA", 404),
        ({"status_code": None, "http_status": None}, "NL-CPA", 0),
        ({"status_code": None, "http_status": 99_999}, "NL-CPA", 0),
    ],
)
def test_a_failure_is_somebodys_and_has_one_of_few_codes(
    values: dict[str, Any], party: str, code: int
) -> None:
    """Who asked in vain or was asked in vain, if the hub knows it; no peer invents columns."""
    hour = datetime(2026, 11, 21, 12, tzinfo=UTC)
    found = counters.failures([a_row(**values), a_row()], {"NL-CPA", "DE-MSA"})
    assert found == {(hour, party, "locations", code): 1}


@pytest.mark.security("S-19")
def test_the_429_of_a_receiver_is_not_its_senders() -> None:
    """Who keeps within its rate has every row, and is not counted as throttled."""
    relayed = replace(an_entry(1), platform="P1", http_status=429, was_sent=True)
    assert not relayed.is_rationed
    assert replace(relayed, was_sent=False).is_rationed
    rows = [a_row(http_status=429, platform="P1", route=route) for route in ("direct", "refused")]
    assert sum(counters.throttled(rows).values()) == 1


def an_entry(number: int) -> Entry:
    """Return an exchange that was answered with an error."""
    return Entry(
        is_inbound=True,
        at=time.time(),
        seconds=0.01,
        method="PUT",
        url=f"/ocpi/2.2.1/receiver/locations/NL/CPA/L{number}",
        headers={"OCPI-from-country-code": "NL", "OCPI-from-party-id": "CPA"},
        request=LoggedBody.of(b"{}", 100),
        response=LoggedBody.of(b'{"status_code":2001}', 100),
        http_status=200,
    )


@pytest.fixture
def writer(transactional_db: None, settings: LazySettings) -> Iterator[LogWriter]:
    """A writer whose thread does not run: a test writes when it wants to."""
    settings.HUB_MESSAGE_LOG_DAYS = 14
    PartyFactory.create(country_code="NL", party_id="CPA")
    made = LogWriter()
    yield made
    made._disconnect()


def put(writer: LogWriter, number: int) -> None:
    """Have something to write."""
    for each in range(number):
        writer._buffer.put(an_entry(each), max_bytes=10_000_000)


def counted() -> tuple[int, int, int]:
    """Return how many are in the log, in its traffic and in its failures."""
    sums = (
        Traffic.objects.aggregate(sum=Sum("number")),
        Failure.objects.filter(party="NL-CPA", code=2001).aggregate(sum=Sum("number")),
    )
    return Exchange.objects.count(), *(each["sum"] or 0 for each in sums)  # type: ignore[return-value]


def test_the_figures_are_written_with_the_log(writer: LogWriter) -> None:
    """Batch after batch they say what the log says."""
    for number in (3, 2):
        put(writer, number)
        assert writer.flush()
    assert counted() == (5, 5, 5)
    assert Failure.objects.count() == 1


def test_what_is_not_logged_is_not_counted(writer: LogWriter) -> None:
    """A batch whose figures cannot be written leaves no rows either, and comes again."""
    put(writer, 3)
    with broken("hub_failure"):
        assert not writer.flush()
        assert not Exchange.objects.exists()
    assert writer.flush()
    assert counted() == (3, 3, 3)


@contextmanager
def broken(table: str) -> Iterator[None]:
    """Take a table away for a while."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO away")
        try:
            yield
        finally:
            cursor.execute(f"ALTER TABLE away RENAME TO {table}")


def test_a_batch_that_was_committed_unheard_of_is_not_written_again(
    writer: LogWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection ends between the commit and its answer: the database is asked what became."""
    put(writer, 3)
    end = psycopg.Transaction.__exit__

    def ending(self: psycopg.Transaction, *raised: Any) -> Any:
        end(self, *raised)
        self.connection.close()
        raise psycopg.OperationalError("the connection is gone")

    with monkeypatch.context() as patched:
        patched.setattr(psycopg.Transaction, "__exit__", ending)
        assert not writer.flush()
    put(writer, 1)
    assert writer.flush()
    assert counted() == (4, 4, 4)
