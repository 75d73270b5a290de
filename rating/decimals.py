"""Numbers of CDRs and Tariffs: exact, as their text has them; rounded for show alone.

Specification: types, number. A number may be a string (A-71); it never passes through a float.
"""

import json
import re
from decimal import ROUND_CEILING, ROUND_HALF_UP, Context, Decimal, DivisionByZero, InvalidOperation
from typing import Any

from rating.codes import CannotBePriced, Unpriced

EXACT = Context(prec=100, rounding=ROUND_HALF_UP, traps=[InvalidOperation, DivisionByZero])
"""The context of all arithmetic: products and sums of numbers below do not reach its digits."""

SECONDS_PER_HOUR = Decimal(3600)
PERCENT = Decimal("0.01")
ZERO = Decimal(0)
SHOWN = Decimal("0.0001")
"""Amounts are shown and stored with four decimals."""

_LONGEST = 30
_LARGEST = 15
_SMALLEST = -25
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?", re.ASCII)


def _of_json(text: str) -> Decimal | str:
    """Take a number as it stands; what is too long stays text, and is refused where it counts."""
    return Decimal(text) if len(text) <= _LONGEST else text


_DECODER = json.JSONDecoder(parse_float=_of_json, parse_int=_of_json, parse_constant=str)


def decoded(text: str | bytes) -> dict[str, Any]:
    """Decode an object; every number in it is a Decimal of the same digits."""
    try:
        value = _DECODER.decode(text if isinstance(text, str) else text.decode())
    except (ValueError, RecursionError) as failure:
        raise CannotBePriced(Unpriced.TOO_LARGE, f"not readable as JSON: {failure}") from None
    if not isinstance(value, dict):
        raise CannotBePriced(Unpriced.TOO_LARGE, "not a JSON object")
    return value


def number(value: object) -> Decimal:
    """Read a number, or a string that is one (A-71); up to 30 characters, below 10^16."""
    if not isinstance(value, Decimal):
        if not isinstance(value, str) or len(value) > _LONGEST or not _NUMBER.fullmatch(value):
            raise CannotBePriced(Unpriced.TOO_LARGE, f"no number that can be read: {_cut(value)}")
        value = Decimal(value)
    if value and not _SMALLEST <= value.adjusted() <= _LARGEST:
        raise CannotBePriced(Unpriced.TOO_LARGE, f"a number of that size: {_cut(value)}")
    return value or _zero(value)


def _zero(value: Decimal) -> Decimal:
    """Keep the digits that a zero has, within reason: `0E+9` and `-0` are 0."""
    exponent = value.as_tuple().exponent
    seemly = isinstance(exponent, int) and _SMALLEST <= exponent <= 0
    return abs(value) if seemly else ZERO


def optional_number(value: object) -> Decimal | None:
    return None if value is None else number(value)


def whole(value: object) -> int:
    """Read a whole number: a part of one does not count."""
    return int(number(value))


def _cut(value: object) -> str:
    shown = str(value)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"


def half_up(value: Decimal) -> Decimal:
    """Round to four decimals, half away from zero."""
    return value.quantize(SHOWN, ROUND_HALF_UP, EXACT)


def whole_half_up(value: Decimal) -> int:
    """Round to a whole number, half away from zero."""
    return int(value.to_integral_value(ROUND_HALF_UP, EXACT))


def whole_up(value: Decimal) -> int:
    """Round up to a whole number."""
    return int(value.to_integral_value(ROUND_CEILING, EXACT))


def plain(value: Decimal | int) -> str:
    """Write a number without exponent and without zeros behind its last digit."""
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def as_written(value: Decimal) -> str:
    """Write a number with the digits its text had."""
    return format(value, "f")
