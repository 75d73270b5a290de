"""One partition of the log for each day: made ahead, dropped when it is too old.

What comes while a day has none goes to the default partition, and moves when the day gets one.
Tables are made and dropped by functions of their owner: the hub's own role may not.
"""

import re
from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

_TABLE = "hub_exchange"
_DEFAULT = f"{_TABLE}_default"
_OF_A_DAY = re.compile(rf"{_TABLE}_[0-9]{{8}}")
_AHEAD = 3
_PARTITIONS = """
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = %s::regclass ORDER BY c.relname"""
_COVERED = r"""
SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
CROSS JOIN pg_get_expr(c.relpartbound, c.oid) AS bounds
WHERE i.inhparent = %s::regclass AND bounds <> 'DEFAULT'
  AND COALESCE(substring(bounds FROM 'FROM \(''(.*?)''\)')::timestamptz, '-infinity') < %s
  AND COALESCE(substring(bounds FROM 'TO \(''(.*?)''\)')::timestamptz, 'infinity') > %s"""
_DAYS = f"SELECT DISTINCT (at AT TIME ZONE 'UTC')::date FROM {_DEFAULT} WHERE at < %s"


def maintain_partitions() -> tuple[list[str], list[str]]:
    """Make the partitions of the days to come, drop those too old; return both by name."""
    today = timezone.now().date()
    existing = names()
    first = today - timedelta(days=settings.HUB_MESSAGE_LOG_DAYS)
    old = [name for name in existing if _OF_A_DAY.fullmatch(name) and name < _name(first)]
    for name in old:
        _execute("SELECT hub_exchange_drop_day(%s)", _day(name))
    _execute(f"DELETE FROM {_DEFAULT} WHERE at < %s", _midnight(first))
    ahead = [today + timedelta(days=number) for number in range(_AHEAD + 1)]
    wanted = sorted({*_gone_by(today), *ahead})
    return [_made(day) for day in wanted if not _is_covered(day)], old


def names() -> list[str]:
    """Return the names of all partitions."""
    with connection.cursor() as cursor:
        cursor.execute(_PARTITIONS, [_TABLE])
        return [name for (name,) in cursor.fetchall()]


def _gone_by(today: date) -> list[date]:
    """Return the days before today that came without a partition."""
    with connection.cursor() as cursor:
        cursor.execute(_DAYS, [_midnight(today)])
        return [day for (day,) in cursor.fetchall()]


def _name(day: date) -> str:
    return f"{_TABLE}_{day:%Y%m%d}"


def _day(name: str) -> date:
    return date.fromisoformat(name.removeprefix(f"{_TABLE}_"))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _is_covered(day: date) -> bool:
    """Tell whether a partition has some of a day: its own, or one an operator made."""
    with connection.cursor() as cursor:
        cursor.execute(_COVERED, [_TABLE, _midnight(day + timedelta(days=1)), _midnight(day)])
        return cursor.fetchone() is not None


def _made(day: date) -> str:
    """Make the partition of a day, with what the default one has of it."""
    _execute("SELECT hub_exchange_add_day(%s)", day)
    return _name(day)


def _execute(sql: str, *parameters: date) -> None:
    """Run a statement that waits for no lock longer than the log can be without its table."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '5s'")
        cursor.execute(sql, parameters or None)
