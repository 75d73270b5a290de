"""What a page of a list costs, whatever else the hub holds."""

from datetime import UTC, datetime
from itertools import count, islice
from typing import Any

import pytest
from django.db import connection

from hub.models import Cdr, Tariff
from hub.module_policy import POLICIES
from hub.store.sql import reads as statements
from ocpi.types import ModuleID
from tests.rows_read import rows_read

pytestmark = pytest.mark.django_db

LIMIT = 20
OWNERS = ["FR-AAA", "FR-CCC", "FR-EEE"]
"""Those whose objects the reader may see; each list is as long as two pages."""
MANY = 5_000
_numbers = count(1)


def fill(model: type[Cdr] | type[Tariff], owner: str, number: int, audience: str = "") -> list[int]:
    """Store so many objects of an owner in a row; return their places in the order of creation."""
    made: list[Any] = [
        model(
            owner=owner,
            object_id=f"X{n}",
            object_key=f"x{n}",
            audience=audience,
            last_updated=datetime(2027, 1, 1, tzinfo=UTC),
            text="{}",
        )
        for n in islice(_numbers, number)
    ]
    return [each.pk for each in model._default_manager.bulk_create(made)]


def read_behind(module: ModuleID, after: int) -> int:
    """Return how many rows are read for the page behind a place."""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {POLICIES[module].model._meta.db_table}")
    given = {"owners": OWNERS, "party": "DE-MSA", "after": after, "limit": LIMIT, "bytes": 10**6}
    return rows_read(statements.page(POLICIES[module]), given)


def test_a_page_does_not_read_what_lies_between_the_lists_of_its_owners() -> None:
    """It reads its own objects a few times, and of each owner one, however many others have."""
    places = []
    for owner in OWNERS:
        places += fill(Tariff, owner, 2 * LIMIT)
        fill(Tariff, "BE-XXX", MANY)

    found = [read_behind(ModuleID.TARIFFS, places[each]) for each in (0, 2 * LIMIT - 3)]

    assert max(found) <= 5 * (LIMIT + len(OWNERS))


def test_a_page_of_what_is_personal_does_not_read_what_is_for_others() -> None:
    """An owner's CDRs are for hundreds of parties: each reads its own."""
    for audience, number in (("DE-MSB", MANY), ("DE-MSA", LIMIT), ("DE-MSC", MANY)):
        fill(Cdr, OWNERS[0], number, audience)

    assert read_behind(ModuleID.CDRS, 0) <= 5 * (LIMIT + len(OWNERS))
