"""Moments and lengths of time as operators type them: 30s, 10m, 2h, 7d, 2027-01-31T12:00."""

import re
from datetime import UTC, datetime, timedelta

from django.utils import timezone

_SPAN = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def span(text: str) -> timedelta:
    """Read a length of time like 10m; ValueError says how to write one."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r:.20} is no length of time: write 30s, 10m, 2h or 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def moment(text: str) -> datetime:
    """Read a moment (in UTC if it names no zone), or how long ago it was.

    ValueError says how to write one.
    """
    if _SPAN.fullmatch(text):
        return timezone.now() - span(text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        sentence = f"{text!r:.30} is no moment: write 30s, 10m, 2h, 7d or 2027-01-31T12:00"
        raise ValueError(sentence) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
