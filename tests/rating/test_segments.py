"""A period in which the price changes is cut there, and nothing is lost."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rating.sessions import cdr, component, element, notes, period, rated, tariff, used


def _tiers(*limits: Any) -> dict[str, Any]:
    bounded = [element(component("ENERGY", 1), max_kwh=limit) for limit in limits]
    return tariff(*bounded, element(component("ENERGY", 2)))


@pytest.mark.conformance("RT-30")
def test_a_coarse_period_is_cut_where_the_price_changes() -> None:
    """At times of day, and at durations; what was used is taken as even."""
    night = element(component("ENERGY", 1), component("TIME", 1), start_time="22:00")
    day = element(component("ENERGY", 2), component("TIME", 2))
    session = cdr([tariff(night, day)], period("20:00", ENERGY=9, TIME=3), end="23:00")
    assert used(session, "ENERGY") == [(1, "6"), (0, "3")]
    assert used(session, "TIME") == [(1, "7200"), (0, "3600")]
    assert "RN-10" in notes(session)
    assert used(session, "ENERGY", split="as_sent") == [(1, "9")]


@pytest.mark.conformance("RT-30")
def test_a_change_that_changes_nothing_is_no_cut() -> None:
    """Midnight is one where days matter; the same component goes on, on one line."""
    days = element(component("ENERGY", 1), day_of_week=["MONDAY", "TUESDAY"])
    session = cdr([tariff(days)], period("23:00", ENERGY=2), end="2026-03-03 01:00")
    assert used(session, "ENERGY") == [(0, "2")]
    assert "RN-10" not in notes(session)


@pytest.mark.conformance("RT-31")
def test_a_limit_of_energy_is_met_exactly() -> None:
    """The part before it has what was missing to it, whatever second that is."""
    session = cdr([_tiers("3.3333")], period("08:00", ENERGY="10", TIME=1), end="09:00")
    assert used(session, "ENERGY") == [(0, "3.3333"), (1, "6.6667")]
    lines = [line for line in rated(session)["lines"] if line["kind"] == "ENERGY"]
    assert [line["to"][11:19] for line in lines] == ["08:20:00", "09:00:00"]


@pytest.mark.conformance("RT-31")
def test_a_limit_within_the_last_second_is_met_too() -> None:
    """A period without any length has its limits of energy."""
    session = cdr([_tiers(1, 2)], period("08:00", ENERGY=3), end="08:00")
    assert used(session, "ENERGY") == [(0, "1"), (1, "1"), (2, "1")]


@pytest.mark.conformance("RT-31")
def test_a_share_that_is_rounded_does_not_pass_a_limit() -> None:
    """A second before it, 0.0124 kWh would be 0.00001 too many."""
    cut = element(component("TIME", 1), min_duration=446)
    tiers = element(component("ENERGY", 1), max_kwh="0.01239"), element(component("ENERGY", 2))
    session = cdr([tariff(cut, *tiers)], period("08:00", ENERGY="0.1"), end="09:00")
    assert used(session, "ENERGY") == [(1, "0.01239"), (2, "0.08761")]


@pytest.mark.conformance("RT-30")
def test_shares_are_rounded_half_up_and_the_last_has_the_rest() -> None:
    """To the second and to 0.0001 kWh; nothing is shared out twice."""
    prices = [
        element(component("ENERGY", place), component("TIME", place), max_duration=place * 900)
        for place in (1, 2, 3, 4)
    ]
    session = cdr([tariff(*prices)], period("08:00", ENERGY="0.0002", TIME="0.00195"), end="09:00")
    assert used(session, "ENERGY") == [(0, "0.0001"), (1, "0.0001")]
    assert used(session, "TIME") == [(0, "2"), (1, "2"), (2, "2"), (3, "1")]


def test_energy_that_flows_back_is_cut_by_time_and_lowers_no_energy_so_far() -> None:
    """Half of it in each half hour, both beyond the limit that was passed."""
    tiers = (
        element(component("ENERGY", 1), max_kwh=8),
        element(component("ENERGY", 2), max_duration=5400),
    )
    session = cdr(
        [tariff(*tiers, element(component("ENERGY", 3)))],
        *(period("08:00", ENERGY=9), period("09:00", ENERGY=-5)),
        end="10:00",
    )
    assert used(session, "ENERGY") == [(0, "8"), (1, "1"), (1, "-2.5"), (2, "-2.5")]


@pytest.mark.conformance("RT-30", "RT-31")
@given(
    energy=st.decimals("0.0001", "80", places=4),
    limits=st.lists(st.decimals("0.01", "90", places=2), max_size=4, unique=True),
    minutes=st.integers(0, 400),
    hours=st.decimals("0.001", "9", places=3),
)
def test_parts_add_up_to_the_period(
    energy: Decimal, limits: list[Decimal], minutes: int, hours: Decimal
) -> None:
    """However a period is cut, its volumes are all there, and none is negative."""
    tiers = [str(limit) for limit in sorted(limits)]
    windows = [element(component("TIME", 1), start_time=f"{hour:02}:00") for hour in (12, 10, 9)]
    end = f"{8 + minutes // 60:02}:{minutes % 60:02}"
    session = cdr(
        [_tiers(*tiers) | {"elements": [*windows, *_tiers(*tiers)["elements"]]}],
        period("08:00", ENERGY=str(energy), TIME=str(hours)),
        end=end,
    )
    found = rated(session)
    parts = [*found["lines"], *found["unpriced"]]
    volumes = {
        kind: [Decimal(e["used"]) for e in parts if e["kind"] == kind]
        for kind in ("ENERGY", "TIME")
    }
    assert sum(volumes["ENERGY"]) == energy
    assert abs(sum(volumes["TIME"]) - hours * 3600) <= 2
    assert min(volumes["ENERGY"] + volumes["TIME"]) >= 0
