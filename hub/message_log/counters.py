"""The figures of the log, counted in the transaction that writes the rows they are about.

docs/architecture.md#figures. Their tables stay small whatever a peer sends: parties that the hub
does not know are counted without a name, status codes that OCPI does not have by their hundreds.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import NamedTuple

import psycopg

from hub.message_log import sql as statements
from hub.message_log.entry import LoggedRoute
from hub.message_log.sql import LogRow
from ocpi.status_codes import StatusCode, is_success

_OCPI_CODES = range(1_000, 5_000)
_HTTP_CODES = range(100, 600)
_RELAYED = {LoggedRoute.DIRECT, LoggedRoute.OPEN, LoggedRoute.RESULT, LoggedRoute.ASKED_ALL}
_KNOWN_CODES = frozenset(code.value for code in StatusCode)


class TrafficKey(NamedTuple):
    """What messages are counted by."""

    minute: datetime
    module: str
    direction: str


class FailureKey(NamedTuple):
    """What failures are counted by; `party` is empty if the hub does not know it."""

    hour: datetime
    party: str
    module: str
    code: int


class ThrottledKey(NamedTuple):
    """What requests refused with 429 are counted by; `platform` is empty for strangers."""

    hour: datetime
    platform: str


def count(connection: psycopg.Connection, rows: Sequence[LogRow], known: Collection[str]) -> None:
    """Add rows of the log to the figures; `known` are the parties that are counted by name."""
    sums_by_key = traffic(rows)
    _add(connection, statements.COUNT_TRAFFIC, ((*key, *sums_by_key[key]) for key in sums_by_key))
    failed = failures(rows, known)
    _add(connection, statements.COUNT_FAILURES, ((*key, failed[key]) for key in failed))
    refused = throttled(rows)
    _add(connection, statements.COUNT_THROTTLED, ((*key, refused[key]) for key in refused))


def traffic(rows: Iterable[LogRow]) -> dict[TrafficKey, list[float]]:
    """Return, by key, how many messages there were, how many failed, and their milliseconds."""
    found: defaultdict[TrafficKey, list[float]] = defaultdict(lambda: [0, 0, 0.0])
    for row in rows:
        minute = row.at.replace(second=0, microsecond=0)
        sums = found[TrafficKey(minute, row.module, row.direction)]
        sums[0] += 1
        sums[1] += not _succeeded(row)
        sums[2] += row.milliseconds
    return dict(found)


def failures(rows: Iterable[LogRow], known: Collection[str]) -> Counter[FailureKey]:
    """Count the messages without a successful answer."""
    return Counter(_failure_key(row, known) for row in rows if not _succeeded(row))


def throttled(rows: Iterable[LogRow]) -> Counter[ThrottledKey]:
    """Count the requests that were refused because their sender was over its rate."""
    return Counter(
        ThrottledKey(_hour(row), row.platform)
        for row in rows
        if row.direction == "in"
        and row.http_status == HTTPStatus.TOO_MANY_REQUESTS
        and row.route not in _RELAYED  # else it is the 429 of the party that it went to
    )


def _failure_key(row: LogRow, known: Collection[str]) -> FailureKey:
    """Count a failure for the party that is not the hub: the sender of what came in."""
    party = row.sender if row.direction == "in" else row.receiver
    return FailureKey(_hour(row), party if party in known else "", row.module, _code(row))


def _hour(row: LogRow) -> datetime:
    return row.at.replace(minute=0, second=0, microsecond=0)


def _succeeded(row: LogRow) -> bool:
    return row.status_code is not None and is_success(row.status_code)


def _code(row: LogRow) -> int:
    """Return the OCPI code, rounded if OCPI has no such code; without one, the HTTP status."""
    code, http = row.status_code, row.http_status
    # A peer that invents a code for each answer, 2042 and 2043, is counted in one row: 2000.
    if code is not None and code in _OCPI_CODES:
        return code if code in _KNOWN_CODES else code // 100 * 100
    return http if http is not None and http in _HTTP_CODES else 0


def _add(connection: psycopg.Connection, sql: str, rows: Iterable[tuple[object, ...]]) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)]
    if columns:
        connection.execute(sql.encode(), columns)
