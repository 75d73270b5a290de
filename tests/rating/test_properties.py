"""What is true of every session."""

import json
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rating import CdrText, rate
from rating.checker import check
from tests.rating.sessions import cdr, component, element, period, rated, tariff

_KINDS = ("FLAT", "ENERGY", "TIME", "PARKING_TIME")
_PRICES = st.decimals(0, 2, places=4).map(str)
_STEPS = st.sampled_from([0, 1, 60, 300, 500, 900])
_VAT = st.sampled_from([{}, {"vat": 0}, {"vat": "19"}, {"vat": "7.7"}])
_CLOCK = st.integers(0, 95).map(lambda quarter: f"{quarter // 4:02}:{quarter % 4 * 15:02}")
_COMPONENTS = st.builds(
    lambda kind, price, step, vat: component(kind, price, step, **vat),
    st.sampled_from(_KINDS), _PRICES, _STEPS, _VAT,
)  # fmt: skip
_RESTRICTIONS = st.fixed_dictionaries(
    {},
    optional={
        "start_time": _CLOCK,
        "end_time": _CLOCK,
        "day_of_week": st.sampled_from([["MONDAY"], ["TUESDAY", "WEDNESDAY"]]),
        "min_kwh": st.integers(0, 20),
        "max_kwh": st.integers(1, 40),
        "min_duration": st.integers(0, 20).map(lambda each: each * 600),
        "max_duration": st.integers(1, 40).map(lambda each: each * 600),
    },
)
_ELEMENTS = st.builds(
    lambda components, restrictions: element(*components, **restrictions),
    st.lists(_COMPONENTS, min_size=1, max_size=3), _RESTRICTIONS,
)  # fmt: skip
_LIMITS = st.sampled_from(
    [{}, {"max_price": {"excl_vat": 5}}, {"min_price": {"excl_vat": 3, "incl_vat": 4}}]
)
_TARIFFS = st.builds(
    lambda elements, limits: tariff(*elements, **limits),
    st.lists(_ELEMENTS, min_size=1, max_size=4),
    _LIMITS,
)
_PERIODS = st.lists(
    st.tuples(
        st.integers(0, 30), st.decimals(-2, 30, places=3), st.sampled_from(["TIME", "PARKING_TIME"])
    ),
    min_size=1,
    max_size=4,
)


def _session(priced: dict[str, Any], periods: list[tuple[int, Decimal, str]]) -> dict[str, Any]:
    """Return a CDR whose periods last some tenths of an hour, and say so."""
    found, at = [], 12 * 60
    for tenths, energy, kind in periods:
        volumes = {"ENERGY": str(energy), kind: str(Decimal(tenths) / 10)}
        found.append(period(_at(at), **volumes))
        at += tenths * 6
    return cdr([priced], *found, end=_at(at))


def _at(minutes: int) -> str:
    return f"2026-03-{2 + minutes // 1440:02} {minutes // 60 % 24:02}:{minutes % 60:02}"


@given(priced=_TARIFFS, periods=_PERIODS)
def test_lines_add_up_to_totals(priced: dict[str, Any], periods: list[Any]) -> None:
    """And volumes to those of the CDR: a checker that knows no tariff takes every explanation."""
    text = CdrText(json.dumps(_session(priced, periods)))
    assert check(rate(text, (), "Europe/Berlin").to_bytes(), text.text) == []


@given(priced=_TARIFFS, periods=_PERIODS, readings=st.sampled_from(["combined", "parking", "each"]))
def test_the_same_input_gives_the_same_bytes(
    priced: dict[str, Any], periods: list[Any], readings: str
) -> None:
    """Whatever was rated in between."""
    session = _session(priced, periods)
    first = rated(session, zone="Europe/Berlin")
    rated(session, zone="UTC", step=readings)
    assert rated(session, zone="Europe/Berlin") == first


@given(
    priced=_TARIFFS,
    hours=st.integers(1, 6),
    energy=st.integers(0, 60),
    parts=st.sampled_from([2, 4, 5]),
)
def test_a_period_that_is_sent_in_parts_costs_the_same(
    priced: dict[str, Any], hours: int, energy: int, parts: int
) -> None:
    """Where what was used is even over it; 0.0001 kWh may fall into another part."""
    minutes = hours * 60 // parts
    even = {"ENERGY": str(Decimal(energy) / parts), "TIME": str(Decimal(hours) / parts)}
    whole = period("12:00", ENERGY=energy, TIME=hours)
    pieces = [period(_at(12 * 60 + place * minutes), **even) for place in range(parts)]
    end = f"{12 + hours}:00"
    one, many = (rated(cdr([priced], *sent, end=end)) for sent in ([whole], pieces))
    for side in ("excl", "incl"):
        assert abs(Decimal(one["total"][side]) - Decimal(many["total"][side])) <= Decimal("0.002")


@given(priced=_TARIFFS, periods=_PERIODS)
def test_more_is_billed_than_used_by_one_step_at_most(
    priced: dict[str, Any], periods: list[Any]
) -> None:
    """For each dimension, and never less."""
    for line in rated(_session(priced, periods), zone="Europe/Berlin")["lines"]:
        added = Decimal(line["billed"]) - Decimal(line["used"])
        size = Decimal(line["step"]["size"]) if line["step"] else Decimal(0)
        assert 0 <= added <= (size / 1000 if line["unit"] == "kWh" else size)
