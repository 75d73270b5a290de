"""Seconds, kWh and kilowatts of a period, out of what its CDR says."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from rating import CdrText, rate
from tests.rating.sessions import (
    cdr,
    code,
    component,
    element,
    hour,
    notes,
    period,
    rated,
    tariff,
    total,
    used,
)

_TIME = element(component("TIME", 36))


def _five_minutes(hours: str) -> dict[str, Any]:
    return cdr([tariff(_TIME)], period("08:00", TIME=hours), end="08:05")


@pytest.mark.conformance("RT-05")
def test_no_number_passes_through_a_float() -> None:
    """0.1 and 0.2 kWh are 0.3 kWh, to the last digit."""
    tiers = element(component("ENERGY", 1), max_kwh=0.3), element(component("ENERGY", 9))
    session = cdr(
        [tariff(*tiers)],
        *(period("08:00", ENERGY=0.1), period("08:10", ENERGY=0.2), period("08:20", ENERGY=1)),
        end="09:00",
    )
    assert used(session, "ENERGY") == [(0, "0.1"), (0, "0.2"), (1, "1")]
    assert total(hour(element(component("ENERGY", 1)), ENERGY="0.12345678901234567891")) == "0.1235"


@pytest.mark.conformance("RT-05")
def test_no_module_makes_a_float() -> None:
    """Neither by name nor by a number with a point."""
    for path in (Path(__file__).parents[2] / "rating").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert getattr(node, "id", None) != "float", path
            assert not isinstance(getattr(node, "value", None), float), path


@pytest.mark.conformance("RT-05")
def test_no_digit_is_lost_on_the_way_to_what_is_shown() -> None:
    """Half a unit of the fourth decimal is rounded up, and what is 10^-28 below it is not."""
    prices = element(component("ENERGY", 1))
    for volume, shown in (("2.00005", "2.0001"), ("2.0000499999999999999999999999", "2.0000")):
        found = rated(hour(prices, ENERGY=volume))
        assert found["lines"][0]["excl"] == found["total"]["excl"] == shown


@pytest.mark.conformance("RT-06")
def test_a_number_may_be_a_string() -> None:
    """Prices, volumes, rates and steps are read from either."""
    numbers = hour(element(component("ENERGY", 0.5, 500, vat=19)), ENERGY=1.3)
    strings = hour(element(component("ENERGY", "0.5", "500", vat="19")), ENERGY="1.3")
    assert (
        rated(strings)["total"] == rated(numbers)["total"] == {"excl": "0.7500", "incl": "0.8925"}
    )


@pytest.mark.conformance("RT-16")
@pytest.mark.parametrize("hours", ["0.083", "0.0834", "0.0838", "0.0828"])
def test_hours_within_two_seconds_of_the_clock_are_the_clock(hours: str) -> None:
    """Hours with three decimals are up to 1.8 s off."""
    assert used(_five_minutes(hours), "TIME") == [(0, "300")]


@pytest.mark.conformance("RT-17")
@pytest.mark.parametrize(
    "hours, seconds", [("0.08", "288"), ("0.0839", "302"), ("0.0502", "181"), ("0.05014", "181")]
)
def test_other_hours_are_rounded_to_the_second(hours: str, seconds: str) -> None:
    """Half a second counts up: 180.5 s are 181."""
    assert used(_five_minutes(hours), "TIME") == [(0, seconds)]
    assert used(_five_minutes("0.050138889"), "TIME") == [(0, "181")]


@pytest.mark.conformance("RT-17")
def test_of_two_times_in_a_period_neither_is_the_clock() -> None:
    """They share it, so that each is what its hours say."""
    prices = element(component("TIME", 1), component("PARKING_TIME", 1))
    session = cdr([tariff(prices)], period("08:00", TIME=0.0838, PARKING_TIME=0.1), end="08:05")
    assert used(session, "TIME") == [(0, "302")]
    assert used(session, "PARKING_TIME") == [(0, "360")]


@pytest.mark.conformance("RT-18")
def test_time_is_never_taken_from_the_clock() -> None:
    """A CDR that tells energy alone pays no time, unless an agreement reads it so."""
    session = hour(element(component("ENERGY", 0.3), component("TIME", 1.2)), ENERGY=7)
    assert total(session) == "2.1000"
    assert "RN-04" in notes(session)
    assert total(session, time="clock") == "3.3000"


@pytest.mark.conformance("RT-29")
def test_power_that_nobody_tells_is_unknown() -> None:
    """No element is taken to match, and none is passed over."""
    slow = element(component("TIME", 1), max_power=11)
    assert code(hour(slow, _TIME, TIME=1)) == "RU-06"
    assert total(hour(slow, _TIME, TIME=1), unknown="match") == "1.0000"
    assert total(hour(_TIME, slow, TIME=1)) == "36.0000"


@pytest.mark.conformance("RT-29")
@pytest.mark.parametrize(
    "volumes, price",
    [
        ({"ENERGY": 18, "TIME": 1}, "9.0000"),
        ({"ENERGY": 10, "TIME": 1}, "3.0000"),
        ({"ENERGY": 10, "TIME": 0.5}, "5.0000"),
        ({"ENERGY": 10}, "3.0000"),
        ({"ENERGY": 18, "TIME": 1, "MIN_POWER": 5, "MAX_POWER": 10}, "5.4000"),
        ({"ENERGY": 18, "TIME": 1, "MAX_POWER": 10}, "5.4000"),
    ],
)
def test_power_is_what_is_given_else_the_average(volumes: dict[str, float], price: str) -> None:
    """Energy over the hours charged, else over the period; one bound stands for both."""
    slow = element(component("ENERGY", 0.3), max_power=11)
    fast = element(component("ENERGY", 0.5))
    assert total(hour(slow, fast, **volumes)) == price


@pytest.mark.conformance("RT-29")
@pytest.mark.parametrize("restriction", ["max_power", "min_power"])
def test_a_range_on_both_sides_of_a_limit_is_unknown(restriction: str) -> None:
    """The CPO owed two periods, and nobody else can tell them apart."""
    slow = element(component("ENERGY", 0.3), **{restriction: 11})
    session = hour(slow, element(component("ENERGY", 0.5)), ENERGY=9, MIN_POWER=5, MAX_POWER=15)
    assert code(session) == "RU-06"


def test_parking_draws_no_power_and_current_is_never_derived() -> None:
    """A period of parking alone is below any limit of power, and unknown to one of current."""
    parking = component("PARKING_TIME", 2)
    assert total(hour(element(parking, max_power=11), PARKING_TIME=1)) == "2.0000"
    assert code(hour(element(parking, max_current=11), PARKING_TIME=1)) == "RU-06"


def test_a_dimension_that_is_there_twice_is_added_up() -> None:
    """In one period."""
    session = hour(element(component("ENERGY", 1)), ENERGY=1)
    session["charging_periods"][0]["dimensions"].append({"type": "ENERGY", "volume": 2})
    assert total(session) == "3.0000"


def test_a_dimension_nobody_knows_matters_only_where_it_is_priced() -> None:
    """A word of another version is passed over, unless the tariff has a price for it."""
    known = element(component("ENERGY", 1))
    assert total(hour(known, ENERGY=1, CARBON=3)) == "1.0000"
    assert code(hour(known, element(component("CARBON", 1)), ENERGY=1, CARBON=3)) == "RU-09"


@pytest.mark.conformance("RT-47")
@pytest.mark.parametrize(
    "volume",
    ["1e999999", "1e-999999", "9" * 200, "0." + "1" * 200, "NaN", "Infinity", "1_0", "٣", "", None],
)
@pytest.mark.parametrize("quoted", [True, False])
def test_a_number_that_no_session_has_is_refused(volume: str | None, *, quoted: bool) -> None:
    """RU-10, whether it is a number or a string, and no exception."""
    text = json.dumps(hour(element(component("ENERGY", 1)), ENERGY="VOLUME"))
    spelt = json.dumps(volume) if quoted or volume in (None, "", "1_0", "٣") else str(volume)
    assert rate(CdrText(text.replace('"VOLUME"', spelt))).code == "RU-10"
