"""One partition of the log for each day: made ahead, dropped when it is too old.

Messages of a day without a partition go to the default one, and move when the day gets its own.
SQL functions of the tables' owner make and drop them: the hub's own role may not.

Example: partitions are made three days ahead, and beat was away for five. The messages of the last
two days are in the default partition, until the partitions of these days are made and take them.
"""

import re
from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from hub.message_log import sql as statements
from hub.message_log.sql import EXCHANGE

_OF_A_DAY = re.compile(rf"{EXCHANGE}_[0-9]{{8}}")
_DAYS_AHEAD = 3


def maintain_partitions() -> tuple[list[str], list[str]]:
    """Make the partitions of the days to come, drop those that are too old.

    Return the names of those made, and of those dropped.
    """
    today = timezone.now().date()
    existing = names()
    first = today - timedelta(days=settings.HUB_MESSAGE_LOG_DAYS)
    old = [name for name in existing if _OF_A_DAY.fullmatch(name) and name < _name(first)]
    for name in old:
        _execute(statements.DROP_DAY, _day(name))
    _execute(statements.DELETE_FROM_DEFAULT, _midnight(first))
    ahead = [today + timedelta(days=number) for number in range(_DAYS_AHEAD + 1)]
    needed = sorted({*_days_without_partition(today), *ahead})
    return [_add(day) for day in needed if not _is_covered(day)], old


def names() -> list[str]:
    """Return the names of all partitions."""
    with connection.cursor() as cursor:
        cursor.execute(statements.PARTITIONS, [EXCHANGE])
        return [name for (name,) in cursor.fetchall()]


def _days_without_partition(today: date) -> list[date]:
    """Return the days before today whose messages are in the default partition."""
    with connection.cursor() as cursor:
        cursor.execute(statements.DAYS_IN_DEFAULT, [_midnight(today)])
        return [day for (day,) in cursor.fetchall()]


def _name(day: date) -> str:
    return f"{EXCHANGE}_{day:%Y%m%d}"


def _day(name: str) -> date:
    return date.fromisoformat(name.removeprefix(f"{EXCHANGE}_"))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _is_covered(day: date) -> bool:
    """Return whether a partition has part of a day: its own, or one that an operator made."""
    with connection.cursor() as cursor:
        next_day = _midnight(day + timedelta(days=1))
        cursor.execute(statements.COVERED, [EXCHANGE, next_day, _midnight(day)])
        return cursor.fetchone() is not None


def _add(day: date) -> str:
    """Make the partition of a day, and move the day's messages there from the default one."""
    _execute(statements.ADD_DAY, day)
    return _name(day)


def _execute(sql: str, *parameters: date) -> None:
    """Run a statement that gives up after some seconds if it gets no lock.

    While it waits, the log's writer waits behind it.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statements.SET_LOCK_TIMEOUT)
        cursor.execute(sql, parameters or None)
