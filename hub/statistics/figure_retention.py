"""Retention of figures: longer than the log they are about, and never without end.

`HUB_FIGURES_DAYS`. EVSEs' changes are kept for the days their uptime is about, and one.
"""

import time
from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings
from django.db.models import Model
from django.utils import timezone

from database import sql
from hub.models import Billed, EvseChange, Failure, Throttled, Traffic
from hub.statistics import sql as statements
from hub.statistics import uptime

_BATCH = 20_000
_LONGEST_SECONDS = 30.0
_MOMENTS: Mapping[type[Model], str] = {
    Traffic: "minute",
    Failure: "hour",
    Throttled: "hour",
    Billed: "hour",
    EvseChange: "minute",
}
"""The column that says when what a row counts happened."""


def prune() -> int:
    """Remove what is too old, as much as half a minute takes; return how many rows that were."""
    days: dict[type[Model], int] = dict.fromkeys(_MOMENTS, settings.HUB_FIGURES_DAYS)
    days[EvseChange] = uptime.DAYS + 1
    end = time.monotonic() + _LONGEST_SECONDS
    return sum(_prune(model, timedelta(days=days[model]), end) for model in _MOMENTS)


def _prune(model: type[Model], age: timedelta, end: float) -> int:
    removed, statement = 0, statements.delete_old(model, _MOMENTS[model])
    terms = {"old": timezone.now() - age, "batch": _BATCH}
    while time.monotonic() < end:
        [(number,)] = sql.rows(statement, terms)
        removed += number
        if number < _BATCH:
            break
    return removed
