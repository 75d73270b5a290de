"""The figures of the log: counted with the rows they are about, in one transaction with them.

docs/architecture.md#figures. They have few rows, whatever a peer sends: parties the hub does not
know count as nobody, codes nobody specified by their hundreds.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

import psycopg

from hub.message_log import sql as statements
from hub.message_log.rows import Row
from hub.message_log.sql import COLUMNS
from ocpi.status_codes import StatusCode, is_success

_AT, _DIRECTION, _PLATFORM, _SENDER, _RECEIVER, _MODULE, _HTTP, _CODE, _MILLISECONDS = map(
    COLUMNS.index,
    (
        "at",
        "direction",
        "platform",
        "sender",
        "receiver",
        "module",
        "http_status",
        "status_code",
        "milliseconds",
    ),
)
_OCPI_CODES = range(1_000, 5_000)
_HTTP_CODES = range(100, 600)
_KNOWN_CODES = frozenset(code.value for code in StatusCode)

Key = tuple[Any, ...]


def count(connection: psycopg.Connection, rows: Sequence[Row], known: Collection[str]) -> None:
    """Add rows of the log to the figures; `known` are the parties that are counted by name."""
    _add(
        connection, statements.COUNT_TRAFFIC, ((*key, *sums) for key, sums in traffic(rows).items())
    )
    found = failures(rows, known)
    _add(connection, statements.COUNT_FAILURES, ((*key, number) for key, number in found.items()))
    refused = throttled(rows)
    _add(
        connection, statements.COUNT_THROTTLED, ((*key, number) for key, number in refused.items())
    )


def traffic(rows: Iterable[Row]) -> dict[Key, list[float]]:
    """Return number, failed and milliseconds by minute, module and direction."""
    found: defaultdict[Key, list[float]] = defaultdict(lambda: [0, 0, 0.0])
    for row in rows:
        minute = row[_AT].replace(second=0, microsecond=0)
        sums = found[minute, row[_MODULE], row[_DIRECTION]]
        sums[0] += 1
        sums[1] += not _is_good(row)
        sums[2] += row[_MILLISECONDS]
    return dict(found)


def failures(rows: Iterable[Row], known: Collection[str]) -> Counter[Key]:
    """Count by hour, party, module and code what came to nothing."""
    return Counter(_failure(row, known) for row in rows if not _is_good(row))


def throttled(rows: Iterable[Row]) -> Counter[Key]:
    """Count by hour and platform what came too fast; strangers have no name."""
    return Counter(
        (_hour(row), row[_PLATFORM])
        for row in rows
        if row[_DIRECTION] == "in" and row[_HTTP] == HTTPStatus.TOO_MANY_REQUESTS
    )


def _failure(row: Row, known: Collection[str]) -> Key:
    """Name whose failure it is: who asked the hub in vain, or whom the hub asked in vain."""
    party = row[_SENDER] if row[_DIRECTION] == "in" else row[_RECEIVER]
    return _hour(row), party if party in known else "", row[_MODULE], _code(row)


def _hour(row: Row) -> datetime:
    moment: datetime = row[_AT]
    return moment.replace(minute=0, second=0, microsecond=0)


def _is_good(row: Row) -> bool:
    code = row[_CODE]
    return code is not None and is_success(code)


def _code(row: Row) -> int:
    """Return the OCPI code, rounded where nobody specified it, or else the HTTP status."""
    code, http = row[_CODE], row[_HTTP]
    # A peer that invents a code for each answer, 2042 and 2043, is counted in one row: 2000.
    if code in _OCPI_CODES:
        return int(code if code in _KNOWN_CODES else code // 100 * 100)
    return int(http) if http in _HTTP_CODES else 0


def _add(connection: psycopg.Connection, sql: str, rows: Iterable[Key]) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)]
    if columns:
        connection.execute(sql.encode(), columns)
