"""Verifies an explanation without rating anything, and with no code of the engine.

It needs the explanation as it is stored, the text of the CDR, and the texts of the tariffs that
the CDR does not carry. It adds up, multiplies, and looks up prices; it chooses none.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

_Object = Mapping[str, Any]
_HALF_UNIT = Fraction(5, 100_000)
_UNIT = Fraction(1, 10_000)
_PER_UNIT = {"kWh": 1, "s": 3600, "1": 1}
_PRICED_AS = {"RESERVATION_TIME": "TIME"}
_CUT_HOURS = 2


def check(
    explanation: str | bytes,
    cdr: str | bytes,
    tariffs: Sequence[str | bytes] = (),
    original: str | bytes | None = None,
) -> list[str]:
    """Return what is wrong with an explanation: nothing, if it holds.

    A credit CDR shows the lines of its original, if that was at hand when it was priced.
    """
    found, priced = json.loads(explanation), cdr if original is None else original
    declared = _decoded(priced)
    if "code" in found:
        return ["a total beside a code"] if "total" in found else []
    inside = declared.get("tariffs") or []
    known = {_digest(each): each for each in [*inside, *map(_decoded, tariffs)]}
    refs = {each["ref"]: (each, known.get(each["digest"])) for each in found["tariffs"]}
    return [
        *_digest_of_cdr(found["cdr"], cdr),
        *(() if original is None else _digest_of_cdr(found["original"], original)),
        *(wrong for line in found["lines"] for wrong in _line(line, *refs[line["tariff"]])),
        *_additions(found["lines"]),
        *_volumes(found, declared),
        *_sums(found, credit=_decoded(cdr).get("credit") is True),
        *(() if original is None else _taken_back(found, declared.get("total_cost"))),
    ]


def _decoded(text: str | bytes) -> dict[str, Any]:
    decoded = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    assert isinstance(decoded, dict)  # noqa: S101  # it was priced
    return decoded


def _digest(tariff: object) -> str:
    text = json.dumps(tariff, sort_keys=True, separators=(",", ":"), default=str)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _digest_of_cdr(found: _Object, cdr: str | bytes) -> Iterator[str]:
    raw = cdr.encode() if isinstance(cdr, str) else cdr
    if found["digest"] != f"sha256:{hashlib.sha256(raw).hexdigest()}":
        yield "the digest is of another CDR"


def _line(line: _Object, used: _Object, tariff: _Object | None) -> Iterator[str]:
    if tariff is None:
        yield f"line {line['n']}: no tariff of that digest"
        return
    component = _component(line, tariff)
    if component is None:
        yield f"line {line['n']}: the tariff has no such component"
        return
    if component["type"] != _PRICED_AS.get(line["kind"], line["kind"]):
        yield f"line {line['n']}: the component is of another dimension"
    if _number(component["price"]) != _number(line["price"]):
        yield f"line {line['n']}: the component has another price"
    if _optional(component.get("vat")) != _optional(line["vat"]):
        yield f"line {line['n']}: the component has another rate of VAT"
    yield from _amounts(line, used["tax"])


def _component(line: _Object, tariff: _Object) -> _Object | None:
    try:
        found = tariff["elements"][line["element"]]["price_components"][line["component"]]
    except (IndexError, KeyError):
        return None
    assert isinstance(found, dict)  # noqa: S101  # it was priced
    return found


def _amounts(line: _Object, tax: str) -> Iterator[str]:
    """Multiply what is billed by the price: one side of tax; the rate leads to the other."""
    amount = _number(line["billed"]) * _number(line["price"]) / _PER_UNIT[line["unit"]]
    rate = _optional(line["vat"])
    excl, incl = _sides(amount, rate, tax)
    for side, right in (("excl", excl), ("incl", incl)):
        given = _optional(line[side])
        if (given is None) != (right is None):
            yield f"line {line['n']}: {side} is known or unknown, and should not be"
        elif given is not None and right is not None and abs(given - right) > _HALF_UNIT:
            yield f"line {line['n']}: {side} is {line[side]}, and not {_shown(right)}"


def _sides(
    amount: Fraction, rate: Fraction | None, tax: str
) -> tuple[Fraction | None, Fraction | None]:
    if tax == "NONE":
        return amount, amount
    if tax == "UNKNOWN":
        return amount, None
    if tax == "INCLUDED":
        return (None if rate is None else amount / (1 + rate / 100)), amount
    if rate is None:
        return amount, (amount if tax == "ADDED" else None)
    return amount, amount * (1 + rate / 100)


def _additions(lines: Sequence[_Object]) -> Iterator[str]:
    """Look what is billed beyond what is used: a step, and each on one line."""
    stepped: list[str] = []
    for line in lines:
        added = _number(line["billed"]) - _number(line["used"])
        step = line["step"]
        right = _number(step["to"]) - _number(step["of"]) if step else 0
        if added != right:
            yield f"line {line['n']}: {added} more is billed than used, and the step adds {right}"
        if added:
            stepped.append(line["kind"])
    if len(set(stepped)) < len(stepped):
        yield "two lines of a dimension have the addition of a step"


def _volumes(found: _Object, cdr: _Object) -> Iterator[str]:
    """Compare what is used, in lines and without a price, with what the CDR has, by period."""
    shown: dict[tuple[int, str], Fraction] = {}
    for each in (*found["lines"], *found["unpriced"]):
        key = each["period"], each["kind"]
        shown[key] = shown.get(key, Fraction(0)) + _number(each["used"])
    given = _given(cdr)
    for (period, kind), volume in shown.items():
        if kind != "FLAT":
            yield from _volume(period, kind, volume, given.pop((period, kind), None), found)
    for (period, kind), volume in given.items():
        if volume and abs(volume) * 3600 >= Fraction(1, 2):
            yield f"period {period + 1}: {kind} is in no line"


def _volume(
    period: int, kind: str, shown: Fraction, given: Fraction | None, found: _Object
) -> Iterator[str]:
    if given is None:
        if found["readings"]["time"] != "clock":
            yield f"period {period + 1}: the CDR has no {kind}"
    elif kind == "ENERGY" and shown != given:
        yield f"period {period + 1}: {shown} kWh in lines, {given} in the CDR"
    elif kind != "ENERGY" and abs(shown - given * 3600) > _CUT_HOURS:
        yield f"period {period + 1}: {shown} s of {kind} in lines, {given} h in the CDR"


def _given(cdr: _Object) -> dict[tuple[int, str], Fraction]:
    found: dict[tuple[int, str], Fraction] = {}
    for place, period in enumerate(cdr["charging_periods"]):
        for each in period["dimensions"]:
            if each["type"] in ("ENERGY", "TIME", "PARKING_TIME", "RESERVATION_TIME"):
                key = place, each["type"]
                found[key] = found.get(key, Fraction(0)) + _number(each["volume"])
    return found


def _sums(found: _Object, *, credit: bool) -> Iterator[str]:
    """Add up lines to groups, and with limits to the total, which a credit turns round."""
    for side in ("excl", "incl"):
        for group, amount in found["groups"].items():
            lines = [line[side] for line in found["lines"] if _group(line) == group]
            yield from _sum(lines, amount[side], f"group {group}, {side}")
        parts = [each[side] for each in (*found["lines"], *found["limits"])]
        total = found["total"][side]
        if credit and total is not None:
            continue
        yield from _sum(parts, total, f"total, {side}")


def _sum(parts: Sequence[str | None], total: str | None, what: str) -> Iterator[str]:
    if total is None or None in parts:
        if total is not None and not parts:
            yield f"{what}: known, though a part is not"
        return
    added = sum((_number(part) for part in parts), Fraction(0))
    if abs(added - _number(total)) > _UNIT * max(len(parts), 1):
        yield f"{what}: {_shown(added)} in lines, {total} shown"


def _taken_back(found: _Object, cost: object) -> Iterator[str]:
    """Compare a credit with what its original declares, if that declares a cost."""
    declared = cost.get("excl_vat", cost.get("before_taxes")) if isinstance(cost, dict) else cost
    total = _optional(found["total"]["excl"])
    if declared is not None and total != -_number(declared):
        yield f"the total is {found['total']['excl']}, and the original declares {declared}"


def _shown(value: Fraction) -> str:
    return f"{Decimal(value.numerator) / value.denominator:.4f}"


def _group(line: _Object) -> str:
    if line["phase"] == "reservation":
        return "reservation"
    return {"FLAT": "fixed", "ENERGY": "energy", "TIME": "time", "PARKING_TIME": "parking"}[
        line["kind"]
    ]


def _number(value: object) -> Fraction:
    return Fraction(str(value))


def _optional(value: object) -> Fraction | None:
    return None if value is None else _number(value)
