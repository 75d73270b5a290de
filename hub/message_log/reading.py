"""Looking things up in the log: always by an index, always a bounded number."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from hub.models import Exchange
from hub.personal import mask
from ocpi.types import PartyRef, fold

MOST_OF_A_JOURNEY = 500
BODIES = ("request_body", "response_body")
_SPAN = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

Rows = QuerySet[Exchange]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an operator looks for; what is empty does not matter."""

    party: str = ""
    module: str = ""
    code: int | None = None
    since: timedelta | None = None
    object_id: str = ""


def journey(correlation_id: str) -> list[Exchange]:
    """Return what belongs to a correlation id, in the order in which it began."""
    found = Exchange.objects.filter(correlation_id=correlation_id).order_by("-at", "-id")
    return list(found.defer(*BODIES)[:MOST_OF_A_JOURNEY])[::-1]


def newest(wanted: Wanted, *, limit: int) -> list[Exchange]:
    """Return the newest exchanges that are wanted, the newest last as in a log file."""
    found = Exchange.objects.all()
    if wanted.party:
        found = of_party(found, str(PartyRef.parse(wanted.party)))
    conditions: dict[str, Any] = {
        "module": wanted.module or None,
        "status_code": wanted.code,
        "at__gte": timezone.now() - wanted.since if wanted.since else None,
        "object_key__in": keys(wanted.object_id) if wanted.object_id else None,
    }
    given = {name: value for name, value in conditions.items() if value is not None}
    return list(found.filter(**given).order_by("-at", "-id").defer(*BODIES)[:limit])[::-1]


def of_party(rows: Rows, key: str) -> Rows:
    """Keep what a party said or was told."""
    return rows.filter(Q(sender=key) | Q(receiver=key))


def keys(object_id: str) -> set[str]:
    """Return how an id may stand in the log: a token's is masked there."""
    return {fold(object_id), fold(mask(object_id))}


def span(text: str) -> timedelta:
    """Read a length of time like 10m; ValueError says how to write one."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r:.20} is no length of time: write 30s, 10m, 2h or 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
