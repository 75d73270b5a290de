"""Prices beside those of a second way to find them: minute by minute, in fractions.

It has no parts, no steps and no limits, and shares nothing with the engine: it looks at the clock
every minute and asks each element whether it applies.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from tests.rating.sessions import cdr, component, element, period, tariff, total

_ZONE = ZoneInfo("Europe/Berlin")
_DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
_Element = Mapping[str, Any]
_Period = tuple[int, int, str]
"""Minutes, kWh, and TIME or PARKING_TIME."""


def _by_minutes(elements: Sequence[_Element], start: datetime, periods: Sequence[_Period]) -> float:
    """Add up the price of every minute; a FLAT comes once, with the first minute that has one."""
    cost, energy, flat, at = Fraction(0), Fraction(0), None, start
    for minutes, kwh, kind in periods:
        for _ in range(minutes):
            elapsed = (at - start).total_seconds()
            flat = flat or _price(elements, "FLAT", at, elapsed, energy)
            cost += (_price(elements, kind, at, elapsed, energy) or Fraction(0)) / 60
            for since, until in _pieces(elements, energy, energy + Fraction(kwh, minutes)):
                price = _price(elements, "ENERGY", at, elapsed, since)
                cost, energy = cost + (until - since) * (price or 0), until
            at += timedelta(minutes=1)
    return float(cost + (flat or 0))


def _pieces(
    elements: Sequence[_Element], since: Fraction, until: Fraction
) -> Iterator[tuple[Fraction, Fraction]]:
    """Cut the energy of a minute at each limit of kWh."""
    limits = {
        Fraction(each["restrictions"][name])
        for each in elements
        for name in ("min_kwh", "max_kwh")
        if name in each.get("restrictions", {})
    }
    edges = [since, *sorted(limit for limit in limits if since < limit < until), until]
    yield from pairwise(edges)


def _price(
    elements: Sequence[_Element], kind: str, at: datetime, elapsed: float, energy: Fraction
) -> Fraction | None:
    for each in elements:
        prices = [e["price"] for e in each["price_components"] if e["type"] == kind]
        if prices and _applies(each.get("restrictions", {}), at, elapsed, energy):
            return Fraction(prices[0])
    return None


def _applies(asked: Mapping[str, Any], at: datetime, elapsed: float, energy: Fraction) -> bool:
    local = at.astimezone(_ZONE)
    time, day = f"{local:%H:%M}", _DAYS[local.weekday()]
    start, end = asked.get("start_time", "00:00"), asked.get("end_time", "24:00")
    end = "24:00" if end == "00:00" else end
    inside = start <= time < end if start < end else time >= start or time < end
    return (
        inside
        and day in asked.get("day_of_week", _DAYS)
        and asked.get("start_date", "") <= f"{local:%Y-%m-%d}" < asked.get("end_date", "9")
        and asked.get("min_duration", 0) <= elapsed < asked.get("max_duration", 10**9)
        and asked.get("min_kwh", 0) <= energy < asked.get("max_kwh", 10**9)
    )


_PRICES = st.integers(0, 200).map(lambda cents: f"{cents / 100:.2f}")
_CLOCK = st.integers(0, 47).map(lambda half: f"{half // 2:02}:{half % 2 * 30:02}")
_TIMES: dict[str, Any] = {
    "start_time": _CLOCK,
    "end_time": _CLOCK,
    "day_of_week": st.lists(st.sampled_from(_DAYS), min_size=1, max_size=4, unique=True),
    "start_date": st.sampled_from(["2026-03-29", "2026-10-25"]),
    "end_date": st.sampled_from(["2026-03-30", "2026-10-26"]),
    "min_duration": st.integers(0, 30).map(lambda each: each * 600),
    "max_duration": st.integers(1, 60).map(lambda each: each * 600),
}
_ENERGIES: dict[str, Any] = {"min_kwh": st.integers(0, 30), "max_kwh": st.integers(1, 60)}
_TIMED = st.builds(
    lambda kinds, price, restrictions: element(
        *(component(kind, price) for kind in kinds), **restrictions
    ),
    st.lists(st.sampled_from(["TIME", "PARKING_TIME", "ENERGY", "FLAT"]), min_size=1, unique=True),
    _PRICES,
    st.fixed_dictionaries({}, optional=_TIMES),
)
_TIERS = st.builds(
    lambda price, restrictions: element(component("ENERGY", price), **restrictions),
    _PRICES,
    st.fixed_dictionaries({}, optional=_TIMES | _ENERGIES),
)
_STARTS = st.builds(
    lambda day, minutes: datetime.fromisoformat(f"{day}T00:00Z") + timedelta(minutes=minutes),
    st.sampled_from(["2026-03-02", "2026-03-28", "2026-03-29", "2026-10-24", "2026-10-25"]),
    st.integers(0, 1439),
)
_PERIODS = st.lists(
    st.tuples(st.integers(1, 700), st.integers(0, 60), st.sampled_from(["TIME", "PARKING_TIME"])),
    min_size=1,
    max_size=3,
)


@given(
    elements=st.lists(st.one_of(_TIMED, _TIERS), min_size=1, max_size=5),
    start=_STARTS,
    periods=_PERIODS,
)
def test_the_price_is_that_of_every_minute_together(
    elements: list[dict[str, Any]], start: datetime, periods: list[_Period]
) -> None:
    """Whatever restricts elements, and whenever a session takes place."""
    sent, at = [], start
    for minutes, kwh, kind in periods:
        volumes: dict[str, Any] = {"ENERGY": kwh, kind: f"{minutes / 60:.6f}"}
        sent.append(period(f"{at:%Y-%m-%d %H:%M}", **volumes))
        at += timedelta(minutes=minutes)
    session = cdr([tariff(*elements)], *sent, end=f"{at:%Y-%m-%d %H:%M}")
    found = float(total(session, zone="Europe/Berlin") or "nan")
    assert abs(found - _by_minutes(elements, start, periods)) < 0.01
