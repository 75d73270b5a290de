"""What of a decoded object goes into the columns the hub searches by.

A value that is odd or absent leaves its column empty: the text is what counts.
"""

import math
from collections.abc import Callable, Mapping
from datetime import datetime

from ocpi.types import fold, parse_datetime

Column = Callable[[Mapping[str, object]], object]
"""From a decoded object to the value of one column."""


def values(wanted: Mapping[str, Column], decoded: Mapping[str, object]) -> tuple[object, ...]:
    """Return the value of each wanted column."""
    return tuple([column(decoded) for column in wanted.values()])


def word(*path: str) -> Column:
    """Return a column with a text as it is spelled."""
    return lambda decoded: _text(decoded, path)


def folded(*path: str) -> Column:
    """Return a column with an id, folded like the key it points to."""
    return lambda decoded: fold(_text(decoded, path))


def flag(name: str, *, default: bool) -> Column:
    """Return a column with a boolean."""

    def value(decoded: Mapping[str, object]) -> object:
        found = decoded.get(name)
        return found if isinstance(found, bool) else default

    return value


def number(*path: str) -> Column:
    """Return a column with a number, for people to look at: the text has the exact one."""

    def value(decoded: Mapping[str, object]) -> float | None:
        found = _at(decoded, path)
        try:
            read = float(found) if isinstance(found, int | float | str) else math.nan
        except (ValueError, OverflowError):
            return None
        return read if math.isfinite(read) else None

    return value


def moment(name: str) -> Column:
    """Return a column with a point in time."""

    def value(decoded: Mapping[str, object]) -> datetime | None:
        try:
            return parse_datetime(_text(decoded, (name,)))
        except ValueError:
            return None

    return value


def _text(decoded: Mapping[str, object], path: tuple[str, ...]) -> str:
    """Return a text without NUL, which PostgreSQL's text has not."""
    found = _at(decoded, path)
    return found.replace("\x00", "") if isinstance(found, str) else ""


def _at(decoded: object, path: tuple[str, ...]) -> object:
    for name in path:
        decoded = decoded.get(name) if isinstance(decoded, Mapping) else None
    return decoded
