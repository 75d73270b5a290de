"""Migrations of what is kept of Locations, beside a hub that goes on writing them."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from hub.models import Evse, Location, Spot
from tests.hub.concurrency import start
from tests.hub.store.stored_locations import put

pytestmark = pytest.mark.django_db(transaction=True)
leaving: Any = import_module("hub.migrations.0011_evses_that_left")
filling: Any = import_module("hub.migrations.0012_fill_figures")
dashboard: Any = import_module("hub.migrations.0008_dashboard")
WAITING = """SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE NOT l.granted AND a.datname = current_database()"""
GIVES_WAY = """
CREATE SEQUENCE gave_way;
CREATE FUNCTION give_way() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF nextval('gave_way') <= {times} THEN
    RAISE 'deadlock detected' USING ERRCODE = 'deadlock_detected';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER gives_way BEFORE UPDATE ON hub_location FOR EACH ROW EXECUTE FUNCTION give_way();
"""


def execute(sql: str, values: dict[str, int] | None = None) -> None:
    """Run some SQL, in a transaction of its own where there is none."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def wait_for_who_waits() -> None:
    """Return when somebody waits for a lock."""
    end = time.monotonic() + 20
    with connection.cursor() as cursor:
        while time.monotonic() < end:
            cursor.execute(WAITING)
            if cursor.fetchone()[0]:
                return
            time.sleep(0.02)
    raise AssertionError("nobody waits for a lock")


@pytest.fixture(autouse=True)
def _triggers() -> Iterator[None]:
    """The triggers that kept the figures when these migrations came."""
    execute(dashboard.KEPT + leaving.LEAVING)
    yield
    execute(leaving.GONE + dashboard.GONE)


@pytest.fixture
def gives_way() -> Iterator[None]:
    """End what the database has in these tests alone."""
    yield
    execute(
        "DROP TRIGGER gives_way ON hub_location; DROP FUNCTION give_way; DROP SEQUENCE gave_way"
    )


def test_an_evse_that_comes_back_meanwhile_is_there() -> None:
    """It had left when the migration read its Location, and is put again while that waits."""
    put(1)
    back = Evse.objects.order_by("pk")[1]
    Evse.objects.filter(pk=back.pk).update(generation=-1)
    whole = {"after": 0, "upto": Location.objects.get().seq}

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            put(1, name="Another name")
            left = start(pool, lambda: execute(filling.LEFT, whole))
            wait_for_who_waits()
        left.result()

    back.refresh_from_db()
    assert back.generation == Location.objects.get().generation == 2


def test_writers_of_locations_do_not_wait_for_whom_they_keep_waiting() -> None:
    """Who has locked Locations comes to the EVSEs while the triggers are about to change."""
    execute(leaving.GONE)

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            execute("LOCK TABLE hub_location IN ROW EXCLUSIVE MODE")
            migration = start(pool, lambda: execute(leaving.LEAVING))
            wait_for_who_waits()
            execute("SET LOCAL lock_timeout = '5s'")
            execute("LOCK TABLE hub_evse IN ROW EXCLUSIVE MODE")
        migration.result()


@pytest.mark.usefixtures("gives_way")
def test_who_has_to_give_way_begins_again() -> None:
    """A deadlock with a writer ends no migration."""
    put(1)
    Spot.objects.all().delete()
    execute(GIVES_WAY.format(times=filling.TRIES - 1))

    filling.fill(None, connection.schema_editor())

    assert Spot.objects.exists()


@pytest.mark.usefixtures("gives_way")
def test_what_does_not_end_is_told() -> None:
    """Tries are bounded."""
    put(1)
    Spot.objects.all().delete()
    execute(GIVES_WAY.format(times=1_000))

    with pytest.raises(OperationalError, match="deadlock"):
        filling.fill(None, connection.schema_editor())
