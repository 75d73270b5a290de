"""When an element applies: what is included, what is excluded, and what the wall clock shows."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rating.times import WallClock, instant, written
from tests.rating.sessions import cdr, component, element, notes, period, rated, tariff, total

_REST = element(component("ENERGY", 1))


def _chosen(start: str, *, zone: str = "UTC", **restrictions: Any) -> bool:
    """Tell whether an element applies at an instant: to a period that begins and ends there."""
    asked = element(component("ENERGY", 100), **restrictions)
    session = cdr([tariff(asked, _REST)], period(start, ENERGY=1), end=start)
    return total(session, zone=zone) == "100.0000"


@pytest.mark.conformance("RT-21")
@pytest.mark.parametrize(
    "time, applies",
    [("16:59:59", False), ("17:00:00", True), ("19:59:58", True), ("20:00:00", False)],
)
def test_start_time_is_included_and_end_time_is_not(time: str, *, applies: bool) -> None:
    """To the second."""
    assert _chosen(f"2026-03-02 {time}", start_time="17:00", end_time="20:00") is applies


@pytest.mark.conformance("RT-21")
@pytest.mark.parametrize("time, applies", [("16:00", True), ("15:59", False), ("19:00", False)])
def test_times_are_local(time: str, *, applies: bool) -> None:
    """17:00 in Berlin is 16:00 UTC in winter."""
    window = {"start_time": "17:00", "end_time": "20:00"}
    assert _chosen(f"2026-03-02 {time}", zone="Europe/Berlin", **window) is applies


@pytest.mark.conformance("RT-21")
def test_one_time_alone_reaches_to_midnight() -> None:
    """A start without an end, and an end without a start; 00:00 as an end is midnight."""
    assert _chosen("2026-03-02 23:59", start_time="20:00")
    assert not _chosen("2026-03-02 19:59", start_time="20:00")
    assert _chosen("2026-03-02 00:00", end_time="04:00")
    assert not _chosen("2026-03-02 04:00", end_time="04:00")
    assert _chosen("2026-03-02 23:59", start_time="20:00", end_time="00:00")


@pytest.mark.conformance("RT-22")
@pytest.mark.parametrize(
    "time, applies", [("21:59", False), ("22:00", True), ("05:59", True), ("06:00", False)]
)
def test_an_end_before_its_start_is_over_midnight(time: str, *, applies: bool) -> None:
    """From 22:00 to 06:00."""
    assert _chosen(f"2026-03-02 {time}", start_time="22:00", end_time="06:00") is applies


@pytest.mark.conformance("RT-22")
@pytest.mark.parametrize("time", ["08:00", "00:00"])
def test_an_end_that_is_its_start_is_the_whole_day(time: str) -> None:
    """And needs no time zone to be told."""
    whole = element(component("ENERGY", 3), start_time=time, end_time=time)
    session = cdr([tariff(whole)], period("07:00", ENERGY=2), end="09:00")
    assert total(session, zone=None) == "6.0000"


@pytest.mark.conformance("RT-23")
def test_the_day_is_that_of_the_moment() -> None:
    """Not the one on which a window over midnight began, unless windows are read so."""
    window: dict[str, Any] = {
        "start_time": "22:00",
        "end_time": "06:00",
        "day_of_week": ["MONDAY"],
    }
    assert _chosen("2026-03-02 22:00", **window)
    assert _chosen("2026-03-02 05:00", **window)
    assert not _chosen("2026-03-03 05:00", **window)
    night = cdr(
        [tariff(element(component("ENERGY", 100), **window), _REST)],
        period("2026-03-03 05:00", ENERGY=1),
        end="2026-03-03 05:01",
    )
    assert total(night, wrap="window") == "100.0000"


@pytest.mark.conformance("RT-24")
@pytest.mark.parametrize(
    "time, applies",
    [
        ("2026-02-28 22:59", False),
        ("2026-02-28 23:00", True),
        ("2026-03-02 22:59", True),
        ("2026-03-02 23:00", False),
    ],
)
def test_start_date_is_included_and_end_date_is_not(time: str, *, applies: bool) -> None:
    """Both at local midnight."""
    dates = {"start_date": "2026-03-01", "end_date": "2026-03-03"}
    assert _chosen(time, zone="Europe/Berlin", **dates) is applies


_LIMITS = [
    ("kwh", "10", {}),
    ("duration", 3600, {}),
    ("power", 22, {"MIN_POWER": 22, "MAX_POWER": 22}),
    ("current", 16, {"MIN_CURRENT": 16, "MAX_CURRENT": 16}),
]


def _at_limit(volumes: dict[str, Any], **restrictions: Any) -> bool:
    """Tell whether an element applies to what comes after one hour and 10 kWh."""
    asked = element(component("ENERGY", 100), **restrictions)
    others: dict[str, Any] = dict.fromkeys(volumes, 1)
    before = period("08:00", ENERGY=10, **others)
    after = period("09:00", ENERGY=1, **volumes)
    found = rated(cdr([tariff(asked, _REST)], before, after, end="10:00"))
    return [line["element"] for line in found["lines"] if line["period"] == 1] == [0]


@pytest.mark.conformance("RT-25")
@pytest.mark.parametrize("what, limit, volumes", _LIMITS)
def test_a_minimum_is_included(what: str, limit: Any, volumes: dict[str, Any]) -> None:
    """Of energy, duration, power and current: at it, yes; a little below, no."""
    assert _at_limit(volumes, **{f"min_{what}": limit})
    assert not _at_limit(volumes, **{f"min_{what}": 1_000_000})


@pytest.mark.conformance("RT-26")
@pytest.mark.parametrize("what, limit, volumes", _LIMITS)
def test_a_maximum_is_excluded(what: str, limit: Any, volumes: dict[str, Any]) -> None:
    """Of energy, duration, power and current: at it, no; a little above, yes."""
    assert not _at_limit(volumes, **{f"max_{what}": limit})
    assert _at_limit(volumes, **{f"max_{what}": 1_000_000})


@pytest.mark.conformance("RT-27")
def test_durations_count_from_the_first_charging_period() -> None:
    """Elapsed seconds, whatever is priced; time reserved before is not part of them."""
    free = element(component("PARKING_TIME", 0), max_duration=7200)
    session = cdr(
        [tariff(free, element(component("PARKING_TIME", 6)))],
        period("06:00", RESERVATION_TIME=2),
        period("08:00", TIME=1.5),
        period("09:30", PARKING_TIME=1.5),
        end="11:00",
    )
    assert total(session) == "6.0000"


@pytest.mark.conformance("RT-27")
def test_durations_do_not_follow_the_wall_clock() -> None:
    """Two hours over the change to summer time are 7200 s."""
    free = element(component("ENERGY", 0), max_duration=7200)
    session = cdr(
        [tariff(free, element(component("ENERGY", 1)))],
        period("2026-03-29 00:00", ENERGY=3),
        end="2026-03-29 03:00",
    )
    assert total(session, zone="Europe/Berlin") == "1.0000"


@pytest.mark.conformance("RT-28")
def test_a_repeated_hour_is_met_twice() -> None:
    """From 02:00 to 03:00 is two hours long when summer time ends; that is noted."""
    session = cdr(
        [tariff(element(component("ENERGY", 100), start_time="02:00", end_time="03:00"), _REST)],
        period("2026-10-24 23:30", ENERGY=3),
        end="2026-10-25 02:30",
    )
    assert total(session, zone="Europe/Berlin") == "201.0000"
    assert "RN-09" in notes(session, zone="Europe/Berlin")


@pytest.mark.conformance("RT-28")
def test_a_skipped_hour_is_never_met() -> None:
    """A window inside it is not there on that day; one that begins in it begins after it."""

    def priced(start: str, end: str) -> str | None:
        window = element(component("ENERGY", 100), start_time=start, end_time=end)
        session = cdr(
            [tariff(window, _REST)], period("2026-03-29 00:00", ENERGY=3), end="2026-03-29 03:00"
        )
        return total(session, zone="Europe/Berlin")

    assert priced("02:00", "03:00") == "3.0000"
    assert priced("02:30", "04:00") == "102.0000"


@pytest.mark.conformance("RT-28")
def test_every_change_of_the_clock_within_a_session_counts() -> None:
    """Also where it is the same at both ends: summer time begins and ends in between."""
    first, last = instant("2026-01-01T00:00:00Z"), instant("2026-12-01T00:00:00Z")
    clock = WallClock(ZoneInfo("Europe/Berlin"), first, last)
    assert [(written(at), offset) for at, offset in clock.offsets] == [
        ("2026-01-01T00:00:00Z", 3600),
        ("2026-03-29T01:00:00Z", 7200),
        ("2026-10-25T01:00:00Z", 3600),
    ]


def test_what_is_not_understood_does_not_hold_and_does_not_fail() -> None:
    """A restriction of another version is no price, unless an element before it holds."""
    strange = element(component("ENERGY", 9), weather="SUNNY")
    held: list[dict[str, Any]] = [
        {"start_time": "8 am"},
        {"day_of_week": ["SOMEDAY"]},
        {"min_kwh": {"of": 1}},
    ]
    for restrictions in held:
        odd = element(component("ENERGY", 9), **restrictions)
        assert rated(cdr([tariff(odd)], period("08:00", ENERGY=1), end="09:00"))["code"] == "RU-09"
    assert total(cdr([tariff(_REST, strange)], period("08:00", ENERGY=1), end="09:00")) == "1.0000"
