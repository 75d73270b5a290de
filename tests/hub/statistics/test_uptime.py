"""How EVSEs were: a row when a status changes, spans and uptime from them, a page that shows it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from console import evses
from hub.models import Evse, EvseChange, Location
from hub.statistics import uptime
from hub.statistics.evse_statuses import Known, Said, follow
from hub.statistics.uptime import Span, spans
from tests.cast import CPA, a_location
from tests.hub.statistics.followed import put, send

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
END = datetime(2026, 11, 11, tzinfo=UTC)


def day(number: float) -> datetime:
    """Return a moment so many days after the beginning."""
    return BEGIN + timedelta(days=number)


def spans_of(*changes: tuple[float, str, str], present: str = "AVAILABLE") -> list[Span]:
    """Return the spans of ten days with these changes."""
    return spans([(day(at), *more) for at, *more in changes], present=present, begin=BEGIN, end=END)  # type: ignore[misc]


def test_without_a_change_it_was_as_it_is() -> None:
    """All the time."""
    assert spans_of() == [Span(BEGIN, END, "AVAILABLE")]


def test_before_the_first_change_it_was_what_it_changed_from() -> None:
    """And after the last what it changed to."""
    found = spans_of((4, "AVAILABLE", "OUTOFORDER"), (5, "OUTOFORDER", "AVAILABLE"))
    assert [(each.status, each.length.days) for each in found] == [
        ("AVAILABLE", 4),
        ("OUTOFORDER", 1),
        ("AVAILABLE", 5),
    ]


@pytest.mark.parametrize(
    "changes, share",
    [
        ([], 1.0),
        ([(4, "AVAILABLE", "OUTOFORDER"), (5, "OUTOFORDER", "CHARGING")], 0.9),
        ([(5, "INOPERATIVE", "BLOCKED")], 0.5),
        ([(5, "", "AVAILABLE")], 1.0),
        ([(5, "", "AVAILABLE"), (9, "AVAILABLE", "OUTOFORDER")], 0.8),
        ([(2, "UNKNOWN", "AVAILABLE"), (6, "AVAILABLE", "INOPERATIVE")], 0.5),
        ([(0, "", "PLANNED")], None),
    ],
)
def test_uptime_is_the_share_of_known_time_in_which_it_was_not_down(
    changes: list[tuple[float, str, str]], share: float | None
) -> None:
    """Down is INOPERATIVE and OUTOFORDER; what nobody knows does not count."""
    assert uptime.uptime_share(spans_of(*changes)) == (
        share if share is None else pytest.approx(share)
    )


def test_an_hour_is_as_bad_as_the_worst_of_it() -> None:
    """A minute out of order is seen."""
    begin = END - timedelta(days=30)
    at = begin + timedelta(hours=2, minutes=5)
    known = [
        Span(begin, at, "AVAILABLE"),
        Span(at, at + timedelta(minutes=1), "OUTOFORDER"),
        Span(at + timedelta(minutes=1), END, "CHARGING"),
    ]
    assert list(evses._hours(known))[:5] == ["good", "good", "bad", "busy", "busy"]
    assert len(list(evses._hours(known))) == 720


def become(status: str, *, minutes_ago: float = 0) -> None:
    """Let the one EVSE have a status, and let that be some time ago."""
    location, evse = Location.objects.get(), Evse.objects.get()
    stamp = f"2026-11-21T10:{EvseChange.objects.count():02}:00Z"
    send("PATCH", {"status": status, "last_updated": stamp}, location.object_id, evse.uid)
    let_be(minutes_ago)


def at_second() -> str:
    """Return a later moment for each change."""
    return f"2026-11-21T11:00:{EvseChange.objects.count():02}Z"


def let_be(minutes_ago: float) -> None:
    """Let the newest change be some time ago."""
    at = timezone.now() - timedelta(minutes=minutes_ago)
    newest = EvseChange.objects.order_by("-minute").first()
    assert newest is not None
    EvseChange.objects.filter(pk=newest.pk).update(minute=at, at=at)


@pytest.fixture
def one(transactional_db: None) -> Evse:
    """A Location with one EVSE that came an hour ago."""
    body = a_location(CPA, 1, evses=1)
    body["evses"][0]["status"] = "AVAILABLE"
    send("PUT", body, body["id"])
    past = timezone.now() - timedelta(hours=1)
    EvseChange.objects.update(minute=past, at=past)
    return Evse.objects.get()


def changes() -> list[tuple[str, str]]:
    """Return from what to what, in order."""
    return list(EvseChange.objects.order_by("minute").values_list("before", "status"))


def test_a_change_of_status_is_written_down(one: Evse) -> None:
    """When the EVSE is new and when its status changes, not when something else does."""
    become("CHARGING", minutes_ago=30)
    become("CHARGING", minutes_ago=20)
    become("AVAILABLE", minutes_ago=10)
    assert changes() == [("", "AVAILABLE"), ("AVAILABLE", "CHARGING"), ("CHARGING", "AVAILABLE")]


def test_many_changes_in_a_minute_are_one(one: Evse) -> None:
    """From what it was before to what it was then: an EVSE writes a row a minute at most."""
    location = Location.objects.get()
    for number, status in enumerate(("CHARGING", "BLOCKED", "RESERVED")):
        stamp = f"2026-11-21T10:00:{number:02}Z"
        send("PATCH", {"status": status, "last_updated": stamp}, location.object_id, one.uid)
    assert len(changes()) <= 3
    assert changes()[1][0] == "AVAILABLE"
    assert changes()[-1][1] == "RESERVED"


def test_the_time_in_which_it_was_not_there_does_not_count(one: Evse) -> None:
    """A full PUT leaves it out, another one or one of its own brings it back as it was."""
    location = Location.objects.get()
    body = a_location(CPA, 1, evses=1)
    body["evses"][0]["status"] = "AVAILABLE"
    for minutes_ago, back in ((40, "whole"), (20, "alone")):
        send("PUT", {**body, "evses": [], "last_updated": at_second()}, location.object_id)
        let_be(minutes_ago)
        if back == "whole":
            send("PUT", {**body, "last_updated": at_second()}, location.object_id)
        else:
            send("PUT", body["evses"][0], location.object_id, one.uid)
        let_be(minutes_ago - 10)
    gone, there = ("AVAILABLE", ""), ("", "AVAILABLE")
    assert changes() == [there, gone, there, gone, there]
    away = [each for each in uptime.recent_spans(one) if not each.status][1:]
    assert [round(each.length.total_seconds() / 60) for each in away] == [10, 10]
    assert uptime.uptime_share(uptime.recent_spans(one)) == 1.0


def test_a_put_that_keeps_it_is_no_change(one: Evse) -> None:
    """However often its Location is replaced."""
    for number in range(3):
        put(1, ("AVAILABLE",), name=f"Name {number}")
    assert len(changes()) == 1


def test_changes_are_in_the_order_in_which_they_happened() -> None:
    """A transaction that began before another and waited for it does not change its past."""
    known = {"E1": Known("AVAILABLE", day(0))}
    first, late = Said({"E1": "CHARGING"}, day(2)), Said({"E1": "BLOCKED"}, day(1))

    changed = follow(known, [first, late])["E1"]

    assert [(each.at, each.before, each.status) for each in changed] == [
        (day(2), "AVAILABLE", "BLOCKED")
    ]
    assert known == {"E1": Known("BLOCKED", day(2))}


def test_its_page_shows_uptime_and_changes(one: Evse, admin_client: Client) -> None:
    """An hour since it came, half of it out of order: 50.5 %, and half a percent is 18 seconds."""
    become("OUTOFORDER", minutes_ago=29.7)
    text = admin_client.get(reverse("admin:hub_evse_change", args=[one.pk])).content.decode()
    assert "Uptime <strong>50" in text
    assert text.count("OUTOFORDER") >= 2
    listed = admin_client.get(reverse("admin:hub_evse_changelist"), {"status": "OUTOFORDER"})
    assert [row.pk for row in listed.context["cl"].result_list] == [one.pk]


def test_pages_cost_the_same_however_much_there_is(
    one: Evse, admin_client: Client, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    """Twenty queries at most, for a list of fifty as for one with many changes."""
    for number in range(2, 60):
        put(number)
    for minutes in range(1, 200):
        at = timezone.now() - timedelta(minutes=minutes)
        EvseChange.objects.create(evse=one, minute=at, at=at, before="x", status="AVAILABLE")
    pages = [reverse("admin:hub_evse_changelist"), reverse("admin:hub_location_changelist")]
    for page in (*pages, reverse("admin:hub_evse_change", args=[one.pk])):
        with django_assert_max_num_queries(20):
            assert admin_client.get(page).status_code == 200


def test_an_unpublished_one_has_no_page(one: Evse, admin_client: Client) -> None:
    """Nor one that a later text left out."""
    page = reverse("admin:hub_evse_change", args=[one.pk])
    Location.objects.update(publish=False)
    assert admin_client.get(page).status_code == 302
    Location.objects.update(publish=True, generation=5)
    assert admin_client.get(page).status_code == 302
