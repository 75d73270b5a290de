"""The check of a received object against its table in the specification: what is refused, what not.

Specification: types. How liberal to be is ours: whatever can still be relayed and read is kept and
reported; only what would break somebody is refused.

A right object is checked in compiled code alone. Where pydantic finds an error, the first rule of
its type that applies decides whether to refuse or to report, and with which words.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from pydantic import ValidationError

from ocpi import shape, validators
from ocpi.errors import Fault, Finding, InvalidParameters, NotJson
from ocpi.shape import MOST_FINDINGS
from ocpi.types import OcpiModel

__all__ = ["Finding", "as_object", "decode", "decode_object", "validate"]

LENGTH_CAP = 4
"""A string is refused only when it is longer than so many times its limit …"""

LENGTH_FLOOR = 255
"""… and longer than so many characters, which later errata allow an address of formerly 45."""

ENUM_CAP = 255
"""An unknown enum value longer than this is not a value but an accident."""

_INTEGER = re.compile(r"-?[0-9]{1,18}(?:\.0+)?")
_NUMBER = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,2})?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

_KINDS: Mapping[type, str] = {
    dict: "an object",
    list: "a list",
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
}


def decode(body: bytes) -> object:
    """Read JSON as msgspec does: strictly.

    Raises NotJson for what is not valid JSON in UTF-8, InvalidParameters for a shape that
    `ocpi.shape` refuses: much of it by the text, before anything is made of it.
    """
    shape.check_text(body)
    value = _decoded(body)
    shape.check(body, value)
    return value


def _decoded(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except RecursionError:
        message = "the body is nested too deeply"
    except ValueError as wrong:  # msgspec's own errors and invalid UTF-8
        message = f"the body is not valid JSON: {wrong}"
    raise NotJson(message)


def decode_object(body: bytes) -> dict[str, object]:
    """Read a JSON object; raises InvalidParameters for any other JSON value."""
    return as_object(decode(body))


def as_object(value: object) -> dict[str, object]:
    """Return a decoded value that is an object; raises InvalidParameters for any other."""
    if not isinstance(value, dict):
        text = f"must be an object, not {_kind(value)}"
        raise InvalidParameters(findings=(Finding("", text, Fault.NOT_AN_OBJECT),))
    return value


def validate(model: type[OcpiModel], value: object) -> tuple[Finding, ...]:
    """Check a decoded value against its table and return what deserves a report.

    Raises InvalidParameters naming every field that is wrong beyond tolerance, or when more than
    `MOST_FINDINGS` are odd at all.
    """
    if not validators.has_mistakes(model, value):
        return ()
    wrong = validators.mistakes(model, value, most=MOST_FINDINGS + 1)
    return _judged(wrong) if wrong else ()


@dataclass(frozen=True, slots=True)
class _Rule:
    applies: Callable[[Any, Mapping[str, Any]], bool]
    text: str
    fault: Fault
    refused: bool = True


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


def _is_integer(value: object, _context: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _always(_value: object, _context: object) -> bool:
    return True


_REQUIRED = _Rule(_is_missing, "required", Fault.REQUIRED)
_STRING = (
    _REQUIRED,
    _Rule(_is_no_string, "must be a string, not {kind}", Fault.TYPE),
)
_SIZE = (
    _Rule(_is_short, "must not be empty", Fault.LENGTH),
    _Rule(_is_absurdly_long, "far longer than {max_length} characters", Fault.LENGTH),
    _Rule(_is_long, "longer than {max_length} characters", Fault.LENGTH, refused=False),
)
_TEXT = (
    *_STRING,
    _Rule(_has_nul, "must not contain the character NUL", Fault.CHARACTERS),
    *_SIZE,
    _Rule(_has_control, "contains control characters", Fault.CHARACTERS, refused=False),
)

_RULES: Mapping[str, tuple[_Rule, ...]] = {
    # the shape of the object
    "missing": (_Rule(_always, "required", Fault.REQUIRED),),
    "model_type": (_REQUIRED, _Rule(_always, "must be an object, not {kind}", Fault.TYPE)),
    "list_type": (_REQUIRED, _Rule(_always, "must be a list, not {kind}", Fault.TYPE)),
    "too_short": (_Rule(_always, "must not be empty", Fault.LENGTH),),
    # the scalars of ocpi.types
    "CiString": (
        *_STRING,
        _Rule(_has_control, "must not contain control characters", Fault.CHARACTERS),
        *_SIZE,
        _Rule(
            _always,
            "contains characters that are not printable ASCII",
            Fault.CHARACTERS,
            refused=False,
        ),
    ),
    "string": _TEXT,
    "URL": _TEXT,
    "RoutingKey": (
        *_STRING,
        _Rule(
            _always,
            "must be exactly {characters} printable ASCII characters without space",
            Fault.LENGTH,
        ),
    ),
    "DateTime": (
        *_STRING,
        _Rule(_always, "must be a timestamp like 2026-11-21T05:32:00Z", Fault.TIMESTAMP),
    ),
    "OcpiEnum": (
        *_STRING,
        _Rule(_is_no_enum_value, f"must have 1 to {ENUM_CAP} characters", Fault.LENGTH),
        _Rule(_has_control, "must not contain control characters", Fault.CHARACTERS),
        _Rule(_always, "{value!r:.80} is not a known {name}", Fault.VALUE, refused=False),
    ),
    "number": (
        _REQUIRED,
        _Rule(_is_numeric_string, "must be a number, not a string", Fault.TYPE, refused=False),
        _Rule(_is_integer, "is out of range", Fault.RANGE),
        _Rule(_always, "must be a number, not {kind}", Fault.TYPE),
    ),
    "int": (
        _REQUIRED,
        _Rule(_is_integer, "has more than {digits} digits", Fault.RANGE, refused=False),
        _Rule(
            _is_integral,
            "must be an integer, not {kind} like {value!r:.80}",
            Fault.TYPE,
            refused=False,
        ),
        _Rule(_always, "must be an integer, not {kind}", Fault.TYPE),
    ),
    "boolean": (_REQUIRED, _Rule(_always, "must be a boolean, not {kind}", Fault.TYPE)),
    # what one field demands of another
    "CreditReference": (
        _Rule(_is_missing, "required for a credit", Fault.REQUIRED),
        _Rule(_always, "must be the id of another CDR", Fault.VALUE),
    ),
}


def _judged(wrong: ValidationError) -> tuple[Finding, ...]:
    refused: list[Finding] = []
    reported: list[Finding] = []
    for error in wrong.errors(include_url=False):
        value, context = error["input"], error.get("ctx", {})
        rule = next(r for r in _RULES[error["type"]] if r.applies(value, context))
        text = rule.text.format(kind=_kind(value), value=value, **context)
        finding = Finding(shape.path(error["loc"]), text, rule.fault)
        (refused if rule.refused else reported).append(finding)
    if len(refused) + len(reported) > MOST_FINDINGS:
        raise _too_much(refused or reported)
    if refused:
        raise InvalidParameters(findings=refused)
    return tuple(reported)


def _too_much(found: Sequence[Finding]) -> InvalidParameters:
    """Refuse an object with so many findings, by one sentence with the first of them."""
    text = f"more than {MOST_FINDINGS:,} members are wrong or odd, the first is {found[0]}"
    return InvalidParameters(text, findings=found[:MOST_FINDINGS])


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "null")
