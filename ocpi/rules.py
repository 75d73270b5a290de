"""The one table of mistakes: what a wrong value of each type is called, and how grave it is.

Specification: types. How liberal to be is ours: whatever can still be relayed and read is kept and
reported; only what would break somebody is refused. `docs/deviations.md` shows this table.
"""

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ocpi.errors import Fault, Severity

LENGTH_CAP = 4
"""A string is refused only when it is longer than so many times its limit …"""

LENGTH_FLOOR = 255
"""… and longer than so many characters, which later errata allow an address of formerly 45."""

ENUM_CAP = 255
"""An unknown enum value longer than this is not a value but an accident."""

PARTS = frozenset({"evses", "connectors"})
"""Lists of parts that stand by themselves: what breaks one of them is no harm to the rest."""

_INTEGER = re.compile(r"-?[0-9]{1,18}(?:\.0+)?")
_NUMBER = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,2})?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Rule:
    """A mistake in a value of one type: when it is one, in which words, of what kind, how grave."""

    applies: Callable[[Any, Mapping[str, Any]], bool]
    text: str
    fault: Fault
    severity: Severity = Severity.REFUSE


def _is_missing(value: object, _context: object) -> bool:
    return value is None


def _is_no_string(value: object, _context: object) -> bool:
    return not isinstance(value, str)


def _has_nul(value: str, _context: object) -> bool:
    return "\0" in value


def _has_control(value: str, _context: object) -> bool:
    return _CONTROL.search(value) is not None


def _is_short(value: str, context: Mapping[str, int]) -> bool:
    return len(value) < context.get("min_length", 0)


def _is_long(value: str, context: Mapping[str, int]) -> bool:
    return len(value) > context.get("max_length", len(value))


def _is_absurdly_long(value: str, context: Mapping[str, int]) -> bool:
    limit = context.get("max_length", len(value))
    return len(value) > max(LENGTH_CAP * limit, LENGTH_FLOOR)


def _is_no_enum_value(value: str, _context: object) -> bool:
    return not 0 < len(value) <= ENUM_CAP


def _is_integral(value: object, _context: object) -> bool:
    if isinstance(value, str):
        return _INTEGER.fullmatch(value) is not None
    return isinstance(value, float) and value.is_integer()


def _is_numeric_string(value: object, _context: object) -> bool:
    return isinstance(value, str) and _NUMBER.fullmatch(value) is not None


def _is_number_in_text(value: object, context: Mapping[str, Any]) -> bool:
    return "numeric" in context and type(value) in (int, float)


def _has_many_digits(value: object, context: Mapping[str, int]) -> bool:
    return "digits" in context and isinstance(value, int) and abs(value) >= 10 ** context["digits"]


def _is_no_float(value: object, _context: object) -> bool:
    return isinstance(value, int) and abs(value) > sys.float_info.max


def _is_not_ascii(value: str, _context: object) -> bool:
    return not (value.isascii() and value.isprintable())


def _is_formed(_value: object, context: Mapping[str, Any]) -> bool:
    return "form" in context


def _is_number(value: object, context: Mapping[str, Any]) -> bool:
    return "form" in context and (type(value) is int or type(value) is float)


def _always(_value: object, _context: object) -> bool:
    return True


_REQUIRED = Rule(_is_missing, "required", Fault.REQUIRED)
_STRING = (
    _REQUIRED,
    Rule(
        _is_number_in_text,
        "must be a string, not a number like {value!r:.80}",
        Fault.TYPE,
        severity=Severity.REPORT,
    ),
    Rule(_is_no_string, "must be a string, not {kind}", Fault.TYPE),
)
_FORMAT = Rule(_is_formed, "must be {form}", Fault.FORMAT, severity=Severity.REPORT)
_RANGE = Rule(_is_number, "must be {form}", Fault.FORMAT, severity=Severity.REPORT)
_SIZE = (
    Rule(_is_short, "must not be empty", Fault.LENGTH),
    Rule(_is_absurdly_long, "far longer than {max_length} characters", Fault.LENGTH),
    Rule(_is_long, "longer than {max_length} characters", Fault.LENGTH, severity=Severity.REPORT),
)
_TEXT = (
    *_STRING,
    Rule(_has_nul, "must not contain the character NUL", Fault.CHARACTERS),
    *_SIZE,
    Rule(_has_control, "contains control characters", Fault.CHARACTERS, severity=Severity.REPORT),
    _FORMAT,
)

RULES: Mapping[str, tuple[Rule, ...]] = {
    # the shape of the object
    "missing": (Rule(_always, "required", Fault.REQUIRED),),
    "model_type": (_REQUIRED, Rule(_always, "must be an object, not {kind}", Fault.TYPE)),
    "list_type": (_REQUIRED, Rule(_always, "must be a list, not {kind}", Fault.TYPE)),
    "too_short": (Rule(_always, "must not be empty", Fault.LENGTH),),
    # the scalars of ocpi.types
    "CiString": (
        *_STRING,
        Rule(_has_control, "must not contain control characters", Fault.CHARACTERS),
        *_SIZE,
        Rule(
            _is_not_ascii,
            "contains characters that are not printable ASCII",
            Fault.CHARACTERS,
            severity=Severity.REPORT,
        ),
        _FORMAT,
    ),
    "string": _TEXT,
    "URL": _TEXT,
    "RoutingKey": (
        *_STRING,
        Rule(
            _always,
            "must be exactly {characters} printable ASCII characters without space",
            Fault.LENGTH,
        ),
    ),
    "DateTime": (
        *_STRING,
        Rule(_always, "must be a timestamp like 2026-11-21T05:32:00Z", Fault.TIMESTAMP),
    ),
    "OcpiEnum": (
        *_STRING,
        Rule(_is_no_enum_value, f"must have 1 to {ENUM_CAP} characters", Fault.LENGTH),
        Rule(_has_control, "must not contain control characters", Fault.CHARACTERS),
        Rule(_always, "{value!r:.80} is not a known {name}", Fault.VALUE, severity=Severity.REPORT),
    ),
    "number": (
        _REQUIRED,
        Rule(
            _is_numeric_string,
            "must be a number, not a string",
            Fault.TYPE,
            severity=Severity.REPORT,
        ),
        Rule(_is_no_float, "is out of range", Fault.RANGE),
        _RANGE,
        Rule(_always, "must be a number, not {kind}", Fault.TYPE),
    ),
    "int": (
        _REQUIRED,
        Rule(
            _has_many_digits,
            "has more than {digits} digits",
            Fault.RANGE,
            severity=Severity.REPORT,
        ),
        Rule(
            _is_integral,
            "must be an integer, not {kind} like {value!r:.80}",
            Fault.TYPE,
            severity=Severity.REPORT,
        ),
        _RANGE,
        Rule(_always, "must be an integer, not {kind}", Fault.TYPE),
    ),
    "boolean": (_REQUIRED, Rule(_always, "must be a boolean, not {kind}", Fault.TYPE)),
    # what one field demands of another
    "CreditReference": (
        Rule(_is_missing, "required for a credit", Fault.REQUIRED),
        Rule(_always, "must be the id of another CDR", Fault.VALUE),
    ),
}

REPAIRED: Mapping[str, tuple[str, ...]] = {
    "any": ("null or an empty list where a member may be left out", "members of no table"),
    "DateTime": ("without zone, with an offset, with more digits than microseconds have",),
    "RoutingKey": ("in lower case",),
}
"""What is read as what was meant without a word, by type; it is passed on as it came."""

RELATED: tuple[str, ...] = (
    "two members that contradict each other, or one value twice in a list of words",
    "a `last_updated` years ahead, or before 2000",
)
"""What `ocpi.relations` finds."""

_SHAPES = {"missing": "any", "model_type": "object", "list_type": "list", "too_short": "list"}
"""How the document calls what pydantic says of the shape of an object."""
_PLACEHOLDER = re.compile(r"\{[^}]*\}")


def rows() -> Iterator[tuple[str, str, Severity]]:
    """List the table: the type, the mistake in words, and how grave it is."""
    for kind, texts in REPAIRED.items():
        yield from ((kind, text, Severity.REPAIR) for text in texts)
    for kind, rules in RULES.items():
        for rule in rules:
            yield _SHAPES.get(kind, kind), _PLACEHOLDER.sub("…", rule.text), rule.severity
    yield from (("any", text, Severity.REPORT) for text in RELATED)
