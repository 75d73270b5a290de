"""Statuses of an EVSE over the last 30 days, one after the other, and its uptime.

Spec: 2.2.1 mod_locations, Status enum. An EVSE is down while it is INOPERATIVE or OUTOFORDER. Time
in which nobody knows (UNKNOWN), or in which it is not there (PLANNED, REMOVED, or not known to the
hub yet), counts neither as up nor as down.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from hub.models import Evse, EvseChange, EvseStatus

DAYS = 30
_DOWN = frozenset({"INOPERATIVE", "OUTOFORDER"})
_NOT_COUNTED = frozenset({"", "UNKNOWN", "PLANNED", "REMOVED"})
StatusChange = tuple[datetime, str, str]
"""When a status changed, what it was and what it became."""


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which the status was the same; `status` is empty while the hub had no such EVSE."""

    begin: datetime
    end: datetime
    status: str

    @property
    def length(self) -> timedelta:
        return self.end - self.begin


def spans(
    changes: Iterable[StatusChange], *, present: str, begin: datetime, end: datetime
) -> list[Span]:
    """Return the spans from `begin` to `end`: without changes one, of the present status."""
    return [span for span in _all_spans(changes, present, begin, end) if span.length]


def _all_spans(
    changes: Iterable[StatusChange], present: str, begin: datetime, end: datetime
) -> Iterator[Span]:
    status: str | None = None
    for at, before, after in changes:
        # Only the first change is asked what was before it; each later span has the status that
        # the change at its beginning brought.
        yield Span(begin, at, before if status is None else status)
        begin, status = at, after
    yield Span(begin, end, present if status is None else status)


def uptime_share(spans_of_time: Iterable[Span]) -> float | None:
    """Return the share of the counted time in which the EVSE was up; None if no time counts."""
    counted = [span for span in spans_of_time if span.status not in _NOT_COUNTED]
    total = sum((span.length for span in counted), timedelta())
    down = sum((span.length for span in counted if span.status in _DOWN), timedelta())
    return 1 - down / total if total else None


def recent_spans(evse: Evse) -> list[Span]:
    """Return the spans of an EVSE in the last 30 days, as far as the feed was followed."""
    end = timezone.now()
    begin = end - timedelta(days=DAYS)
    changes = EvseChange.objects.filter(evse=evse.pk, at__gt=begin).order_by("minute")
    rows = changes.values_list("at", "before", "status")
    known = EvseStatus.objects.filter(evse=evse.pk).values_list("status", flat=True).first()
    return spans(rows, present=evse.status if known is None else known, begin=begin, end=end)
