"""How an EVSE was over the last days: its statuses one after the other, and its uptime.

Spec: 2.2.1 mod_locations, Status enum. It is down while it is INOPERATIVE or OUTOFORDER; while
nobody knows, or it is not there at all (UNKNOWN, PLANNED, REMOVED), the time does not count.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from hub.models import Evse, EvseChange

DAYS = 30
_DOWN = frozenset({"INOPERATIVE", "OUTOFORDER"})
_NOT_COUNTED = frozenset({"", "UNKNOWN", "PLANNED", "REMOVED"})
Step = tuple[datetime, str, str]
"""When a status changed, what it was and what it became."""


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which the status was the same; empty while the hub did not know the EVSE."""

    begin: datetime
    end: datetime
    status: str

    @property
    def length(self) -> timedelta:
        """How long that was."""
        return self.end - self.begin


def spans(changes: Iterable[Step], *, present: str, begin: datetime, end: datetime) -> list[Span]:
    """Return how it was from `begin` to `end`; without any change it was as at present."""
    return [span for span in _spans(changes, present, begin, end) if span.length]


def _spans(changes: Iterable[Step], present: str, begin: datetime, end: datetime) -> Iterator[Span]:
    status: str | None = None
    for at, before, after in changes:
        yield Span(begin, at, before if status is None else status)
        begin, status = at, after
    yield Span(begin, end, present if status is None else status)


def uptime(known: Iterable[Span]) -> float | None:
    """Return the share of the time that counts in which it was not down; None if none counts."""
    counted = [span for span in known if span.status not in _NOT_COUNTED]
    whole = sum((span.length for span in counted), timedelta())
    down = sum((span.length for span in counted if span.status in _DOWN), timedelta())
    return 1 - down / whole if whole else None


def of(evse: Evse) -> list[Span]:
    """Return how an EVSE was in the last 30 days."""
    end = timezone.now()
    begin = end - timedelta(days=DAYS)
    changes = EvseChange.objects.filter(evse=evse.pk, at__gt=begin).order_by("minute")
    steps = changes.values_list("at", "before", "status")
    return spans(steps, present=evse.status, begin=begin, end=end)
