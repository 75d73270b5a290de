"""What was stored before figures were kept: filled in by a migration, as if it had come since."""

from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from hub.message_log import counters
from hub.models import Evse, EvseChange, Exchange, Failure, Location, Spot, Traffic
from hub.models.locations import SPOT_SIZE
from hub.statistics import uptime
from hub.statistics.map_clusters import Box, clusters
from tests.cast import CPA, a_location
from tests.factories import PartyFactory
from tests.hub.message_log.test_counters import a_row
from tests.hub.store.stored_locations import put, send

pytestmark = pytest.mark.django_db
filling: Any = import_module("hub.migrations.0012_fill_figures")
dashboard: Any = import_module("hub.migrations.0008_dashboard")
leaving: Any = import_module("hub.migrations.0011_evses_that_left")
WORLD = Box(0, 0, SPOT_SIZE - 1, SPOT_SIZE - 1, zoom=18)


@pytest.fixture(autouse=True)
def _triggers() -> None:
    """The triggers that kept the figures when that migration came."""
    with connection.cursor() as cursor:
        cursor.execute(dashboard.KEPT + leaving.LEAVING)


def before() -> None:
    """Take away what is kept: a hub whose rows were written before."""
    Spot.objects.all().delete()
    EvseChange.objects.all().delete()
    Location.objects.update(latitude=None, longitude=None)


def noted_since(moment: datetime) -> None:
    """Have the hub keep figures since then."""
    recorded = MigrationRecorder.Migration.objects.filter(app="hub", name="0008_dashboard")
    recorded.update(applied=moment)


def fill() -> None:
    """Run what the migration runs."""
    filling.fill(None, connection.schema_editor())


def test_locations_come_to_the_map(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where their text says, with their EVSEs, batch by batch; unpublished ones do not."""
    monkeypatch.setattr(filling, "BATCH", 2)
    for number in range(1, 6):
        place = {"latitude": f"-5{number}.12345", "longitude": f"4.{number}0000"}
        put(number, coordinates=place, name=f"Location {number}")
    put(6, publish=False)
    kept = list(Spot.objects.order_by("pk").values())
    places = list(Location.objects.order_by("pk").values_list("latitude", "longitude"))
    assert len(kept) == 5
    before()
    assert clusters(WORLD) == []

    fill()

    assert list(Spot.objects.order_by("pk").values()) == kept
    assert list(Location.objects.order_by("pk").values_list("latitude", "longitude")) == places


@pytest.mark.parametrize(
    "old, new", [('"latitude": "', '"latitude": "north'), ('"coordinates"', '"elsewhere"')]
)
def test_a_place_that_cannot_be_read_is_none(old: str, new: str) -> None:
    """What stands in a text of long ago stops no migration."""
    put(1)
    before()
    text = Location.objects.get().text
    assert old in text
    Location.objects.update(text=text.replace(old, new))
    fill()
    assert Spot.objects.get().x is None or Location.objects.get().latitude is None


def test_an_evse_is_known_since_changes_are_noted() -> None:
    """Before that nobody knows how it was; who has a history keeps it, again is as good as once."""
    put(1, ("AVAILABLE", "CHARGING"))
    noted_since(timezone.now() - timedelta(days=3))
    charging = Evse.objects.get(status="CHARGING")
    EvseChange.objects.exclude(evse=charging).delete()
    known = EvseChange.objects.get()

    fill()
    fill()

    assert EvseChange.objects.get(evse=charging) == known
    spans = uptime.recent_spans(Evse.objects.get(status="AVAILABLE"))
    days = [(each.status, round(each.length / timedelta(days=1))) for each in spans]
    assert days == [("", 27), ("AVAILABLE", 3)]


def test_an_evse_that_had_left_is_marked() -> None:
    """So that its return is noted; until then nothing of it counts."""
    body = a_location(CPA, 1, evses=2)
    send("PUT", body, body["id"])
    first, second = Evse.objects.order_by("pk")
    Evse.objects.filter(pk=second.pk).update(generation=-1)
    before()

    fill()

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.generation, second.generation) == (1, 0)
    assert uptime.uptime_share(uptime.recent_spans(second)) is None


def test_what_was_logged_before_is_counted_as_what_comes_since() -> None:
    """Of the last day; what is counted already is not counted twice."""
    PartyFactory.create(country_code="NL", party_id="CPA")
    noted_since(timezone.now())
    at = timezone.now() - timedelta(hours=2)
    codes = ((1000, 200), (2001, 200), (2987, 200), (None, 404), (None, None), (77, 502))
    given: list[dict[str, Any]] = [
        {"at": at, "status_code": code, "http_status": http, "sender": sender}
        for code, http in codes
        for sender in ("NL-CPA", "XX-XXX")
    ]
    shared = {"direction": "in", "module": "locations", "milliseconds": 10.0}
    Exchange.objects.bulk_create(Exchange(**shared, **values) for values in given)
    Exchange.objects.create(**shared, at=at - timedelta(days=1), status_code=1000)

    fill()
    fill()

    rows = [a_row(**values) for values in given]
    minutes = Traffic.objects.values_list("minute", "module", "direction")
    sums = Traffic.objects.values_list("number", "failed", "milliseconds")
    assert dict(zip(minutes, map(list, sums), strict=True)) == counters.traffic(rows)
    named = Failure.objects.values_list("hour", "party", "module", "code")
    numbers = Failure.objects.values_list("number", flat=True)
    assert dict(zip(named, numbers, strict=True)) == counters.failures(rows, {"NL-CPA"})
