"""step_size: once for energy and once for time, at the end, at the last price."""

from typing import Any

import pytest

from tests.rating.sessions import cdr, component, element, hour, period, rated, tariff, total

_PRICES = element(component("TIME", 1.2, 600), component("PARKING_TIME", 3, 600))


def _billed(members: dict[str, Any], **asked: Any) -> list[tuple[str, str]]:
    return [(line["kind"], line["billed"]) for line in rated(members, **asked)["lines"]]


def _session(*elements: dict[str, Any]) -> dict[str, Any]:
    """Charge for 12 minutes, park for 7, charge for 12."""
    return cdr(
        [tariff(*elements)],
        *(
            period("08:00", TIME=0.2),
            period("08:12", PARKING_TIME=0.1167),
            period("08:19", TIME=0.2),
        ),
        end="08:31",
    )


@pytest.mark.conformance("RT-32")
def test_energy_is_stepped_once_on_the_total() -> None:
    """By the step of the last component, over all elements and tariffs."""
    prices = (
        element(component("ENERGY", 0.2, 800), end_time="09:00"),
        element(component("ENERGY", 1, 500)),
    )
    session = cdr(
        [tariff(*prices)],
        *(period("08:00", ENERGY=4.3), period("09:00", ENERGY=1.1)),
        end="10:00",
    )
    assert _billed(session) == [("ENERGY", "4.3"), ("ENERGY", "1.2")]
    two = [tariff(prices[0], id="A"), tariff(prices[1], id="B")]
    periods = period("08:00", "A", ENERGY=4.3), period("09:00", "B", ENERGY=1.1)
    assert _billed(cdr(two, *periods, end="10:00")) == [("ENERGY", "4.3"), ("ENERGY", "1.2")]


@pytest.mark.conformance("RT-33")
def test_of_two_times_the_last_one_is_stepped() -> None:
    """The other is billed to the second."""
    assert _billed(_session(_PRICES)) == [
        ("TIME", "720"),
        ("PARKING_TIME", "420"),
        ("TIME", "1080"),
    ]


@pytest.mark.conformance("RT-33")
@pytest.mark.parametrize(
    "step, price",
    [("last", "0.9500"), ("parking", "0.9800"), ("each", "1.1000"), ("combined", "1.0100")],
)
def test_each_reading_of_the_step_has_its_price(step: str, price: str) -> None:
    """Last, parking alone, each by itself, or both together."""
    assert total(_session(_PRICES), step=step) == price


@pytest.mark.conformance("RT-33")
def test_time_without_a_price_does_not_count_into_a_step() -> None:
    """Unless all volume is read as the base."""
    session = _session(element(component("TIME", 1, 1000), end_time="08:12"))
    assert total(session) == "0.2778"
    assert total(session, base="all") == "0.3556"


@pytest.mark.conformance("RT-34")
@pytest.mark.parametrize("step", [0, 300, 3600, None, -5])
def test_a_whole_number_of_steps_stays(step: int | None) -> None:
    """And a step of 0, or none, is no step."""
    session = hour(element(component("TIME", 1, step)), TIME=1)
    assert _billed(session) == [("TIME", "3600")]
    assert _billed(hour(element(component("ENERGY", 1, step)), ENERGY=3.6)) == [("ENERGY", "3.6")]


def test_what_flowed_back_is_not_stepped() -> None:
    """A total below zero stays as it is."""
    session = hour(element(component("ENERGY", 1, 500)), ENERGY=-4.3)
    assert _billed(session) == [("ENERGY", "-4.3")]


@pytest.mark.conformance("RT-34")
def test_without_a_step_volumes_are_exact() -> None:
    """610 s and 3.0004 kWh are billed as such."""
    exact = element(component("ENERGY", 0.4, 0), component("TIME", 0.6, 0))
    session = cdr([tariff(exact)], period("08:00", ENERGY=3.0004, TIME=0.1694), end="08:10:10")
    assert _billed(session) == [("ENERGY", "3.0004"), ("TIME", "610")]


@pytest.mark.conformance("RT-35")
def test_reserved_time_is_stepped_by_itself() -> None:
    """Whatever time is charged after it."""
    prices = (
        element(component("TIME", 6, 600), reservation="RESERVATION"),
        element(component("TIME", 1, 900)),
    )
    session = cdr(
        [tariff(*prices)],
        *(period("08:00", RESERVATION_TIME=0.2167), period("08:13", TIME=0.2)),
        end="08:25",
    )
    assert _billed(session) == [("RESERVATION_TIME", "1200"), ("TIME", "900")]
