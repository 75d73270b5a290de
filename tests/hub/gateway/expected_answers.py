"""What must become of a value at a place, by the tables of the specification.

Derived from `tables.json`, not from the models under test.
"""

import json
import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from tests.hub.samples import Sample
from tests.ocpi import tables

Path = tuple[str | int, ...]
Json = dict[str, Any]
TABLES = tables.kept()["2.2.1"]


class Fate(IntEnum):
    """What becomes of an object; of several reasons the largest counts."""

    KEPT = 0
    SET_ASIDE = 1
    """Kept without the EVSEs and Connectors that are wrong."""
    UNKNOWN_OWNER = 2
    REFUSED = 3
    NOT_JSON = 4


Fates = frozenset[Fate]
KEPT, REFUSED, NOT_JSON = (frozenset({each}) for each in (Fate.KEPT, Fate.REFUSED, Fate.NOT_JSON))
UNKNOWN_OWNER = frozenset({Fate.UNKNOWN_OWNER})

RIGHT_STAMPS = (
    "2026-11-21T05:32:00Z",
    "2026-11-21T05:32:00",
    "2026-11-21T05:32:00.1Z",
    "2026-11-21T05:32:00.123",
    "2026-11-21T05:32:00z",
    "2026-11-21T05:32:00.123456789Z",
    "2026-11-21T05:32:00+00:00",
    "2018-01-01T01:08:01.123+00:00",
    "2026-11-21T05:32:00-11:30",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-11:00",
    "1970-1-1T00:00:00Z",
    "1970-01-01T00:00:00Z",
    "2028-02-29T00:00:00Z",
)
WRONG_STAMPS = (
    "2026-11-21",
    "2026-11-21 05:32:00Z",
    "2026-11-21T05:32Z",
    "2026-1-1T00:00:00Z",
    "2026-02-29T00:00:00Z",
    "2026-11-21T24:00:00Z",
    "2026-11-21T05:32:61Z",
    "2026-11-21T05:32:00 +00:00",
    "2026-11-21T05:32:00Z\\n",
    "yesterday",
)
_LIMITED = re.compile(r"(?:CiString|string|URL)(?:\((\d+)\))?")
_NUMERIC = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[0-9]+)?")
_INTEGRAL = re.compile(r"-?[0-9]+(\.0+)?")
_KEYS = {"country_code": 2, "party_id": 3}
NUMERIC = frozenset({"floor_level", "latitude", "longitude", "physical_reference", "postal_code"})
"""Texts of digits, which some platforms write as numbers."""
NAMED_BY_URL = frozenset({"EVSE.uid", "Connector.id", "Tariff.id"})


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a sample by the tables: where it is, its class, type and cardinality."""

    path: Path
    owner: str
    type: str
    cardinality: str

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.path[-1])


def members(sample: Sample) -> list[Member]:
    """List every member a sample has or could have, except its own id."""
    every = _below((), sample.kind, sample.value)
    return [each for each in every if each.path != (sample.id_field,)]


def _below(path: Path, kind: str, value: Json) -> list[Member]:
    found = []
    for name, (type_, cardinality) in _fields(kind):
        here = (*path, name)
        found.append(Member(here, kind, type_, cardinality))
        inner = value.get(name)
        if isinstance(inner, list) and inner:
            here, inner = (*here, 0), inner[0]
        if type_ in TABLES.classes and isinstance(inner, dict):
            found += _below(here, type_, inner)
    return found


def _fields(kind: str) -> list[tuple[str, list[str]]]:
    """List the fields of a class; an EVSE without an evse_id has none in a CDR either (A-66)."""
    fields = TABLES.classes[kind]
    lenient = {"evse_id": [fields["evse_id"][0], "?"]} if kind == "CdrLocation" else {}
    return list({**fields, **lenient}.items())


def fates_of_text(member: Member, text: str, sample: Sample) -> Fates:
    """Tell what may become of a sample with this text at a member."""
    try:
        value = parse(text)
    except ValueError:
        return NOT_JSON
    if not member.type:
        return KEPT  # a member nobody knows
    if member.path[:-1] == () and member.name in _KEYS:
        said = value.upper() if isinstance(value, str) else None
        return KEPT if said == sample.value[member.name] else REFUSED
    if member.owner == "CDR" and member.name == "credit" and value is True:
        return KEPT | REFUSED  # it depends on the reference
    return _fates(member, value)


def _fates(member: Member, value: object) -> Fates:
    if value is None:
        return KEPT if member.cardinality in {"?", "*"} else REFUSED
    if member.cardinality not in {"*", "+"}:
        return _fate_of_one(member, value)
    if not isinstance(value, list) or (not value and member.cardinality == "+"):
        return REFUSED
    return worst(*(_fate_of_one(member, each) for each in value))


def _fate_of_one(member: Member, value: object) -> Fates:
    if value is None:
        return REFUSED
    if member.type in TABLES.classes:
        return _fate_of_object(member, value)
    if member.type == "boolean":
        return KEPT if isinstance(value, bool) else REFUSED
    if member.type == "number" or member.type.startswith("int"):
        return _fate_of_number(value, integral=member.type != "number")
    if isinstance(value, str):
        return _fate_of_word(member, value)
    return KEPT if member.name in NUMERIC and type(value) in (int, float) else REFUSED


def _fate_of_object(member: Member, value: object) -> Fates:
    if not isinstance(value, dict):
        return REFUSED
    return worst(
        *(
            _fates(Member((*member.path, name), member.type, type_, cardinality), value.get(name))
            for name, (type_, cardinality) in _fields(member.type)
        )
    )


def _fate_of_number(value: object, *, integral: bool) -> Fates:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return REFUSED
    if isinstance(value, str):
        return KEPT if (_INTEGRAL if integral else _NUMERIC).fullmatch(value) else REFUSED
    return REFUSED if integral and int(value) != value else KEPT


def _fate_of_word(member: Member, value: str) -> Fates:
    if member.type == "DateTime":
        return KEPT if value in RIGHT_STAMPS else REFUSED
    if member.name in _KEYS:
        return _fate_of_key(member, value)
    limited = _LIMITED.fullmatch(member.type)
    strict = limited is None or member.type.startswith("CiString")
    if "\0" in value or (strict and re.search(r"[\x00-\x1f\x7f-\x9f]", value)):
        return REFUSED
    if limited is None:  # an enum
        return KEPT if 0 < len(value) <= 255 else REFUSED
    if not value and f"{member.owner}.{member.name}" in NAMED_BY_URL:
        return REFUSED
    most = max(4 * int(limited[1] or 255), 255)
    return KEPT if len(value) <= most else REFUSED


def _fate_of_key(member: Member, value: str) -> Fates:
    """Tell what becomes of a country code or party id below the object itself."""
    if not re.fullmatch(rf"[!-~]{{{_KEYS[member.name]}}}", value):
        return REFUSED
    return UNKNOWN_OWNER if member.owner == "CdrToken" else KEPT


def set_aside(member: Member, text: str | None, fates: Fates) -> Fates:
    """Tell what becomes of an object, given what would if no EVSE could be set aside."""
    if member.path[0] != "evses" or fates == NOT_JSON:
        return fates
    if member.path == ("evses",) and not isinstance(text and parse(text), list):
        return fates
    return frozenset(Fate.SET_ASIDE if each is Fate.REFUSED else each for each in fates)


def parse(text: str) -> Any:
    """Read JSON without mercy; ValueError for what the standard does not know."""
    value = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate is a UnicodeEncodeError
    return value


def _no_constant(text: str) -> float:
    raise ValueError(text)


def _finite(text: str) -> float:
    value = float(text)
    if value in {float("inf"), float("-inf")}:
        raise ValueError(text)
    return value


def worst(*fates: Fates) -> Fates:
    """Combine what may become of an object by several reasons."""
    found = KEPT
    for each in fates:
        found = frozenset(max(one, other) for one in found for other in each)
    return found
