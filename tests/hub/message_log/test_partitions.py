"""A partition for each day: there before it is needed, gone when it is old."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone

from hub.message_log import partitions
from hub.models import Exchange
from hub.tasks import housekeeping

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _as_before(settings: LazySettings) -> Iterator[None]:
    """Drop what a test made."""
    settings.HUB_MESSAGE_LOG_DAYS = 14
    yield
    with connection.cursor() as cursor:
        for name in set(partitions.names()) - {"hub_exchange_default"}:
            cursor.execute(f"DROP TABLE {name}")


def an_exchange(at: datetime) -> Exchange:
    """Write one that began then."""
    return Exchange.objects.create(at=at, direction="in", milliseconds=1, correlation_id="c")


def place_of(row: Exchange) -> str:
    """Return the partition a row is in."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM hub_exchange WHERE id = %s", [row.pk])
        [name] = cursor.fetchone() or [""]
    return str(name)


def named(day: datetime) -> str:
    """Return the name of a day's partition."""
    return f"hub_exchange_{day:%Y%m%d}"


def test_days_get_their_partitions_ahead() -> None:
    """Today's and those of the next days, once."""
    housekeeping.keep_message_log()
    today = timezone.now()
    days = [named(today + timedelta(days=number)) for number in range(4)]
    assert partitions.names() == [*days, "hub_exchange_default"]
    assert partitions.maintain_partitions() == ([], [])
    assert place_of(an_exchange(today)) == days[0]


def test_what_came_without_a_partition_moves_into_it() -> None:
    """Nothing is lost when beat was not there, however many days."""
    today, long_ahead = timezone.now(), timezone.now() + timedelta(days=30)
    days = [today, today - timedelta(days=1), today - timedelta(days=13)]
    found = [an_exchange(day) for day in days]
    other = an_exchange(long_ahead)
    assert {place_of(row) for row in found} == {"hub_exchange_default"}
    partitions.maintain_partitions()
    assert [place_of(row) for row in found] == [named(day) for day in days]
    assert place_of(other) == "hub_exchange_default"
    assert Exchange.objects.filter(correlation_id="c").count() == 4


def test_old_days_go(settings: LazySettings) -> None:
    """After the retention a day's partition is dropped, and what the default one has of it."""
    partitions.maintain_partitions()
    old = datetime(2026, 1, 2, 12, tzinfo=UTC)
    partitions._add(old.date())
    an_exchange(old)
    an_exchange(old - timedelta(days=5))
    kept = an_exchange(timezone.now() - timedelta(days=13))
    made, dropped = partitions.maintain_partitions()
    assert (made, dropped) == ([named(kept.at)], ["hub_exchange_20260102"])
    assert [row.pk for row in Exchange.objects.all()] == [kept.pk]


@pytest.mark.parametrize("name", ["archive_exchange_2025", "hub_exchange_2025"])
def test_what_an_operator_attached_stays(name: str) -> None:
    """Only what is named as the hub names a day's partition is dropped."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE {name} PARTITION OF hub_exchange"
            " FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')"
        )
    assert partitions.maintain_partitions()[1] == []
    assert name in partitions.names()


def test_a_partition_of_an_operator_stands_for_the_days_it_covers() -> None:
    """It is no reason to make none for the other days."""
    day = timezone.now() + timedelta(days=2)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE mine PARTITION OF hub_exchange FOR VALUES FROM (%s) TO (%s)",
            [f"{day:%Y-%m-%d} 00:00Z", f"{day + timedelta(days=1):%Y-%m-%d} 12:00Z"],
        )

    left = an_exchange(day.replace(hour=0) + timedelta(days=1, hours=20))

    for _ in range(2):
        assert place_of(left) == "hub_exchange_default"
        partitions.maintain_partitions()

    days = [named(timezone.now() + timedelta(days=number)) for number in range(2)]
    assert partitions.names() == [*days, "hub_exchange_default", "mine"]


def test_the_indexes_are_on_every_partition() -> None:
    """A list of millions is read by an index, whichever day it is about."""
    partitions.maintain_partitions()
    sql = "SELECT count(*) FROM pg_indexes WHERE tablename = %s"
    with connection.cursor() as cursor:
        cursor.execute(sql, [named(timezone.now())])
        [[number]] = cursor.fetchall()
    assert number == 1 + len(Exchange._meta.indexes)
