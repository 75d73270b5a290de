"""Objects that often change: a write enters no index, and lists by date find them all the same."""

from typing import Any

import pytest
from django.db import connection

from bench import objects
from bench.write_requests import write_request
from hub import store
from hub.module_policy import POLICIES
from hub.store import Viewer
from ocpi.transport.pagination import PageRequest
from ocpi.types import ModuleID, PartyRef, parse_datetime

pytestmark = pytest.mark.django_db
READER = PartyRef("DE", "M00")
WITHIN_AN_HOUR = range(3)
BY_TABLE = """SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_xact_user_tables WHERE relname = %s"""


def put(module: ModuleID, second: int) -> None:
    """Store an object as it is so many seconds after its day began."""
    template = objects.put(module)
    path, body = template.numbered(1, second)
    identifier = path.rpartition("/")[2]
    to = template.recipient
    store.apply(
        write_request(module, "PUT", template.owner, identifier, path=path, body=body, recipient=to)
    )


def updates_of(module: ModuleID) -> tuple[int, int]:
    """Return how many updates of a module's objects this connection made, and how many were HOT."""
    with connection.cursor() as cursor:
        cursor.execute(BY_TABLE, [POLICIES[module].model._meta.db_table])
        updates, hot = cursor.fetchone()
    return updates, hot


def listed(module: ModuleID, owner: str, **dates: str) -> int:
    """Return how many objects a list has, by its page and by its total, which agree."""
    given: dict[str, Any] = {name: parse_datetime(text) for name, text in dates.items()}
    viewer = Viewer(str(READER), frozenset({owner}))
    page = store.page(POLICIES[module], viewer, PageRequest(**given), limit=10)
    assert page.count == page.total
    return page.count


@pytest.mark.parametrize("module", [ModuleID.TOKENS, ModuleID.SESSIONS])
def test_a_write_within_the_hour_of_the_last_one_enters_no_index(module: ModuleID) -> None:
    """It is a HOT update: the new version of the row lies beside the old one."""
    updates, hot = updates_of(module)

    for second in WITHIN_AN_HOUR:
        put(module, second)

    assert updates_of(module) == (updates + 2, hot + 2)


@pytest.mark.parametrize("module", [ModuleID.LOCATIONS, ModuleID.TOKENS, ModuleID.SESSIONS])
def test_lists_by_date_are_exact_at_the_edges_of_hours(module: ModuleID) -> None:
    """One that was updated a second before an hour, on it, or a second after it."""
    owner = str(objects.put(module).owner)
    for second, stamp in ((3599, "00:59:59"), (3600, "01:00:00"), (3601, "01:00:01")):
        put(module, second)
        at = f"2027-01-01T{stamp}Z"
        assert listed(module, owner, date_from=at) == 1
        assert listed(module, owner, date_from=f"{at[:-1]}.001Z") == 0
        assert listed(module, owner, date_to=at) == 0
        assert listed(module, owner, date_to=f"{at[:-1]}.001Z") == 1
