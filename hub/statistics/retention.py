"""How long figures are kept: longer than the log they are about, and never without end.

`HUB_FIGURES_DAYS`. EVSEs' changes are kept for the days their uptime is about, and one.
"""

import time
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from database import sql
from hub.statistics import uptime

_BATCH = 20_000
_LONGEST_SECONDS = 30.0
_KEPT = {
    "hub_traffic": "minute",
    "hub_failure": "hour",
    "hub_throttled": "hour",
    "hub_billed": "hour",
    "hub_evsechange": "minute",
}


def prune() -> int:
    """Remove what is too old, as much as half a minute takes; return how many rows that were."""
    days = dict.fromkeys(_KEPT, settings.HUB_FIGURES_DAYS)
    days["hub_evsechange"] = uptime.DAYS + 1
    end = time.monotonic() + _LONGEST_SECONDS
    return sum(_prune(table, timedelta(days=days[table]), end) for table in _KEPT)


def _prune(table: str, age: timedelta, end: float) -> int:
    removed = 0
    terms = {"old": timezone.now() - age, "batch": _BATCH}
    while time.monotonic() < end:
        [(number,)] = sql.rows(_SQL.format(table=table, moment=_KEPT[table]), terms)
        removed += number
        if number < _BATCH:
            break
    return removed


_SQL = """
WITH old AS (
  DELETE FROM {table} WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM {table} WHERE {moment} < %(old)s::timestamptz LIMIT %(batch)s::bigint))
  RETURNING 1)
SELECT count(*) FROM old"""
