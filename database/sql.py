"""SQL on Django's connection: prepared once, bound by the server, one statement a call.

Django's own cursor writes the values into the text and never prepares. The statements that every
message needs are large and always the same: planning them anew would take most of their time.
"""

import logging
import select
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload

import psycopg
from django.db import DatabaseError, connection

log = logging.getLogger(__name__)

R = TypeVar("R")
Row = tuple[Any, ...]
Parameters = Mapping[str, object]
Statement = tuple[str, Parameters]
_MOST_STALE = 100
"""More connections than a pool has: so many in a row cannot all have been closed."""


@dataclass(frozen=True, slots=True)
class Query(Generic[R]):
    """A statement, and the named tuple that each of its rows becomes.

    `Query("SELECT id, name FROM parties_platform", Found)`, where `Found` has `id` and `name`.
    """

    text: str
    row: Callable[..., R]


@overload
def rows(sql: Query[R], parameters: Parameters, *, prepared: bool = ...) -> list[R]: ...
@overload
def rows(sql: str, parameters: Parameters, *, prepared: bool = ...) -> list[Row]: ...
def rows(
    sql: str | Query[Any], parameters: Parameters, *, prepared: bool = True
) -> list[Any] | list[Row]:
    """Run one statement and return its rows; raises Django's database errors.

    With `prepared=False` it is planned anew, for the present size of its tables.
    """
    if isinstance(sql, Query):
        return [sql.row(*found) for found in rows(sql.text, parameters, prepared=prepared)]
    _ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        try:
            return cursor.execute(sql.encode(), parameters, prepare=prepared).fetchall()
        except psycopg.OperationalError:
            connection.close()
            raise


@contextmanager
def driver_connection() -> Iterator["psycopg.Connection[Any]"]:
    """Give psycopg's connection beneath Django's; raises Django's database errors."""
    _ensure_connection()
    with connection.wrap_database_errors:
        try:
            yield connection.connection
        except psycopg.OperationalError:
            connection.close()
            raise


def in_one_transaction(statements: Sequence[Statement]) -> list[list[Row]]:
    """Run statements in one transaction and one round trip; return the rows of each.

    Raises Django's database errors, as `rows` does; then none of them has done anything.
    """
    if not statements:
        return []
    _ensure_connection()
    opened = connection.connection
    with connection.wrap_database_errors:
        try:
            with opened.pipeline():
                cursors = [
                    psycopg.Cursor(opened).execute(sql.encode(), parameters, prepare=True)
                    for sql, parameters in statements
                ]
            return [cursor.fetchall() for cursor in cursors]
        except psycopg.OperationalError:
            connection.close()
            raise


def _ensure_connection() -> None:
    """Connect, skipping connections of the pool that the server has closed meanwhile.

    A server that restarts closes every idle connection: the first statement on each would fail,
    and its message be answered 3000, although all is well again.
    """
    for _ in range(_MOST_STALE):
        if connection.connection is not None:
            return
        connection.ensure_connection()
        opened: Any = connection.connection
        if not is_closed(opened):
            return
        opened.close()  # else the pool takes it back as a good one
        connection.close()
    connection.ensure_connection()


def is_closed(opened: "psycopg.Connection[Any]") -> bool:
    """Return whether an idle connection has something to read: then the server has closed it."""
    poll = select.poll()
    poll.register(opened.fileno(), select.POLLIN)
    return bool(poll.poll(0))


@overload
def row(sql: Query[R], parameters: Parameters) -> R | None: ...
@overload
def row(sql: str, parameters: Parameters) -> Row | None: ...
def row(sql: str | Query[Any], parameters: Parameters) -> Any | Row | None:
    """Run one statement and return its first row, if any."""
    found = rows(sql, parameters)
    return found[0] if found else None


@contextmanager
def best_effort(what: str) -> Iterator[None]:
    """Log a database error instead of raising it, where no message's answer may depend on it."""
    try:
        yield
    except DatabaseError:
        log.exception("%s is not written down", what)


def release() -> None:
    """Give the connection back to the pool; called before waiting for a peer."""
    if not connection.in_atomic_block:
        connection.close()
