"""What is read of the log: journeys, bodies, ids and lengths of time."""

import re
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from hub.masking.personal import mask_value
from hub.models import Exchange
from ocpi.types import fold

MOST_OF_A_JOURNEY = 500
BODIES = ("request_body", "response_body")
_SPAN = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def journey(correlation_id: str, *, bodies: int = 0) -> list[Exchange]:
    """Return what belongs to a correlation id, in the order in which it began.

    With the bodies, unless there are more than so many. What strangers send belongs to nothing.
    """
    if not correlation_id:
        return []
    found = Exchange.objects.filter(correlation_id=correlation_id).order_by("-at", "-id")
    rows = list(found.defer(*BODIES)[:MOST_OF_A_JOURNEY])[::-1]
    if 0 < len(rows) <= bodies:
        return list(found[: len(rows)])[::-1]
    return rows


def keys(object_id: str) -> set[str]:
    """Return how an id may stand in the log: a token's is masked there, if it is not already."""
    is_masked = object_id.startswith("\N{HORIZONTAL ELLIPSIS}")
    return {fold(object_id)} if is_masked else {fold(object_id), fold(mask_value(object_id))}


def span(text: str) -> timedelta:
    """Read a length of time like 10m; ValueError says how to write one."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r:.20} is no length of time: write 30s, 10m, 2h or 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def moment(text: str) -> datetime:
    """Read a moment, or how long ago it was; ValueError says how to write one."""
    if _SPAN.fullmatch(text):
        return timezone.now() - span(text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        sentence = f"{text!r:.30} is no moment: write 30s, 10m, 2h, 7d or 2027-01-31T12:00"
        raise ValueError(sentence) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
