"""An explanation in words: one sentence a line, with the time of day where it happened.

It reads what is stored, `Explanation.as_json`, and nothing else.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

_NAMES = {
    "ENERGY": "energy",
    "FLAT": "flat fee",
    "TIME": "charging",
    "PARKING_TIME": "parking",
    "RESERVATION_TIME": "reservation",
}
_Document = Mapping[str, Any]


def sentences(explanation: _Document) -> Iterator[str]:
    """Say each line, what has no price, the limits and the total; or why there is no price."""
    if "code" in explanation:
        yield f"No price, {explanation['code']}: {explanation['why']}."
        return
    zone, tariffs = _zone(explanation), {each["ref"]: each for each in explanation["tariffs"]}
    for line in explanation["lines"]:
        yield _line(line, tariffs[line["tariff"]]["id"], zone)
    for each in explanation["unpriced"]:
        yield f"{_what(each, zone)}: costs nothing, {each['why']}."
    for each in explanation["limits"]:
        yield f"{each['limit']} changes the total by {_both(each)}."
    yield f"Total {_both(explanation['total'])} {explanation['currency']}; {_verdict(explanation)}."


def _line(line: _Document, tariff: str, zone: tzinfo | None) -> str:
    where = f"element {line['element'] + 1} of tariff {tariff}"
    per = "" if line["per"] == "session" else f"/{line['per']}"
    return f"{_what(line, zone)}, {where}: {_billed(line)}at {line['price']}{per} = {_both(line)}."


def _what(line: _Document, zone: tzinfo | None) -> str:
    name = _NAMES[line["kind"]]
    if line["kind"] == "FLAT":
        name = f"{line['phase']} {name}" if line["phase"] != "charging" else name
        return f"{name}, {_shown(line['from'], zone)} {_place(zone)}"
    amount = _amount(line["used"], line["unit"])
    span = f"{_shown(line['from'], zone)}-{_shown(line['to'], zone)}"
    return f"{amount} {name}, {span} {_place(zone)}"


def _billed(line: _Document) -> str:
    if line["used"] == line["billed"]:
        return ""
    unit = line["unit"]
    size = line["step"]["size"]
    step = f"{size} Wh" if unit == "kWh" else _seconds(size)
    return f"billed {_amount(line['billed'], unit)} (step {step}) "


def _amount(value: str, unit: str) -> str:
    return _seconds(int(value)) if unit == "s" else f"{value} {unit}"


def _seconds(seconds: int) -> str:
    """Write a duration as `1 h 5 min`; a negative one too."""
    hours, rest = divmod(abs(seconds), 3600)
    parts = ((hours, "h"), (rest // 60, "min"), (rest % 60, "s"))
    words = " ".join(f"{count} {unit}" for count, unit in parts if count)
    return f"{'-' if seconds < 0 else ''}{words or '0 s'}"


def _both(amount: _Document) -> str:
    """Write an amount without tax, and with tax where that is known and another."""
    excl, incl = (_money(amount[side]) for side in ("excl", "incl"))
    if excl is None:
        return f"{incl} with tax"
    return excl if incl in (None, excl) else f"{excl}, {incl} with tax"


def _money(value: str | None) -> str | None:
    """Leave out the third and fourth decimal where they are zeros."""
    return value[:-2] if value is not None and value.endswith("00") else value


def _verdict(explanation: _Document) -> str:
    declared = explanation["declared"]
    if declared is None:
        return str(explanation["verdict"])
    return f"declared {_both(declared)}: {explanation['verdict']}"


def _zone(explanation: _Document) -> tzinfo | None:
    name = explanation["time_zone"]
    return ZoneInfo(name) if name else None


def _place(zone: tzinfo | None) -> str:
    return "local" if zone else "UTC"


def _shown(at: str, zone: tzinfo | None) -> str:
    return f"{datetime.fromisoformat(at).astimezone(zone or UTC):%H:%M:%S}".removesuffix(":00")
