"""Relations between members of one object, as the specification fixes them, and what breaks them.

Specification: the descriptions in the field tables. A class states them by markers at its fields;
from these follows what is looked at, at every depth. What breaks one is kept and reported.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from ocpi import shape
from ocpi.errors import Fault, Finding, Severity
from ocpi.formats import TIME_OF_DAY
from ocpi.types import UNKNOWN_MOMENT, OcpiEnum, OcpiModel, parse_datetime

Json = dict[str, Any]
Broken = tuple[shape.Way, str]
"""Where, below the object, and what is wrong."""
_Check = Callable[[Json], "Broken | None"]

_UNKNOWN = UNKNOWN_MOMENT[:5]
"""Nobody charged in 1970: it is how a time is said not to be known, also in right letters."""
_TIME = re.compile(TIME_OF_DAY.pattern)
_MOST = shape.MOST_FINDINGS
YEARS_AHEAD = 1
"""A `last_updated` may be that far in the future before it is mentioned: clocks go wrong."""


@dataclass(frozen=True, slots=True)
class AtLeast:
    """Is not before, or less than, another member."""

    other: str


@dataclass(frozen=True, slots=True)
class Until:
    """Is later than another time of day; midnight is the end of the day."""

    other: str

    def check(self, name: str) -> _Check:
        """Return what looks at it."""
        other = self.other

        def broken(value: Json) -> Broken | None:
            start, end = str(value.get(other)), str(value.get(name))
            if end == "00:00" or not (_TIME.fullmatch(start) and _TIME.fullmatch(end)):
                return None
            return ((name,), f"is not after {other}") if end <= start else None

        return broken


@dataclass(frozen=True, slots=True)
class Within:
    """Each item begins in the period from one member to another."""

    start: str
    end: str
    item: str = "start_date_time"

    def check(self, name: str) -> _Check:
        """Return what looks at it; the first item that does not is enough to tell."""

        def broken(value: Json) -> Broken | None:
            items, start, end = value.get(name), value.get(self.start), value.get(self.end)
            for position, each in enumerate(items if type(items) is list else ()):
                text = self._of_item(each, start, end)
                if text:
                    return (name, position, self.item), text
            return None

        return broken

    def _of_item(self, each: object, start: object, end: object) -> str:
        moment = each.get(self.item) if type(each) is dict else None
        if _precedes(moment, start):
            return f"lies before {self.start}"
        return f"lies after {self.end}" if _precedes(end, moment) else ""


@dataclass(frozen=True, slots=True)
class OnlyWhere:
    """Is there only where a flag has a value; with `needed` it has to be there then."""

    flag: str
    value: bool
    needed: bool = False

    def check(self, name: str) -> _Check:
        """Return what looks at it."""
        flag, wanted, needed = self.flag, self.value, self.needed
        says = f"{flag} is {str(wanted).lower()}"

        def broken(value: Json) -> Broken | None:
            is_there, said = bool(value.get(name)), value.get(flag)
            if is_there and said is (not wanted):
                return (name,), f"is for where {says}"
            if needed and not is_there and said is wanted:
                return (name,), f"is needed where {says}"
            return None

        return broken


def findings(
    model: type[OcpiModel], value: object, now: datetime | None = None
) -> Sequence[Finding]:
    """Return what breaks a relation, a bounded number of all; `now` is for tests to say."""
    if type(value) is not dict:
        return ()
    plan = _plan(model)
    broken: list[Broken] = []
    if plan.is_stamped:
        stamp = value.get("last_updated")
        if type(stamp) is str and (now is not None or not "2000" <= stamp < _SOON):
            broken += _of_stamp(stamp, now or datetime.now(UTC))
    if plan.has_relations:
        _walk(plan, value, (), broken)
    return [_finding(*each) for each in broken[:_MOST]] if broken else ()


_SOON = f"{datetime.now(UTC).year + YEARS_AHEAD:04}"
"""What was not years ahead when the process began never is."""


def _of_stamp(stamp: str, now: datetime) -> Iterator[Broken]:
    year = stamp[:4]
    if not year.isdecimal():
        return
    if year > f"{now.year + YEARS_AHEAD:04}":
        yield ("last_updated",), "lies years ahead"
    elif year < "2000":
        yield ("last_updated",), "lies before there was OCPI"


def _finding(way: shape.Way, text: str) -> Finding:
    return Finding(shape.path(way), text, Fault.RELATION, Severity.REPORT)


_Look = Callable[[Any, shape.Way, list[Broken]], None]
"""Looks at a member, wherever it is, and adds what is broken there."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What to look at in an object of a class: relations of itself, and members further in."""

    pairs: tuple[tuple[str, str], ...]
    checks: tuple[_Check, ...]
    looks: tuple[tuple[str, _Look], ...]
    is_stamped: bool
    has_relations: bool


def _walk(plan: _Plan, value: Json, way: shape.Way, broken: list[Broken]) -> None:
    """Add what is broken in an object of a plan, and further in."""
    if plan.pairs:
        _compare(plan.pairs, value, way, broken)
    if plan.checks:
        found = [each for check in plan.checks if (each := check(value))]
        broken += [((*way, *where), text) for where, text in found]
    get = value.get
    for name, look in plan.looks:
        member = get(name)
        if member:
            look(member, (*way, name), broken)


def _compare(
    pairs: tuple[tuple[str, str], ...], value: Json, way: shape.Way, broken: list[Broken]
) -> None:
    get = value.get
    for name, other in pairs:
        member = get(name)
        if member is not None and _precedes(member, get(other)):
            is_less = "lies before" if type(member) is str else "is less than"
            broken.append(((*way, name), f"{is_less} {other}"))


def _at_object(plan: _Plan) -> _Look:
    def look(member: Any, way: shape.Way, broken: list[Broken]) -> None:  # noqa: ANN401 - whatever was sent
        if type(member) is dict:
            _walk(plan, member, way, broken)

    return look


def _at_objects(plan: _Plan) -> _Look:
    def look(member: Any, way: shape.Way, broken: list[Broken]) -> None:  # noqa: ANN401 - whatever was sent
        if type(member) is list:
            for position, each in enumerate(member):
                if type(each) is dict and len(broken) < _MOST:
                    _walk(plan, each, (*way, position), broken)

    return look


def _at_values(member: Any, way: shape.Way, broken: list[Broken]) -> None:  # noqa: ANN401 - whatever was sent
    if _has_repeated(member):
        broken += _repeated(member, way)


def _has_repeated(items: Any) -> bool:  # noqa: ANN401 - whatever was sent
    try:
        return type(items) is list and len(set(items)) < len(items)
    except TypeError:  # objects or lists among them
        return True


def _repeated(items: Any, way: shape.Way) -> Iterator[Broken]:  # noqa: ANN401 - whatever was sent
    seen: set[str] = set()
    for position, each in enumerate(items):
        if isinstance(each, str) and each in seen:
            yield (*way, position), "stands more than once in its list"
        elif isinstance(each, str):
            seen.add(each)


@cache
def _plan(model: type[OcpiModel]) -> _Plan:
    hints = get_type_hints(model, include_extras=True)
    fields = {name: hints[name] for name in model.model_fields}
    markers = [(name, marker) for name, hint in fields.items() for marker in _markers(hint)]
    pairs = [(name, each.other) for name, each in markers if isinstance(each, AtLeast)]
    checks = [
        each.check(name) for name, each in markers if isinstance(each, Until | Within | OnlyWhere)
    ]
    looks = [(name, look) for name, hint in fields.items() if (look := _look(hint))]
    return _Plan(
        tuple(pairs),
        tuple(checks),
        tuple(looks),
        is_stamped="last_updated" in fields,
        has_relations=bool(pairs or checks or looks),
    )


def _look(hint: Any) -> _Look | None:  # noqa: ANN401 - a type
    """Return how to look at a member of this type, None if there is nothing in it to look at."""
    kind, is_list = _kind(hint)
    if kind is not None and issubclass(kind, OcpiEnum):
        return _at_values if is_list else None
    if kind is None or not issubclass(kind, OcpiModel):
        return None
    plan = _plan(kind)
    if not plan.has_relations:
        return None
    return _at_objects(plan) if is_list else _at_object(plan)


def _markers(hint: Any) -> Iterator[object]:  # noqa: ANN401 - a type
    if get_origin(hint) is Annotated:
        yield from hint.__metadata__
        yield from _markers(get_args(hint)[0])
    elif get_origin(hint) in (Union, UnionType):
        for each in get_args(hint):
            yield from _markers(each)


def _kind(hint: Any) -> tuple[type | None, bool]:  # noqa: ANN401 - a type
    """Return the class of a member or of its items, and whether it is a list."""
    if get_origin(hint) in (Union, UnionType, Annotated):
        return _kind(get_args(hint)[0])
    if get_origin(hint) is list:
        return _kind(get_args(hint)[0])[0], True
    return (hint if isinstance(hint, type) else None), False


def _precedes(one: Any, other: Any) -> bool:  # noqa: ANN401 - whatever was sent
    """Whether a moment, date or number lies before another of its kind; of nonsense nothing does.

    A price is as much as it is without VAT.
    """
    if type(one) is str and type(other) is str:
        if one >= other and len(one) == len(other) and one[-1:] == other[-1:] != "":
            return False
        return _lies_before(one, other)
    if type(one) is dict and type(other) is dict:
        one, other = one.get("excl_vat"), other.get("excl_vat")
    numbers = type(one) in (int, float) and type(other) in (int, float)
    return numbers and one < other


def _lies_before(one: str, other: str) -> bool:
    if one[:5] == _UNKNOWN or other[:5] == _UNKNOWN:
        return False
    if len(one) == len(other) == len("2026-11-21"):
        return one < other
    try:
        return parse_datetime(one) < parse_datetime(other)
    except ValueError:
        return False
