"""The SQL of the message log: what its writer needs, its figures, its partitions, its search.

The writer runs its own statements on a connection of its own (psycopg's placeholders by position);
those of the search are put together from fragments, since any of its conditions may be missing.
"""

# ruff: noqa: SLF001 - _meta is the documented way to a table's name

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from database.sql import Query
from hub.models import Exchange, Failure, Location, Throttled, Traffic
from parties.models import Endpoint, Holder, Party, Platform

EXCHANGE = Exchange._meta.db_table
DEFAULT_PARTITION = f"{EXCHANGE}_default"
TRAFFIC, FAILURE, THROTTLED = (each._meta.db_table for each in (Traffic, Failure, Throttled))
ENDPOINT, HOLDER, PARTY, PLATFORM = (
    each._meta.db_table for each in (Endpoint, Holder, Party, Platform)
)
LOCATION = Location._meta.db_table
BODIES = ("request_body", "response_body")


class LogRow(NamedTuple):
    """A row of the log as it is written, without the id that the database gives it."""

    at: datetime
    direction: str
    """`in` or `out`, as seen from the hub."""
    platform: str = ""
    sender: str = ""
    receiver: str = ""
    version: str = ""
    module: str = ""
    interface: str = ""
    method: str = ""
    endpoint: str = ""
    path: str = ""
    """What follows the endpoint in the URL."""
    object_key: str = ""
    route: str = ""
    http_status: int | None = None
    status_code: int | None = None
    status_message: str = ""
    milliseconds: float = 0.0
    request_id: str = ""
    correlation_id: str = ""
    request_body: str = ""
    response_body: str = ""


COLUMNS = LogRow._fields

# ---------------------------------------------------------------------------------- the writer

# If a table is locked, the writer tries again later rather than wait in the queue for its lock.
SET_TIMEOUTS = "SET lock_timeout = '2s'; SET statement_timeout = '10s'"
COPY_ROWS = f"COPY {EXCHANGE} ({', '.join(COLUMNS)}) FROM STDIN"
TRANSACTION_NUMBER = "SELECT pg_current_xact_id()::text"
TRANSACTION_STATUS = "SELECT pg_xact_status(%s::xid8)"


class RegisteredEndpoint(NamedTuple):
    """A URL of a platform, and the interface of which module it is."""

    url: str
    platform: str
    version: str
    module: str
    interface: str


ENDPOINTS = Query(
    f"""
SELECT e.url, p.name, p.version, e.module, e.role
FROM {ENDPOINT} e JOIN {PLATFORM} p ON p.id = e.platform_id""",
    RegisteredEndpoint,
)
VERSIONS_URLS = Query(
    f"""
SELECT versions_url, name, version, 'versions', '' FROM {PLATFORM} WHERE versions_url <> ''""",
    RegisteredEndpoint,
)
PLATFORM_OF_PARTIES = f"""
SELECT q.key, p.name FROM {PARTY} q JOIN {PLATFORM} p ON p.id = q.platform_id"""

# Of the Locations given by owner and key, those that are not to be published. A message names the
# owner as a party, NL-CPA; the Location's row names it as a holder, which may be another name.
UNPUBLISHED = f"""
SELECT named.owner, named.object_key
FROM unnest(%s::text[], %s::text[]) AS named (owner, object_key)
CROSS JOIN LATERAL (SELECT named.owner AS name
  UNION SELECT h.name FROM {HOLDER} h WHERE h.key = named.owner) AS holder
JOIN {LOCATION} l ON l.owner = holder.name AND l.object_key = named.object_key
WHERE NOT l.publish"""

# ------------------------------------------------------------------------------------- figures

# Sorted, so that processes that count the same keys at once lock them in one order: no deadlock.
COUNT_TRAFFIC = f"""
INSERT INTO {TRAFFIC} AS t (minute, module, direction, number, failed, milliseconds)
SELECT * FROM unnest(%s::timestamptz[], %s::text[], %s::text[], %s::bigint[], %s::bigint[],
  %s::float[]) ORDER BY 1, 2, 3
ON CONFLICT (minute, module, direction) DO UPDATE SET number = t.number + EXCLUDED.number,
  failed = t.failed + EXCLUDED.failed, milliseconds = t.milliseconds + EXCLUDED.milliseconds"""
COUNT_FAILURES = f"""
INSERT INTO {FAILURE} AS f (hour, party, module, code, number)
SELECT * FROM unnest(%s::timestamptz[], %s::text[], %s::text[], %s::int[], %s::bigint[])
ORDER BY 1, 2, 3, 4
ON CONFLICT (hour, party, module, code) DO UPDATE SET number = f.number + EXCLUDED.number"""
COUNT_THROTTLED = f"""
INSERT INTO {THROTTLED} AS t (hour, platform, number)
SELECT * FROM unnest(%s::timestamptz[], %s::text[], %s::bigint[]) ORDER BY 1, 2
ON CONFLICT (hour, platform) DO UPDATE SET number = t.number + EXCLUDED.number"""

# ---------------------------------------------------------------------------------- partitions

SET_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '5s'"
PARTITIONS = """
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = %s::regclass ORDER BY c.relname"""
# Whether any partition but the default one overlaps a time: pg_class has bounds as text only.
COVERED = r"""
SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
CROSS JOIN pg_get_expr(c.relpartbound, c.oid) AS bounds
WHERE i.inhparent = %s::regclass AND bounds <> 'DEFAULT'
  AND COALESCE(substring(bounds FROM 'FROM \(''(.*?)''\)')::timestamptz, '-infinity') < %s
  AND COALESCE(substring(bounds FROM 'TO \(''(.*?)''\)')::timestamptz, 'infinity') > %s"""
DAYS_IN_DEFAULT = f"""
SELECT DISTINCT (at AT TIME ZONE 'UTC')::date FROM {DEFAULT_PARTITION} WHERE at < %s"""
DELETE_FROM_DEFAULT = f"DELETE FROM {DEFAULT_PARTITION} WHERE at < %s"
# Functions of the tables' owner: the hub's own role may neither make nor drop a table.
ADD_DAY = "SELECT hub_exchange_add_day(%s)"
DROP_DAY = "SELECT hub_exchange_drop_day(%s)"

# -------------------------------------------------------------------------------------- search

_LISTED = ", ".join(("id", *(name for name in COLUMNS if name not in BODIES)))
"""What lists read: the bodies are only read when one message is opened."""
_NEWEST_FIRST = "ORDER BY at DESC, id DESC LIMIT %s"


@dataclass(frozen=True, slots=True)
class Fragment:
    """A condition or a whole statement, and the values of its placeholders, in their order."""

    text: str
    values: Sequence[object] = ()


EVERY_MESSAGE = Fragment("TRUE")
FAILED = Fragment("NOT (status_code = 1000 AND status_code IS NOT NULL)")
"""In the words of the partial index, which PostgreSQL would not use otherwise."""


def equal(column: str, value: object) -> Fragment:
    """Return the condition that a column has a value."""
    return Fragment(f"{column} = %s", [value])


def any_of(column: str, values: Sequence[object]) -> Fragment:
    """Return the condition that a column has one of some values."""
    return Fragment(f"{column} = ANY(%s)", [values])


def from_or_to(party: str) -> Fragment:
    """Return the condition that a party sent or received a message."""
    return Fragment("%s IN (sender, receiver)", [party])


def to_another(party: str) -> Fragment:
    """Return the condition that a party received what it did not send itself."""
    return Fragment("receiver = %s AND sender <> %s", [party, party])


def older(at: datetime, pk: int) -> Fragment:
    """Return the condition that a message is older than the row with this time and key.

    The first part alone lets PostgreSQL use the index on `at`.
    """
    return Fragment("at <= %s AND (at, id) < (%s, %s)", [at, at, pk])


def since(moment: datetime) -> Fragment:
    """Return the condition that a message began at a moment or later."""
    return Fragment("at >= %s", [moment])


def until(moment: datetime) -> Fragment:
    """Return the condition that a message began before a moment."""
    return Fragment("at < %s", [moment])


def all_of(conditions: Iterable[Fragment]) -> Fragment:
    """Return the condition that all of these are met."""
    parts = list(conditions)
    text = " AND ".join(part.text for part in parts) or EVERY_MESSAGE.text
    return Fragment(text, [value for part in parts for value in part.values])


def matches_in_window(
    driving: Iterable[Fragment], condition: Fragment, *, size: int, most: int
) -> Fragment:
    """Return the statement that tests a condition on the newest `size` rows, newest first.

    No row meets two of the `driving` conditions, and each has an index in the order of time. Each
    has a LIMIT of its own: for one LIMIT around the UNION, PostgreSQL would read and sort all rows.
    `most` is how many rows to return at most.

    Rows have two columns more than the table: `matches`, whether the row meets the condition, and
    `number`, its number in the window. The last row of the window is returned even if it does not
    match: the next window begins there.
    """
    parts = list(driving)
    window = " UNION ALL ".join(
        f"(SELECT {_LISTED} FROM {EXCHANGE} WHERE {part.text} {_NEWEST_FIRST})" for part in parts
    )
    text = f"""
SELECT * FROM (
    SELECT *, ({condition.text}) AS matches, row_number() OVER () AS number FROM (
        SELECT * FROM ({window}) driven {_NEWEST_FIRST}
    ) window_rows
) numbered
WHERE matches OR number = %s LIMIT %s"""
    limited = [value for part in parts for value in (*part.values, size)]
    return Fragment(text, [*condition.values, *limited, size, size, most])
