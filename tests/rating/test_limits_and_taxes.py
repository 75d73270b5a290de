"""Limits of the total, what is known of tax, and how amounts are rounded."""

from typing import Any

import pytest

from tests.rating.sessions import cdr, component, element, hour, notes, period, rated, tariff


def _limited(energy: float, *, vat: float | None = 20, **limits: Any) -> dict[str, Any]:
    taxed = {} if vat is None else {"vat": vat}
    prices = element(component("ENERGY", 1, **taxed))
    return rated(cdr([tariff(prices, **limits)], period("08:00", ENERGY=energy), end="09:00"))


def _total(excl: str | None, incl: str | None) -> dict[str, str | None]:
    return {"excl": excl, "incl": incl}


@pytest.mark.conformance("RT-39")
@pytest.mark.parametrize(
    "energy, expected",
    [
        (1, ("5.0000", "5.5000")),
        (4.75, ("5.0000", "5.7000")),
        (6, ("6.0000", "7.2000")),
        (9.5, ("9.5000", "11.0000")),
        (12, ("10.0000", "11.0000")),
    ],
)
def test_each_side_is_limited_by_itself(energy: float, expected: tuple[str, str]) -> None:
    """Without VAT by the one, with VAT by the other."""
    least, most = {"excl_vat": 5, "incl_vat": 5.5}, {"excl_vat": 10, "incl_vat": 11}
    found = _limited(energy, min_price=least, max_price=most)
    assert found["total"] == _total(*expected)
    assert bool(found["limits"]) is (energy != 6)


@pytest.mark.conformance("RT-40")
def test_a_limit_without_vat_leaves_its_share() -> None:
    """Half the price has half the VAT; of nothing nobody knows the share."""
    assert _limited(20, max_price={"excl_vat": 10})["total"] == _total("10.0000", "12.0000")
    assert _limited(0, min_price={"excl_vat": 2})["total"] == _total("2.0000", None)
    assert _limited(0, max_price={"excl_vat": 2})["total"] == _total("0.0000", "0.0000")


def test_limits_may_be_one_price() -> None:
    """A minimum that is the maximum contradicts nothing."""
    fixed = {"excl_vat": 2}
    assert _limited(1, min_price=fixed, max_price=fixed)["total"]["excl"] == "2.0000"


def test_limits_of_2_3_0_have_other_names() -> None:
    """before_taxes and after_taxes."""
    most = {"before_taxes": 10, "after_taxes": 11}
    assert _limited(20, max_price=most)["total"] == _total("10.0000", "11.0000")


def test_a_reservation_that_expired_has_no_minimum() -> None:
    """It is no charging session; a maximum it has."""
    prices = element(component("TIME", 3), reservation="RESERVATION")
    reserved = period("08:00", RESERVATION_TIME=1)
    least, most = {"excl_vat": 9}, {"excl_vat": 2}
    assert rated(cdr([tariff(prices, min_price=least)], reserved, end="09:00"))["limits"] == []
    assert rated(cdr([tariff(prices, max_price=most)], reserved, end="09:00"))["limits"] != []


def test_limits_of_one_tariff_among_several_are_noted_and_left() -> None:
    """Nobody says whose they are."""
    prices = element(component("ENERGY", 1))
    two = [tariff(prices, id="A", max_price={"excl_vat": 1}), tariff(prices, id="B")]
    session = cdr(two, period("08:00", "A", ENERGY=2), period("08:30", "B", ENERGY=2), end="09:00")
    assert rated(session)["total"]["excl"] == "4.0000"
    assert "RN-08" in notes(session)


@pytest.mark.conformance("RT-41")
@pytest.mark.parametrize(
    "rate, version, vat, incl",
    [
        ({}, "2.2.1", None, "10.0000"),
        ({"vat": 0}, "2.2.1", "0", "10.0000"),
        ({"vat": 19}, "2.2.1", "19", "11.9000"),
        ({}, "2.1.1", None, None),
    ],
)
def test_no_vat_a_rate_of_0_and_a_rate_nobody_knows_are_three_things(
    rate: dict[str, int], version: str, vat: str | None, incl: str | None
) -> None:
    """No rate is no VAT in 2.2.1, and unknown in 2.1.1."""
    session = hour(element(component("ENERGY", 1, **rate)), ENERGY=10)
    if version == "2.1.1":
        session["stop_date_time"] = session.pop("end_date_time")
    line = rated(session)["lines"][0]
    assert (line["vat"], line["incl"]) == (vat, incl)


@pytest.mark.conformance("RT-42")
@pytest.mark.parametrize(
    "tax_included, vat, expected",
    [
        ("NO", 25, ("10.0000", "12.5000")),
        ("NO", None, ("10.0000", None)),
        ("YES", 25, ("8.0000", "10.0000")),
        ("YES", None, (None, "10.0000")),
        ("N/A", 25, ("10.0000", "10.0000")),
        ("N/A", None, ("10.0000", "10.0000")),
    ],
)
def test_what_a_price_says_of_tax_is_kept(
    tax_included: str, vat: int | None, expected: tuple[str | None, str | None]
) -> None:
    """Of 2.3.0: before tax, after tax, or without any; a side that nobody knows is unknown."""
    rate = {} if vat is None else {"vat": vat}
    prices = tariff(element(component("ENERGY", 1, **rate)), tax_included=tax_included)
    found = rated(cdr([prices], period("08:00", ENERGY=10), end="09:00"))
    assert found["total"] == _total(*expected)


@pytest.mark.conformance("RT-42")
@pytest.mark.parametrize(
    "cost, verdict",
    [
        ({"before_taxes": 8, "taxes": [{"amount": 2}]}, "agrees"),
        ({"before_taxes": 8, "taxes": []}, "differs"),
        ({"before_taxes": 8}, "differs"),
        ({"before_taxes": 10}, "agrees"),
    ],
)
def test_a_price_with_a_tax_of_unknown_rate_is_compared_as_a_whole(
    cost: dict[str, Any], verdict: str
) -> None:
    """With what is declared before taxes, and all of them."""
    prices = tariff(element(component("ENERGY", 1)), tax_included="YES")
    session = cdr([prices], period("08:00", ENERGY=10), end="09:00", total_cost=cost)
    assert rated(session)["verdict"] == verdict


@pytest.mark.conformance("RT-43")
def test_amounts_are_rounded_half_up_and_sums_before_they_are_shown() -> None:
    """Three lines of 0.00005 are 0.0001 each, and 0.0002 together."""
    prices = tariff(element(component("ENERGY", 1)))
    thirds = [period(f"08:{minute}", ENERGY="0.00005") for minute in ("00", "20", "40")]
    found = rated(cdr([prices], *thirds, end="09:00"))
    assert [line["excl"] for line in found["lines"]] == ["0.0001"] * 3
    assert found["groups"]["energy"]["excl"] == found["total"]["excl"] == "0.0002"
