"""The checker takes what holds, and finds what does not."""

import json
from typing import Any

import pytest

from rating import CdrText, Place, rate
from rating.checker import check
from tests.rating.sessions import evening, stored_evening


def test_a_stored_tariff_is_checked_by_its_own_text() -> None:
    """Its digest says which text that was."""
    cdr_text, stored = stored_evening()
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
    text = json.dumps(evening())
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
    text = json.dumps(evening())
    found = json.loads(rate(CdrText(text), (), "Europe/Berlin").to_bytes())
    found["lines"].append(found["lines"][1])
    assert "two lines of a dimension have the addition of a step" in check(json.dumps(found), text)
    del found["lines"][1:]
    found["unpriced"] = []
    assert "period 2: PARKING_TIME is in no line" in check(json.dumps(found), text)
    assert check(json.dumps({"code": "RU-01", "total": {}}), text) == ["a total beside a code"]
