"""What goes back: energy to the grid, and money by a credit CDR."""

import json
from typing import Any

import pytest

from rating import CdrText, rate
from rating.checker import check
from tests.rating.sessions import cdr, code, component, element, hour, notes, period, tariff, total

_PRICE = element(component("ENERGY", 0.3))


@pytest.mark.conformance("RT-44")
@pytest.mark.parametrize("reverse, price", [("signed", "1.8000"), ("zero", "3.0000")])
def test_reverse_energy_has_the_price_that_the_parties_agreed(reverse: str, price: str) -> None:
    """With its sign, or none; it is noted."""
    both = period("08:00", ENERGY=10), period("09:00", ENERGY=-4)
    session = cdr([tariff(_PRICE)], *both, end="10:00")
    assert total(session, reverse=reverse) == price
    assert notes(session, reverse=reverse) == {"RN-07"}


@pytest.mark.conformance("RT-44")
def test_reverse_energy_can_be_refused() -> None:
    """Then there is no price at all."""
    assert code(hour(_PRICE, ENERGY=-4), reverse="refuse") == "RU-08"


def test_reverse_energy_brings_no_tier_nearer() -> None:
    """Energy so far is what was charged."""
    tiers = tariff(element(component("ENERGY", 1), max_kwh=10), element(component("ENERGY", 2)))
    periods = period("08:00", ENERGY=9), period("08:20", ENERGY=-5), period("08:40", ENERGY=2)
    assert total(cdr([tiers], *periods, end="09:00")) == "7.0000"


def _credit(original: dict[str, Any] | None, cost: Any) -> dict[str, Any]:
    """Rate a credit CDR that declares a cost, and return its explanation."""
    members = hour(_PRICE, ENERGY=10) | {"credit": True, "total_cost": cost}
    of = None if original is None else CdrText(json.dumps(original))
    return rate(CdrText(json.dumps(members)), original=of).as_json()


@pytest.mark.conformance("RT-45")
def test_a_credit_is_minus_what_its_original_declares() -> None:
    """Whatever that should have cost; its lines are the original's."""
    original = hour(_PRICE, ENERGY=10) | {"total_cost": {"excl_vat": 4.2, "incl_vat": 5}}
    found = _credit(original, {"excl_vat": -4.2, "incl_vat": -5})
    assert found["total"] == {"excl": "-4.2", "incl": "-5"}
    assert found["verdict"] == "agrees"
    assert found["lines"][0]["excl"] == "3.0000"
    assert _credit(original, {"excl_vat": -3})["verdict"] == "differs"


@pytest.mark.conformance("RT-45", "RT-48")
def test_a_credit_can_be_verified_beside_its_original() -> None:
    """Both are named by their digest; the total is what the original declares, turned round."""
    original = json.dumps(hour(_PRICE, ENERGY=10) | {"total_cost": {"excl_vat": 4.2}})
    credit = json.dumps(hour(_PRICE, ENERGY=1) | {"credit": True})
    found = rate(CdrText(credit), original=CdrText(original)).to_bytes()
    assert check(found, credit, original=original) == []
    assert check(found, credit) != []
    spoilt = found.replace(b'"-4.2"', b'"-4.3"')
    assert check(spoilt, credit, original=original) == [
        "the total is -4.3, and the original declares 4.2"
    ]


@pytest.mark.conformance("RT-45")
def test_a_credit_without_its_original_takes_back_its_own_price() -> None:
    """Which repeats the original's content, with or without the signs."""
    assert _credit(None, {"excl_vat": -3})["total"]["excl"] == "-3.0000"
    turned = hour(_PRICE, ENERGY=-10) | {"credit": True}
    assert total(turned) == "-3.0000"
