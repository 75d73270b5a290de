"""What is stored of a price: the same bytes each time, a sentence a line, verified by a checker."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rating import CdrText, Readings, Tolerance, rate
from rating.__main__ import main
from rating.amounts import Amount
from rating.sentences import sentences
from rating.verdict import agree
from tests.rating.sessions import (
    cdr,
    component,
    element,
    evening,
    hour,
    period,
    rated,
    stored_evening,
    tariff,
)

_ROOT = Path(__file__).parents[2]


_PARKING = "billed 15 min (step 15 min) at 1.0/h = 0.25, 0.30 with tax."
_ENERGY = "billed 1.5 kWh (step 500 Wh) at 0.5/kWh = 0.75."


@pytest.mark.conformance("RT-49")
def test_each_line_is_a_sentence_with_local_time() -> None:
    """What was used, when, by which element, what is billed, and what it costs."""
    assert list(sentences(rated(evening(), zone="Europe/Berlin"))) == [
        "12 min charging, 19:40-19:52 local, element 1 of tariff 22: at 2.4/h = 0.48.",
        f"8 min parking, 19:52-20:00 local, element 1 of tariff 22: {_PARKING}",
        "12 min parking, 20:00-20:12 local: costs nothing, no element with PARKING_TIME holds.",
        "Total 0.73, 0.78 with tax EUR; declared 0.73: agrees.",
    ]


@pytest.mark.conformance("RT-49")
def test_fees_energy_limits_and_codes_have_sentences_too() -> None:
    """Without a zone the time is UTC."""
    prices = element(component("FLAT", 1), component("ENERGY", 0.5, 500))
    session = cdr(
        [tariff(prices, max_price={"excl_vat": 1.25})], period("08:00", ENERGY=1.3), end="09:00"
    )
    assert list(sentences(rated(session, zone=None))) == [
        "flat fee, 08:00 UTC, element 1 of tariff T1: at 1 = 1.00.",
        f"1.3 kWh energy, 08:00-09:00 UTC, element 1 of tariff T1: {_ENERGY}",
        "max_price changes the total by -0.50.",
        "Total 1.25 EUR; nothing declared.",
    ]
    assert list(sentences(rated(hour(prices, ENERGY="x")))) == [
        "No price, RU-10: no number that can be read: x."
    ]


def test_a_line_says_why_it_is_this_element() -> None:
    """Which restrictions hold, and which failed before."""
    lines = rated(evening(), zone="Europe/Berlin")["lines"]
    assert [line["because"] for line in lines] == [
        ["17:00 <= 19:40 < 20:00 local"],
        ["17:00 <= 19:52 < 20:00 local"],
    ]
    tiers = [
        element(component("ENERGY", 1), max_kwh=1),
        element(component("ENERGY", 2), min_kwh=1, max_duration=9000, max_power=50),
    ]
    session = cdr([tariff(*tiers)], period("08:00", ENERGY=4), end="09:00")
    last = rated(session)["lines"][-1]
    assert last["passed_over"] == [[0, "max_kwh 1"]]
    assert last["because"] == ["1 <= 1 kWh", "900 < 9000 s", "power < 50"]


@pytest.mark.conformance("RT-04")
def test_the_same_input_gives_the_same_bytes_anywhere() -> None:
    """In other processes, zones and orders of hashing."""
    program = (
        "import sys; from rating import CdrText, rate; text = sys.stdin.buffer.read(); "
        "sys.stdout.buffer.write(rate(CdrText(text), (), 'Europe/Berlin').to_bytes())"
    )
    text = json.dumps(evening()).encode()
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            input=text, capture_output=True, check=True, cwd=_ROOT,
            env=os.environ | {"TZ": zone, "PYTHONHASHSEED": seed},
        ).stdout
        for zone, seed in (("UTC", "1"), ("Asia/Tokyo", "2"), ("America/Lima", "3"))
    }  # fmt: skip
    assert found == {rate(CdrText(text), (), "Europe/Berlin").to_bytes()}


_OLD = {
    "id": "CDR1",
    "start_date_time": "2026-03-02T08:00:00Z",
    "stop_date_time": "2026-03-02T09:00:00Z",
    "location": {"time_zone": "Europe/Berlin", "country": "DEU"},
    "currency": "EUR",
    "tariffs": [
        {
            "id": "T1",
            "currency": "EUR",
            "elements": [
                {
                    "price_components": [{"type": "ENERGY", "price": 0.5, "step_size": 1}],
                    "restrictions": {"start_time": "09:00", "end_time": "10:00"},
                }
            ],
        }
    ],
    "charging_periods": [
        {
            "start_date_time": "2026-03-02T08:00:00Z",
            "dimensions": [{"type": "ENERGY", "volume": 2}, {"type": "FLAT", "volume": 1}],
        }
    ],
    "total_cost": 1.0,
}


def _new(tax_included: str, cost: Any) -> dict[str, Any]:
    prices = tariff(element(component("ENERGY", 0.5, vat=25)), tax_included=tax_included)
    return cdr([prices], period("08:00", ENERGY=2), end="09:00", total_cost=cost)


@pytest.mark.conformance("RT-50")
@pytest.mark.parametrize(
    "members, declared, zone_from",
    [
        (_OLD, {"excl": "1.0", "incl": None}, "cdr"),
        (
            hour(element(component("ENERGY", 0.5)), ENERGY=2)
            | {"total_cost": {"excl_vat": 1, "incl_vat": 1}},
            {"excl": "1", "incl": "1"},
            "location",
        ),
        (
            _new(
                "NO", {"before_taxes": 1, "taxes": [{"name": "A", "amount": 0.15}, {"amount": 0.1}]}
            ),
            {"excl": "1", "incl": "1.25"},
            "location",
        ),
    ],
    ids=["2.1.1", "2.2.1", "2.3.0"],
)
def test_each_version_is_read_from_its_own_text(
    members: dict[str, Any], declared: dict[str, str | None], zone_from: str
) -> None:
    """Its names of members, its costs, its taxes."""
    found = rated(members)
    assert found["declared"] == declared
    assert found["zone_from"] == zone_from
    assert found["verdict"] == "agrees"


def test_a_cdr_of_2_1_1_takes_each_step() -> None:
    """It does not say that there is one step alone, nor that dimensions choose by themselves."""
    prices = [{"type": kind, "price": 1, "step_size": 3600} for kind in ("TIME", "PARKING_TIME")]
    both = period("08:00", TIME=0.25), period("08:15", PARKING_TIME=0.75)
    session = _OLD | {
        "tariffs": [{"id": "T1", "currency": "EUR", "elements": [{"price_components": prices}]}],
        "charging_periods": list(both),
        "total_cost": 9,
    }
    assert rated(session)["total"]["excl"] == "2.0000"
    assert rated(session)["readings"]["step"] == "each"
    assert rated(session, step="last")["total"]["excl"] == "1.2500"
    assert {"select": "element"} not in [
        each["readings"] for each in rated(evening())["alternatives"]
    ]


def test_alternatives_are_computed_only_where_the_price_differs() -> None:
    """And name the reading, or the two, by which it agrees."""
    assert rated(evening(), zone="Europe/Berlin")["alternatives"] == []
    found = rated(evening() | {"total_cost": {"excl_vat": 0.85}}, zone="Europe/Berlin")
    assert found["verdict"] == "agrees: step=each"
    assert {"readings": {"step": "each"}, "total": {"excl": "0.8500", "incl": "0.9000"}} in found[
        "alternatives"
    ]
    two = rated(evening() | {"total_cost": {"excl_vat": 1.1}}, zone="Europe/Berlin")
    assert two["verdict"] == "agrees: step=each, split=as_sent"
    none = rated(evening() | {"total_cost": {"excl_vat": 1.2}}, zone="Europe/Berlin")
    assert none["verdict"] == "differs"


def test_a_difference_has_its_sign_its_share_and_its_group() -> None:
    """How much more is declared, of how much, and where."""
    costs = {"total_cost": {"excl_vat": 1.1}, "total_energy_cost": {"excl_vat": 1.1}}
    found = rated(hour(element(component("ENERGY", 0.5)), ENERGY=2) | costs)
    assert found["verdict"] == "differs"
    assert found["delta"] == {
        "excl": "0.1000",
        "incl": None,
        "share": "0.1000",
        "groups": ["energy"],
    }


def test_a_tolerance_may_be_agreed() -> None:
    """Two minor units of the currency unless it is."""
    members = hour(element(component("ENERGY", 0.5)), ENERGY=2) | {"total_cost": {"excl_vat": 1.02}}
    text = CdrText(json.dumps(members))
    assert rate(text).verdict == "agrees"
    assert rate(text, tolerance=Tolerance(Decimal("0.01"), Decimal(0))).verdict == "differs"
    assert rate(CdrText(text.text, "2.2.1"), readings=Readings(step="each")).verdict == "agrees"


def test_a_share_is_one_of_what_was_computed() -> None:
    """A thousandth of 100.00 is 0.1, however much is declared; what cannot be compared differs."""
    hundred = Amount(Decimal(100), None)
    share = Tolerance(Decimal("0.02"), Decimal("0.001"))
    assert agree(Amount(Decimal("100.1"), None), hundred, share)
    assert not agree(Amount(Decimal("100.1001"), None), hundred, share)
    assert not agree(Amount(None, Decimal(100)), hundred, share)


def test_the_command_explains_a_cdr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Line by line or as it would be stored; with tariffs the CDR does not carry."""
    cdr_text, stored = stored_evening()
    (tmp_path / "cdr.json").write_text(str(cdr_text.text))
    (tmp_path / "tariffs.json").write_text(f"[{stored.text!s}]")
    asked = ["explain", str(tmp_path / "cdr.json"), "--time-zone", "Europe/Berlin"]
    assert main(asked) == 1
    assert capsys.readouterr().out.startswith("No price, RU-01")
    assert main([*asked, "--tariffs", str(tmp_path / "tariffs.json")]) == 0
    assert capsys.readouterr().out.count("\n") == 4
    assert main([*asked, "--tariffs", str(tmp_path / "tariffs.json"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "agrees"
