"""The check of a received object against its table in the specification: what is refused, what not.

A right object is checked in compiled code alone. Where pydantic finds an error, the first rule of
its type that applies (`ocpi.rules`) decides how grave it is, and in which words it is told.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice, pairwise
from typing import Any

import msgspec
from pydantic import ValidationError

from ocpi import relations, shape, validators
from ocpi.errors import Fault, Finding, InvalidParameters, NotJson, Severity
from ocpi.rules import PARTS, RULES, Rule
from ocpi.shape import MOST_FINDINGS
from ocpi.types import OcpiModel

__all__ = ["Finding", "as_object", "decode", "decode_object", "findings", "validate"]

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
    found = findings(model, value)
    if not found:
        return ()
    refused = tuple(each for each in found if each.severity is not Severity.REPORT)
    if refused:
        raise InvalidParameters(findings=refused)
    return found


def findings(
    model: type[OcpiModel], value: object, now: datetime | None = None
) -> tuple[Finding, ...]:
    """Return whatever is wrong with a decoded value, each with what should become of it.

    `now` is what `last_updated` is held against, unless the clock is. Raises InvalidParameters only
    when more than `MOST_FINDINGS` are wrong in their types.
    """
    related = relations.findings(model, value, now)
    if not validators.has_mistakes(model, value):
        return tuple(related)
    return (*_of_types(model, value), *_of_formats(model, value), *related)


def _of_types(model: type[OcpiModel], value: object) -> tuple[Finding, ...]:
    wrong = validators.mistakes(model, value, most=MOST_FINDINGS + 1, formats=False)
    found = _judged(wrong)
    if len(found) > MOST_FINDINGS:
        grave = [each for each in found if each.severity is not Severity.REPORT]
        raise _too_much(grave or found)
    return found


def _of_formats(model: type[OcpiModel], value: object) -> Iterator[Finding]:
    """Return what breaks a format, as many as anybody reads: it refuses nothing."""
    wrong = validators.mistakes(model, value, most=MOST_FINDINGS, formats=True)
    found = (each for each in _judged(wrong) if each.fault is Fault.FORMAT)
    return islice(found, MOST_FINDINGS)


def _judged(wrong: ValidationError | None) -> tuple[Finding, ...]:
    errors = wrong.errors(include_url=False) if wrong else ()
    return tuple(_finding(error) for error in errors)


def _finding(error: Any) -> Finding:  # noqa: ANN401 - what pydantic says of one mistake
    value, context, way = error["input"], error.get("ctx", {}), error["loc"]
    rule = next(each for each in RULES[error["type"]] if each.applies(value, context))
    text = rule.text.format(kind=_kind(value), value=value, **context)
    return Finding(shape.path(way), text, rule.fault, _severity(rule, way))


def _severity(rule: Rule, way: shape.Way) -> Severity:
    """Return how grave a mistake is there: what breaks a part need not break the whole."""
    is_in_part = any(isinstance(at, int) and of in PARTS for of, at in pairwise(way))
    return Severity.SET_ASIDE if is_in_part and rule.severity is Severity.REFUSE else rule.severity


def _too_much(found: Sequence[Finding]) -> InvalidParameters:
    """Refuse an object with so many findings, by one sentence with the first of them."""
    text = f"more than {MOST_FINDINGS:,} members are wrong or odd, the first is {found[0]}"
    return InvalidParameters(text, findings=found[:MOST_FINDINGS])


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "null")
