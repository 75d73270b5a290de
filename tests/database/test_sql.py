"""SQL that is run for each of some parameters, as one that is run once."""

from collections.abc import Callable

import pytest
from django.db import DataError, transaction

from database import sql as database_sql

pytestmark = pytest.mark.usefixtures("transactional_db")
NUMBER = "SELECT %(text)s::text::integer"


def once(sql: str, text: str) -> object:
    """Run a statement for one value."""
    return database_sql.row(sql, {"text": text})


def among_others(sql: str, text: str) -> object:
    """Run it for a good value before and after."""
    return database_sql.each(sql, [{"text": "1"}, {"text": text}, {"text": "3"}])


@pytest.mark.parametrize("run", [once, among_others])
def test_what_the_database_refuses_raises_djangos_errors(run: Callable[..., object]) -> None:
    """Their callers fall back on one by one; the connection is good for the next."""
    with pytest.raises(DataError), transaction.atomic():
        run(NUMBER, "two")
    assert database_sql.each(NUMBER, [{"text": "1"}, {"text": "2"}]) == [(1,), (2,)]
