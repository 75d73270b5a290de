"""Why a CDR has no price, each code with its example; and what no input may do."""

import json
from time import process_time
from typing import Any

import pytest

from rating import CdrText, Readings, rate
from tests.rating.sessions import cdr, code, component, element, hour, period, rated, tariff, total

_PRICE = element(component("ENERGY", 1))
_SLOW = element(component("TIME", 1), max_power=11)
_LIMITS = {"min_price": {"excl_vat": 2}, "max_price": {"excl_vat": 1}}


def _priced(**members: Any) -> dict[str, Any]:
    return cdr([tariff(_PRICE, **members)], period("08:00", ENERGY=1), end="09:00")


@pytest.mark.conformance("RT-46")
@pytest.mark.parametrize(
    "expected, members",
    [
        ("RU-01", cdr([], period("08:00", ENERGY=1), end="09:00")),
        ("RU-02", cdr([], period("08:00", "T9", ENERGY=1), end="09:00")),
        ("RU-03", _priced(currency="CHF")),
        ("RU-04", cdr([tariff(_PRICE)], period("08:00", ENERGY=1), end="07:59")),
        ("RU-04", _priced() | {"start_date_time": "1970-01-01T00:00:00Z"}),
        ("RU-04", _priced() | {"end_date_time": None}),
        ("RU-04", _priced() | {"start_date_time": "2026-03-02T08:00:01Z"}),
        ("RU-04", cdr([tariff(_PRICE)], period("08:00"), period("07:00"), end="09:00")),
        ("RU-04", _priced() | {"charging_periods": []}),
        ("RU-06", hour(_SLOW, TIME=1)),
        ("RU-07", _priced(**_LIMITS)),
        ("RU-07", _priced(elements=[])),
        ("RU-09", hour(element(component("ENERGY", 1), weather="SUNNY"), ENERGY=1)),
        ("RU-10", hour(*[_PRICE] * 1001, ENERGY=1)),
        ("RU-10", cdr([tariff(*[_PRICE] * 999)] * 6, period("08:00", ENERGY=1), end="09:00")),
        ("RU-10", cdr([tariff(_PRICE)], *[period("08:00", ENERGY=1)] * 10_001, end="09:00")),
    ],
)
def test_each_code_says_why_there_is_no_price(expected: str, members: dict[str, Any]) -> None:
    """It stands alone: no line and no total is shown beside it."""
    found = rated(members)
    assert found["code"] == expected
    assert found["why"]
    assert found.keys().isdisjoint({"total", "lines", "groups", "alternatives"})


@pytest.mark.conformance("RT-46")
@pytest.mark.parametrize(
    "members, verdict",
    [
        (cdr([], period("08:00", ENERGY=1), end="09:00"), "no tariff"),
        (cdr([], period("08:00", "T9", ENERGY=1), end="09:00"), "no tariff"),
        (_priced(currency="CHF"), "cannot be priced"),
    ],
)
def test_a_tariff_that_may_still_come_has_its_own_verdict(
    members: dict[str, Any], verdict: str
) -> None:
    """All else waits for nobody."""
    assert rated(members)["verdict"] == verdict


@pytest.mark.conformance("RT-46")
def test_reverse_energy_and_unknown_zones_have_theirs() -> None:
    """Where an agreement refuses the one, and a restriction needs the other."""
    assert code(hour(_PRICE, ENERGY=-1), reverse="refuse") == "RU-08"
    assert (
        code(hour(element(component("ENERGY", 1), end_time="09:00"), ENERGY=1), zone=None)
        == "RU-05"
    )


def test_readings_are_checked() -> None:
    """A reading that nobody has is a mistake of who asks."""
    with pytest.raises(ValueError, match="step is one of last, parking, each, combined"):
        Readings(step="first")


def _many_elements() -> list[dict[str, Any]]:
    return [
        element(component("ENERGY", 1), min_kwh=999 + place, end_time="23:59")
        for place in range(1000)
    ]


def _many_periods(**volumes: Any) -> list[dict[str, Any]]:
    return [
        period(f"{8 + place // 3600:02}:{place // 60 % 60:02}:{place % 60:02}", **volumes)
        for place in range(10_000)
    ]


_COST = {"total_cost": {"excl_vat": 1}}


@pytest.mark.conformance("RT-47")
@pytest.mark.parametrize(
    "members",
    [
        cdr([tariff(_PRICE)], *_many_periods(ENERGY=1, TIME="0.0003"), end="12:00", **_COST),
        cdr([tariff(*_many_elements())], period("08:00", ENERGY=1), end="12:00", **_COST),
        cdr([tariff(*_many_elements())], *_many_periods(ENERGY=1), end="12:00", **_COST),
        cdr([tariff(*_many_elements())] * 20, *_many_periods(ENERGY=1), end="12:00", **_COST),
        cdr([tariff(_PRICE)] * 1000, *_many_periods(ENERGY=1)[:500], end="12:00", **_COST),
        cdr(
            [tariff(element(component("ENERGY", 1), start_time="10:00", end_time="11:00"))],
            period("08:00", ENERGY=1),
            end="2046-03-02 08:00",
            **_COST,
        ),
    ],
    ids=["periods", "elements", "both", "tariffs", "candidates", "years"],
)
def test_what_is_large_is_priced_soon_or_refused(members: dict[str, Any]) -> None:
    """What is asked for one CDR is bounded, and so is its time, with room for slow machines."""
    text = CdrText(json.dumps(members))
    began = process_time()
    code = rate(text, (), "UTC").code
    assert process_time() - began < 10
    assert code in (None, "RU-10")


@pytest.mark.conformance("RT-47")
@pytest.mark.parametrize(
    "text",
    [b"", b"\xff", b"[]", b"{}", b"null", b"[" * 100_000, b'{"a":' * 100_000, b'{"id":1e9999}'],
)
def test_what_is_no_cdr_has_no_price(text: bytes) -> None:
    """And raises nothing."""
    assert rate(CdrText(text)).code in ("RU-04", "RU-10")


_ODD: list[Any] = [None, [], {}, [None], [[]], "x", "", 5, -1, True, {"a": 1}, [1], "2026", 1e300]


@pytest.mark.conformance("RT-47")
@pytest.mark.parametrize("odd", _ODD, ids=str)
@pytest.mark.parametrize(
    "name", ["tariffs", "charging_periods", "total_cost", "currency", "credit", "id"]
)
def test_a_member_that_is_anything_raises_nothing(name: str, odd: Any) -> None:
    """Of the CDR."""
    rated(_priced(**_LIMITS) | {name: odd})


@pytest.mark.conformance("RT-47")
@pytest.mark.parametrize("odd", _ODD, ids=str)
def test_a_member_of_a_tariff_that_is_anything_raises_nothing(odd: Any) -> None:
    """At any depth: of the tariff, an element, a component, its restrictions."""
    for name in (
        "id",
        "currency",
        "type",
        "min_price",
        "elements",
        "tax_included",
        "end_date_time",
    ):
        rated(_priced(**{name: odd}))
    for name in ("type", "price", "vat", "step_size"):
        rated(hour(element(component("ENERGY", 1) | {name: odd}), ENERGY=1, TIME=1))
    names = "start_time end_time start_date min_kwh max_duration max_power day_of_week reservation"
    for name in names.split():
        rated(hour(element(component("ENERGY", 1), **{name: odd}), ENERGY=1, TIME=1))
    rated(hour({"price_components": odd, "restrictions": odd}, ENERGY=1))
    rated(_priced(**_LIMITS) | {"cdr_location": {"time_zone": odd, "country": odd}})


def test_a_free_session_is_free() -> None:
    """A FLAT of 0 is a price."""
    assert total(hour(element(component("FLAT", 0)), ENERGY=7)) == "0.0000"
