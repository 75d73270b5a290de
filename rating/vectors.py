"""Test vectors: sessions with the price they have, and whether this engine finds it.

A file has `vectors` (a session, its tariffs, and what is expected), `verdicts` and
`settlement_rounding`. A vector is written as the CDR of its version and read from that text.
"""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from rating.amounts import Amount
from rating.cdr import CdrText
from rating.currencies import sum_of_rounded, to_minor_unit
from rating.decimals import decoded, plain
from rating.engine import rate
from rating.readings import Readings
from rating.verdict import Alternative, Tolerance, verdict

_Object = Mapping[str, Any]
_NOTHING = {"0.0000", None}
_OF_A_LINE = (
    *("kind", "phase", "period", "from", "to", "element", "component"),
    *("used", "billed", "unit", "price", "vat", "excl", "incl"),
)
_OF_UNPRICED = ("kind", "period", "from", "to", "used", "unit")


class Result(NamedTuple):
    """What a vector is called, and where the engine disagrees with it."""

    id: str
    wrong: list[str]


def results(path: Path) -> Iterator[Result]:
    """Run every vector of a file."""
    file = decoded(path.read_bytes())
    for vector in file.get("vectors", ()):
        yield Result(vector["id"], list(rated_wrong(vector)))
    for vector in file.get("verdicts", ()):
        yield Result(vector["id"], list(judged_wrong(vector)))
    for vector in file.get("settlement_rounding", ()):
        yield Result(vector["id"], list(rounded_wrong(vector)))


def cdr_of(vector: _Object) -> CdrText:
    """Write a vector as a CDR of its version; its numbers are strings (A-71)."""
    end = "stop_date_time" if vector["ocpi"] == "2.1.1" else "end_date_time"
    cdr = {
        "country_code": "NL",
        "party_id": "CPA",
        "id": vector["id"],
        "start_date_time": vector["session"]["start"],
        end: vector["session"]["end"],
        "currency": vector["currency"],
        "tariffs": vector["tariffs"],
        "charging_periods": [_period(each) for each in vector["periods"]],
        **({"credit": True} if vector.get("credit") else {}),
    }
    return CdrText(json.dumps(cdr, default=str), vector["ocpi"])


def _period(period: _Object) -> dict[str, Any]:
    dimensions = [{"type": kind, "volume": each} for kind, each in period["volumes"].items()]
    named = {"tariff_id": period["tariff"]} if "tariff" in period else {}
    return {"start_date_time": period["start"], "dimensions": dimensions, **named}


def explained(vector: _Object, readings: Readings | None = None) -> dict[str, Any]:
    """Rate a vector under the default readings, or others."""
    found = rate(cdr_of(vector), (), vector["time_zone"], readings=readings or Readings())
    return found.as_json()


def rated_wrong(vector: _Object) -> Iterator[str]:
    """Compare all that a vector expects with what the engine finds."""
    found, expected = explained(vector), vector["expect"]
    if "code" in found or "unpriceable" in expected:
        yield from _different("unpriceable", found.get("code"), expected.get("unpriceable"))
        return
    ids = {each["ref"]: each["id"] for each in found["tariffs"]}
    lines = [{**_only(e, _OF_A_LINE), "tariff": ids[e["tariff"]]} for e in found["lines"]]
    yield from _different("lines", lines, expected["lines"])
    unpriced = [_only(each, _OF_UNPRICED) for each in found["unpriced"]]
    yield from _different("unpriced", unpriced, expected.get("unpriced", []))
    yield from _different("steps", _steps(found), _plain(expected.get("steps", [])))
    yield from _different("limits", found["limits"], expected.get("limits", []))
    yield from _different("groups", _groups(found), expected["groups"])
    yield from _different("total", found["total"], expected["total"])
    codes = {note["code"] for note in found["notes"]}
    yield from _different("notes", set(expected.get("notes", [])) - codes, set())
    yield from _alternatives_wrong(vector)


def _alternatives_wrong(vector: _Object) -> Iterator[str]:
    for name, expected in vector.get("alternatives", {}).items():
        rule, _, choice = name.partition("=")
        found = explained(vector, Readings().but({rule: choice}))
        yield from _different(name, found.get("total"), expected)


def _steps(found: _Object) -> list[_Object]:
    """Find the steps of the lines, energy first."""
    steps = [
        {
            "kind": line["kind"],
            "total": line["step"]["of"],
            "step_size": str(line["step"]["size"]),
            "billed": line["step"]["to"],
            "added": plain(Decimal(line["step"]["to"]) - Decimal(line["step"]["of"])),
        }
        for line in found["lines"]
        if line["step"]
    ]
    order = ("ENERGY", "TIME", "PARKING_TIME", "RESERVATION_TIME")
    return sorted(steps, key=lambda each: order.index(each["kind"]))


def _groups(found: _Object) -> dict[str, _Object]:
    """Leave out the groups that cost nothing, as the vectors do."""
    groups: Mapping[str, _Object] = found["groups"]
    return {name: each for name, each in groups.items() if not set(each.values()) <= _NOTHING}


def _plain(value: list[_Object]) -> list[_Object]:
    return [{name: str(each) for name, each in step.items()} for step in value]


def _only(each: _Object, names: tuple[str, ...]) -> dict[str, Any]:
    return {
        name: int(each[name]) if name in ("element", "component", "period") else each[name]
        for name in names
    }


def _different(what: str, found: object, expected: object) -> Iterator[str]:
    if found != expected:
        yield f"{what}: {found} and not {expected}"


def judged_wrong(vector: _Object) -> Iterator[str]:
    """Compare the verdict and the difference."""
    declared, computed = _amount(vector["declared"]), _amount(vector["computed"])
    others = [
        Alternative(dict([name.split("=")]), _amount(total))
        for name, total in vector["alternatives"].items()
    ]
    tolerance = Tolerance(*(Decimal(vector["tolerance"][side]) for side in ("abs", "rel")))
    found = verdict(declared, computed, others, tolerance)
    yield from _different("verdict", found, vector["verdict"])
    delta = declared.minus(computed).excl
    yield from _different("delta", delta, Decimal(vector["delta_excl"]))


def _amount(value: _Object) -> Amount:
    excl, incl = (value[side] and Decimal(value[side]) for side in ("excl", "incl"))
    return Amount(excl, incl)


def rounded_wrong(vector: _Object) -> Iterator[str]:
    """Compare amounts in minor units, and their sum."""
    currency, declared = vector["currency"], [Decimal(each) for each in vector["declared"]]
    rounded = [format(to_minor_unit(each, currency), "f") for each in declared]
    yield from _different("rounded", rounded, vector["rounded"])
    found = format(sum_of_rounded(declared, currency), "f")
    yield from _different("sum", found, vector["sum"])
    yield from _different("sum_unrounded", sum(declared), Decimal(vector["sum_unrounded"]))
