"""What follows the feed of Locations: exact after any writes, and shown with its age."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from hub import store
from hub.delivery import feed_retention
from hub.models import Evse, EvseChange, EvseStatus, Follower, Location, Spot, Unfed
from hub.statistics import dashboard, follower
from tests.cast import CPA, a_location
from tests.hub.concurrency import at_once
from tests.hub.statistics import followed
from tests.hub.store import stored_locations
from tests.hub.store.write_requests import location_write
from tests.thoroughness import generated

pytestmark = pytest.mark.django_db(transaction=True)
migration: Any = import_module("hub.migrations.0029_followers")
STATUSES = ("AVAILABLE", "CHARGING", "OUTOFORDER", "RESERVED", "UNKNOWN")
WRITES = 40
Statuses = dict[int, str]
"""By the id of an EVSE."""


class RandomWrites:
    """Writes of a few Locations and their EVSEs, and what each of them left."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.seconds = 0
        self.left: list[Statuses] = []

    def write(self) -> None:
        """Do one of them, and note which EVSE has which status since."""
        kinds = (self.whole, self.evse, self.status, self.connector, self.some, self.own_copy)
        self.chance.choice(kinds)()
        self.left.append(present())

    def body(self) -> dict[str, Any]:
        """Return a Location with all its EVSEs."""
        self.seconds += 1
        minutes, seconds = divmod(self.seconds, 60)
        stamp = f"2026-12-01T10:{minutes:02}:{seconds:02}Z"
        body = a_location(CPA, self.chance.randint(1, 3), evses=3, last_updated=stamp)
        for evse in body["evses"]:
            evse |= {"status": self.chance.choice(STATUSES), "last_updated": stamp}
        return body

    def whole(self) -> None:
        """PUT a Location with some of its EVSEs, mostly one that is published."""
        body = self.some_of_its_evses()
        stored_locations.send("PUT", body, body["id"])

    def own_copy(self) -> None:
        """Store what the owner pushed to one party alone."""
        body = self.some_of_its_evses()
        request = location_write("PUT", body["id"], body=body)
        store.apply(replace(request, audience="DE-MSA", is_fed=False))

    def some_of_its_evses(self) -> dict[str, Any]:
        """Return a Location that lacks some of its EVSEs."""
        body = self.body()
        evses = [evse for evse in body["evses"] if self.chance.random() < 0.7]
        return {**body, "evses": evses, "publish": self.chance.random() < 0.8}

    def stored(self) -> dict[str, Any]:
        """Return one that the hub has with all of its EVSEs."""
        body = self.body()
        stored_locations.send("PUT", body, body["id"])
        self.left.append(present())
        return body

    def evse(self) -> None:
        """PUT an EVSE."""
        body = self.stored()
        evse = self.chance.choice(body["evses"]) | {"status": self.chance.choice(STATUSES)}
        stored_locations.send("PUT", evse, body["id"], evse["uid"])

    def status(self) -> None:
        """PATCH the status of an EVSE, in lower case of its uid, or something else of it."""
        body = self.stored()
        uid, stamp = body["evses"][1]["uid"], body["last_updated"]
        value = self.chance.choice(({"status": self.chance.choice(STATUSES)}, {"floor_level": "2"}))
        stored_locations.send("PATCH", {**value, "last_updated": stamp}, body["id"], uid.lower())

    def connector(self) -> None:
        """PATCH a Connector with a member that is called as that of its EVSE."""
        body = self.stored()
        evse = body["evses"][0]
        ids = (body["id"], evse["uid"], evse["connectors"][0]["id"])
        value = {"status": "OUTOFORDER", "last_updated": body["last_updated"]}
        stored_locations.send("PATCH", value, *ids)

    def some(self) -> None:
        """PATCH a Location, with one of its EVSEs in the PATCH."""
        body = self.stored()
        uid, stamp = body["evses"][2]["uid"], body["last_updated"]
        evse = {"uid": uid, "status": self.chance.choice(STATUSES), "last_updated": stamp}
        stored_locations.send("PATCH", {"evses": [evse], "last_updated": stamp}, body["id"])


def present() -> Statuses:
    """Return the status of each EVSE; an empty one if its Location does not have it."""
    there = Evse.objects.filter(generation=F("object__generation"))
    return dict.fromkeys(Evse.objects.values_list("pk", flat=True), "") | dict(
        there.values_list("pk", "status")
    )


def known() -> Statuses:
    """Return the statuses that were followed; of those that were never there none is known."""
    statuses = dict.fromkeys(Evse.objects.values_list("pk", flat=True), "")
    return statuses | dict(EvseStatus.objects.values_list("pk", "status"))


def counted_by_hand() -> dict[int, Counter[str]]:
    """Count the statuses of each published Location that is for everybody."""
    shown = Location.objects.filter(publish=True, audience="")
    found: dict[int, Counter[str]] = {pk: Counter() for pk in shown.values_list("pk", flat=True)}
    there: Any = Evse.objects.filter(generation=F("object__generation"), object__in=list(found))
    for location, status in there.values_list("object", "status"):
        found[location][status.lower()] += 1
    return found


def counted() -> dict[int, Counter[str]]:
    """Return the same as it was followed."""
    return {each.pk: statuses_at(each) for each in Spot.objects.all()}


def statuses_at(spot: Spot) -> Counter[str]:
    """Return how many EVSEs of a spot have which status, if any have it."""
    return +Counter({name: getattr(spot, name) for name in map(str.lower, STATUSES)})


def past() -> dict[int, list[tuple[str, str]]]:
    """Return the changes of each EVSE as they were followed."""
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for row in EvseChange.objects.order_by("minute"):
        found[row.evse_id].append((row.before, row.status))
    return found


def assert_past_is_that_of(writes: RandomWrites) -> None:
    """It leads from nothing to what is, without a gap, through nothing that never was."""
    had: dict[int, set[str]] = defaultdict(lambda: {""})
    for statuses in writes.left:
        for evse, status in statuses.items():
            had[evse].add(status)
    for evse, changes in past().items():
        assert [before for before, _ in changes] == ["", *[after for _, after in changes[:-1]]]
        assert changes[-1][1] == present()[evse]
        assert {after for _, after in changes} <= had[evse]


@pytest.mark.parametrize("seed", range(generated(3, long=40)))
def test_figures_are_what_counting_everything_says(seed: int) -> None:
    """After any writes, whenever they were followed, and once more after a recount."""
    writes = RandomWrites(seed)
    for _ in range(WRITES):
        writes.write()
        if writes.chance.random() < 0.2:
            followed.catch_up()
    followed.catch_up()

    assert counted() == counted_by_hand()
    assert known() == present()
    assert_past_is_that_of(writes)
    before = past()
    follower.recount()
    followed.catch_up()
    assert (counted(), known(), past()) == (counted_by_hand(), present(), before)
    assert not Unfed.objects.exists()


def test_nothing_of_the_past_is_lost_by_following_late() -> None:
    """An EVSE that changed in three minutes has three changes, though one batch brings them."""
    statuses = ("AVAILABLE", "CHARGING", "OUTOFORDER")
    for number, status in enumerate(statuses):
        stored_locations.put(1, (status,), last_updated=f"2026-12-01T10:0{number}:00Z")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE hub_change SET created_at = now() - interval '1 minute' * (10 - revision)"
        )

    followed.catch_up()

    assert list(past().values()) == [
        [("", "AVAILABLE"), ("AVAILABLE", "CHARGING"), ("CHARGING", "OUTOFORDER")]
    ]


def test_a_follower_that_dies_loses_nothing_and_doubles_nothing() -> None:
    """Its batch and the position it leads to are one transaction."""

    class Died(Exception):
        pass

    stored_locations.put(1, ("AVAILABLE",))
    followed.put(1, ("CHARGING",), last_updated="2026-12-01T10:00:00Z")
    stored_locations.put(1, ("RESERVED",), last_updated="2026-12-01T10:01:00Z")
    before = past(), counted(), follower.state()

    def die() -> None:
        with transaction.atomic():
            followed.catch_up()
            assert known() == present()
            raise Died

    with pytest.raises(Died):
        die()
    assert (past(), counted()) == before[:2]
    followed.catch_up()

    assert (counted(), known()) == (counted_by_hand(), present())
    assert [each[-1][1] for each in past().values()] == ["RESERVED"]


def test_followers_at_the_same_time_are_as_good_as_one() -> None:
    """Who finds that another moved on writes nothing."""
    for number in range(1, 20):
        stored_locations.put(number, ("AVAILABLE", "CHARGING"))

    at_once([followed.catch_up] * 4)

    assert (counted(), known()) == (counted_by_hand(), present())
    assert EvseChange.objects.count() == 38


def test_what_is_deleted_is_deleted_from_all_that_follows_it() -> None:
    """Also by who knows of none of it; and the follower does not bring it back."""
    followed.put(1)
    stored_locations.put(1, ("RESERVED",), last_updated="2026-12-01T10:00:00Z")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM hub_evse; DELETE FROM hub_location")

    followed.catch_up()

    assert not any(model.objects.exists() for model in (Spot, EvseStatus, EvseChange))


def test_a_recount_mends_what_is_wrong_and_waits_for_nobody() -> None:
    """It is one more thing that the follower does."""
    followed.put(1)
    followed.put(2)
    Spot.objects.update(available=7)
    EvseStatus.objects.all().delete()
    call_command("recount", stdout=StringIO())
    assert follower.state() is not None
    stored_locations.put(1, ("OUTOFORDER",), last_updated="2026-12-01T10:00:00Z")

    followed.catch_up()

    assert (counted(), known()) == (counted_by_hand(), present())
    state = follower.state()
    assert state is not None
    assert state.recounted_to is None


def test_the_migration_takes_over_from_triggers_and_gives_back() -> None:
    """What either of them counted is the other's beginning; nothing is noted twice."""
    followed.put(1, ("AVAILABLE", "CHARGING"))
    with connection.cursor() as cursor:
        cursor.execute(migration.GIVE_BACK)
        stored_locations.put(1, ("RESERVED",), last_updated="2026-12-01T10:00:00Z")
        stored_locations.put(2, ("AVAILABLE",))
        by_triggers = counted(), past()
        assert by_triggers[0] == counted_by_hand()
        cursor.execute("DELETE FROM hub_evsestatus; DELETE FROM hub_follower")
        cursor.execute(migration.TAKE_OVER)
    followed.catch_up()
    assert (counted(), past()) == by_triggers
    stored_locations.put(2, ("OUTOFORDER",), last_updated="2026-12-01T10:01:00Z")
    assert (counted(), past()) == by_triggers
    followed.catch_up()
    assert (counted(), known()) == (counted_by_hand(), present())


def test_a_feed_of_another_cluster_has_its_figures_counted_anew() -> None:
    """After a restore positions have numbers that this cluster gives out in a long time."""
    followed.put(1)
    Follower.objects.update(transaction=2**40)
    stored_locations.put(1, ("OUTOFORDER",), last_updated="2026-12-01T10:00:00Z")

    with transaction.atomic():
        feed_retention.adopt_restored_feed()
    followed.catch_up()

    assert (counted(), known()) == (counted_by_hand(), present())


@pytest.mark.parametrize(
    "page",
    [
        lambda: reverse("admin:index"),
        lambda: reverse("admin:hub_location_map"),
        lambda: reverse("admin:hub_location_changelist"),
        lambda: reverse("admin:hub_evse_changelist"),
        lambda: reverse("admin:hub_evse_change", args=[Evse.objects.latest("pk").pk]),
    ],
)
def test_every_page_that_shows_them_says_how_old_they_are(
    page: Callable[[], str], admin_client: Client
) -> None:
    """And whether they are being counted anew."""
    followed.put(1)
    Follower.objects.update(as_of=timezone.now() - timedelta(minutes=7))
    assert "as of 7 min ago" in admin_client.get(page()).content.decode().lower()
    follower.recount()
    assert "being counted anew" in admin_client.get(page()).content.decode()


def test_commands_say_as_of_when() -> None:
    """In words and in JSON."""
    followed.put(1)
    out = StringIO()
    call_command("status", stdout=out)
    assert f"(as of {follower.as_of()})" in out.getvalue()
    assert dashboard.evses()["AVAILABLE"] == 1
