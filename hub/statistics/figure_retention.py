"""Retention of figures: `HUB_FIGURES_DAYS`, longer than the log they are about.

Changes of EVSEs' statuses are kept for the days that their uptime covers, and one more.
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
"""Rows that one statement deletes."""
_LONGEST_SECONDS = 30.0
_TIME_COLUMNS: Mapping[type[Model], str] = {
    Traffic: "minute",
    Failure: "hour",
    Throttled: "hour",
    Billed: "hour",
    EvseChange: "minute",
}
"""The column that says when what a row counts happened."""


def prune() -> int:
    """Delete rows that are too old, for half a minute at most; return how many were deleted."""
    days: dict[type[Model], int] = dict.fromkeys(_TIME_COLUMNS, settings.HUB_FIGURES_DAYS)
    days[EvseChange] = uptime.DAYS + 1
    end = time.monotonic() + _LONGEST_SECONDS
    return sum(_prune(model, timedelta(days=days[model]), end) for model in _TIME_COLUMNS)


def _prune(model: type[Model], age: timedelta, end: float) -> int:
    removed, statement = 0, statements.delete_old(model, _TIME_COLUMNS[model])
    terms = {"old": timezone.now() - age, "batch": _BATCH}
    while time.monotonic() < end:
        [(number,)] = sql.rows(statement, terms)
        removed += number
        if number < _BATCH:
            break
    return removed
