"""SQL on connections of the pool: run once, or several in one transaction."""

from collections.abc import Callable

import psycopg
import pytest
from django.db import DataError, connection, transaction

from database import sql as database_sql

pytestmark = pytest.mark.usefixtures("transactional_db")
NUMBER = "SELECT %(text)s::text::integer"


def once(sql: str, text: str) -> object:
    """Run a statement for one value."""
    return database_sql.row(sql, {"text": text})


def among_others(sql: str, text: str) -> object:
    """Run it in one transaction with one for a good value before and after."""
    return database_sql.in_one_transaction([(sql, {"text": each}) for each in ("1", text, "3")])


@pytest.mark.parametrize("run", [once, among_others])
def test_what_the_database_refuses_raises_djangos_errors(run: Callable[..., object]) -> None:
    """Their callers fall back on one by one; the connection is good for the next."""
    with pytest.raises(DataError), transaction.atomic():
        run(NUMBER, "two")
    assert once(NUMBER, "2") == (2,)


@pytest.mark.parametrize("run", [once, among_others])
def test_a_connection_that_the_server_left_is_exchanged(run: Callable[..., object]) -> None:
    """Whoever asks first after the database was started again is answered like everybody."""
    database_sql.release()
    [(own,)] = database_sql.rows("SELECT pg_backend_pid()", {})
    database_sql.release()  # it waits in the pool now
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [own])

    for _ in range(connection.pool.max_size + 1):  # type: ignore[attr-defined]  # PostgreSQL's has one
        assert run(NUMBER, "2")
        assert database_sql.row("SELECT pg_backend_pid()", {}) != (own,)
        database_sql.release()
