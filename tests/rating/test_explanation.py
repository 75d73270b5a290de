"""What is stored of a price: the same bytes each time, a sentence a line, verified by a checker."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rating import CdrText, Place, Readings, StoredTariff, Tolerance, rate
from rating.__main__ import main
from rating.checker import check
from rating.sentences import sentences
from tests.rating.sessions import cdr, component, element, hour, period, rated, tariff

_ROOT = Path(__file__).parents[2]


def _evening() -> dict[str, Any]:
    """Charge 12 minutes and park 20, the last 12 of them after 20:00 local, free of charge."""
    day = component("TIME", 2.4, 900), component("PARKING_TIME", 1.0, 900, vat=20)
    return cdr(
        [tariff(element(*day, start_time="17:00", end_time="20:00"), element(day[0]), id="22")],
        *(period("18:40", TIME=0.2), period("18:52", PARKING_TIME=0.3333)),
        end="19:12",
        total_cost={"excl_vat": 0.73},
    )


_PARKING = "billed 15 min (step 15 min) at 1.0/h = 0.25, 0.30 with tax."
_ENERGY = "billed 1.5 kWh (step 500 Wh) at 0.5/kWh = 0.75."


@pytest.mark.conformance("RT-49")
def test_each_line_is_a_sentence_with_local_time() -> None:
    """What was used, when, by which element, what is billed, and what it costs."""
    assert list(sentences(rated(_evening(), zone="Europe/Berlin"))) == [
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
    lines = rated(_evening(), zone="Europe/Berlin")["lines"]
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
    text = json.dumps(_evening()).encode()
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
        each["readings"] for each in rated(_evening())["alternatives"]
    ]


def test_alternatives_are_computed_only_where_the_price_differs() -> None:
    """And name the reading, or the two, by which it agrees."""
    assert rated(_evening(), zone="Europe/Berlin")["alternatives"] == []
    found = rated(_evening() | {"total_cost": {"excl_vat": 0.85}}, zone="Europe/Berlin")
    assert found["verdict"] == "agrees: step=each"
    assert {"readings": {"step": "each"}, "total": {"excl": "0.8500", "incl": "0.9000"}} in found[
        "alternatives"
    ]
    two = rated(_evening() | {"total_cost": {"excl_vat": 1.1}}, zone="Europe/Berlin")
    assert two["verdict"] == "agrees: step=each, split=as_sent"
    none = rated(_evening() | {"total_cost": {"excl_vat": 1.2}}, zone="Europe/Berlin")
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


def _stored() -> tuple[CdrText, StoredTariff]:
    bare = _evening() | {"tariffs": []}
    text = json.dumps(_evening()["tariffs"][0])
    return CdrText(json.dumps(bare)), StoredTariff("22", "NL-CPA", text)


def test_a_stored_tariff_is_checked_by_its_own_text() -> None:
    """Its digest says which text that was."""
    cdr_text, stored = _stored()
    found = rate(cdr_text, (stored,), "Europe/Berlin", Place(tariff_ids=("22",)))
    assert found.as_json()["tariffs"][0]["from"] == "store"
    assert check(found.to_bytes(), cdr_text.text, [stored.text]) == []
    assert check(found.to_bytes(), cdr_text.text) == [
        "line 1: no tariff of that digest",
        "line 2: no tariff of that digest",
    ]


_CHANGES: list[tuple[tuple[Any, ...], Any, str]] = [
    (("cdr", "digest"), "sha256:0", "the digest is of another CDR"),
    (("lines", 0, "excl"), "0.4900", "line 1: excl is 0.4900"),
    (("lines", 0, "incl"), None, "line 1: incl is known or unknown"),
    (("lines", 0, "price"), "2.5", "line 1: the component has another price"),
    (("lines", 1, "vat"), "19", "line 2: the component has another rate of VAT"),
    (("lines", 0, "element"), 7, "line 1: the tariff has no such component"),
    (("lines", 0, "component"), 1, "line 1: the component is of another dimension"),
    (("lines", 0, "used"), "700", "line 1: 20 more is billed than used"),
    (("lines", 1, "step"), None, "line 2: 420 more is billed than used"),
    (("lines", 1, "period"), 5, "period 6: the CDR has no PARKING_TIME"),
    (("unpriced",), [], "period 2: 480 s of PARKING_TIME in lines"),
    (("groups", "parking", "excl"), "0.2600", "group parking, excl"),
    (("total", "excl"), "0.7400", "total, excl"),
    (("limits",), [{"limit": "max_price", "excl": "-0.1", "incl": "-0.1"}], "total, excl"),
]


@pytest.mark.conformance("RT-48")
@pytest.mark.parametrize("path, value, complaint", _CHANGES, ids=lambda each: str(each)[:30])
def test_the_checker_finds_what_does_not_hold(
    path: tuple[Any, ...], value: Any, complaint: str
) -> None:
    """Any amount, volume, price or digest that is changed is found."""
    text = json.dumps(_evening())
    found = json.loads(rate(CdrText(text), (), "Europe/Berlin").to_bytes())
    assert check(json.dumps(found), text) == []
    *way, last = path
    at = found
    for step in way:
        at = at[step]
    at[last] = value
    assert any(each.startswith(complaint) for each in check(json.dumps(found), text))


def test_the_checker_wants_each_step_once_and_no_total_beside_a_code() -> None:
    """And a volume that no line has is missed."""
    text = json.dumps(_evening())
    found = json.loads(rate(CdrText(text), (), "Europe/Berlin").to_bytes())
    found["lines"].append(found["lines"][1])
    assert "two lines of a dimension have the addition of a step" in check(json.dumps(found), text)
    del found["lines"][1:]
    found["unpriced"] = []
    assert "period 2: PARKING_TIME is in no line" in check(json.dumps(found), text)
    assert check(json.dumps({"code": "RU-01", "total": {}}), text) == ["a total beside a code"]


def test_the_command_explains_a_cdr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Line by line or as it would be stored; with tariffs the CDR does not carry."""
    cdr_text, stored = _stored()
    (tmp_path / "cdr.json").write_text(str(cdr_text.text))
    (tmp_path / "tariffs.json").write_text(f"[{stored.text!s}]")
    asked = ["explain", str(tmp_path / "cdr.json"), "--time-zone", "Europe/Berlin"]
    assert main(asked) == 1
    assert capsys.readouterr().out.startswith("No price, RU-01")
    assert main([*asked, "--tariffs", str(tmp_path / "tariffs.json")]) == 0
    assert capsys.readouterr().out.count("\n") == 4
    assert main([*asked, "--tariffs", str(tmp_path / "tariffs.json"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "agrees"
