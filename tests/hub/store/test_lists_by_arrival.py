"""Readers whose dates are the hub's own: what reached it late is found by `date_from` (A-38)."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from hub import store
from hub.models import Location, StoredObject, Tariff
from hub.module_policy import POLICIES
from hub.store.sql import reads as statements
from ocpi.transport.pagination import read_link
from ocpi.types import ModuleID, format_datetime
from sandbox import object_path
from tests.cast import CPA, HUB, Cast, command
from tests.hub.exchange import ALL, LOCATIONS, PUT, Kind, Trade, each
from tests.hub.pull.workers import offer, read, read_days_later
from tests.hub.store.write_requests import location_write
from tests.rows_read import rows_read

OLD = "2020-01-01T00:00:00Z"
DAY = timedelta(days=1)
MANY = 3_000


@pytest.fixture
def trade(cast: Cast, kind: Kind) -> Trade:
    """An owner, and a reader that asks by the hub's own time."""
    trade = Trade(kind, cast).agree(0)
    command("quirks", kind.readers[0][0], "by_arrival=on")
    return trade


def rows(kind: Kind) -> Any:
    """Return the stored objects of a module."""
    return POLICIES[ModuleID(kind.module)].model._default_manager.all()


def taken_days_ago(kind: Kind, *ids: str) -> None:
    """Let the hub have taken objects three days ago."""
    chosen = rows(kind).filter(object_id__in=ids)
    then = {name: F(name) - 3 * DAY for name in ("changed_at", "stored_at")}
    assert chosen.update(**then) == len(ids)


def now(**shift: float) -> str:
    """Write a moment, so far from the present one."""
    return format_datetime(datetime.now(UTC) + timedelta(**shift))


@each(*ALL)
def test_what_arrives_late_is_found(trade: Trade) -> None:
    """An object of 2020 that reached the hub a moment ago; not one that it took before the date."""
    trade.push_new(trade.kind.make(1, last_updated=now()), trade.kind.make(2, last_updated=OLD))
    taken_days_ago(trade.kind, "X1")

    assert trade.listed(date_from=now(days=-1)) == ["X2"]
    assert trade.listed(date_to=now(days=-1)) == ["X1"]
    assert trade.listed(date_from=now(days=-4), date_to=now(days=-2)) == ["X1"]
    assert trade.listed() == ["X1", "X2"]
    assert trade.page(date_from=now(days=-1)).headers["X-Total-Count"] == "1"


@each(LOCATIONS)
def test_without_the_quirk_dates_are_the_owners(cast: Cast, kind: Kind) -> None:
    """The specification's rule, for whoever asked for no other."""
    trade = Trade(kind, cast).agree(0)
    trade.push_new(kind.make(1, last_updated=OLD))

    assert trade.listed(date_from=now(days=-1)) == []


@each(*PUT)
def test_a_change_moves_an_object(trade: Trade) -> None:
    """A PUT with an older `last_updated` is a change all the same; the same PUT again is none."""
    value = trade.kind.make(1, last_updated="2026-01-01T00:00:00Z")
    trade.push_new(value)
    taken_days_ago(trade.kind, "X1")

    trade.push(value)
    assert trade.listed(date_from=now(days=-1)) == []
    trade.push({**value, "last_updated": OLD})
    assert trade.listed(date_from=now(days=-1)) == ["X1"]


@each(LOCATIONS)
def test_a_status_moves_its_location(trade: Trade) -> None:
    """Whose own text is as it was."""
    trade.push_new(trade.kind.make(1))
    taken_days_ago(trade.kind, "X1")

    path = object_path(trade.party, "X1", "3256")
    status = {"status": "CHARGING", "last_updated": OLD}
    trade.platform.hub.patch("locations", "RECEIVER", path, status, to=HUB, sender=trade.party)

    assert trade.listed(date_from=now(days=-1)) == ["X1"]


@each(LOCATIONS)
def test_what_had_vanished_and_is_back_is_found(trade: Trade) -> None:
    """It is in the lists again, although nothing changed."""
    offer(trade.platform, "locations", trade.kind.make(1), trade.kind.make(2))
    read(full=True)
    taken_days_ago(trade.kind, "X1", "X2")
    lost = trade.platform.own["locations"].pop(("NL", "CPA", "X2"))
    read_days_later()
    read_days_later()
    assert trade.listed() == ["X1"]

    trade.platform.own["locations"]["NL", "CPA", "X2"] = lost
    read_days_later()

    assert trade.listed(date_from=now(days=-1)) == ["X2"]


@contextmanager
def under_way(value: dict[str, Any]) -> Iterator[None]:
    """Let a write of a Location begin before what is done here, and be committed after it."""
    begun, may_end = threading.Event(), threading.Event()

    def write() -> None:
        with transaction.atomic():
            store.apply(location_write("PUT", value["id"], body=value))
            begun.set()
            assert may_end.wait(10)
        connection.close()

    writing = threading.Thread(target=write)
    writing.start()
    assert begun.wait(10)
    try:
        yield
    finally:
        may_end.set()
        writing.join()


@each(LOCATIONS)
def test_what_was_under_way_during_the_last_reading_is_found_by_the_next(trade: Trade) -> None:
    """By the timestamp of its first page: nobody's change falls between two readings."""
    trade.push_new(trade.kind.make(1))
    with under_way(trade.kind.make(2, last_updated=OLD)):
        last = trade.page()
        assert trade.ids(last.data) == ["X1"]

    assert "X2" in trade.listed(date_from=last.json["timestamp"])


@each(*PUT)
def test_a_crawl_amid_changes_is_complete(trade: Trade) -> None:
    """Page by page; what changes meanwhile keeps its place in the order of creation."""
    trade.push_new(*(trade.kind.make(number, last_updated=OLD) for number in range(1, 6)))
    seen: list[str] = []
    page = trade.page(limit=1, date_from=now(days=-1))
    url: str | None = ""

    while url is not None:
        seen += trade.ids(page.data)
        trade.push(trade.kind.make(1 + len(seen) % 5, last_updated=now()))
        url = read_link(page.headers.get("Link"), base_url="")
        page = trade.reader().hub.call("GET", url) if url else page

    assert seen == ["X1", "X2", "X3", "X4", "X5"]


@each(*PUT)
@pytest.mark.parametrize("by_link", [True, False], ids=["link", "offset"])
def test_what_changes_during_a_crawl_stays_in_it(trade: Trade, *, by_link: bool) -> None:
    """Up to a date that lies behind: a change takes nothing out of the list and moves no page."""
    trade.push_new(*(trade.kind.make(number, last_updated=OLD) for number in range(1, 6)))
    rows(trade.kind).update(
        stored_at=F("stored_at") - DAY / 2, changed_at=F("changed_at") - DAY / 2
    )
    dates: dict[str, Any] = {"date_from": now(days=-1), "date_to": now(hours=-1)}
    seen: list[str] = []
    page = trade.page(limit=1, **dates)

    while page.data:
        seen += trade.ids(page.data)
        trade.push(trade.kind.make(1 + len(seen) % 5, last_updated=now()))
        if by_link:
            url = read_link(page.headers.get("Link"), base_url="")
            if url is None:
                break
            page = trade.reader().hub.call("GET", url)
        else:
            page = trade.page(limit=1, offset=len(seen), **dates)

    assert seen == ["X1", "X2", "X3", "X4", "X5"]


def _filled(model: type[StoredObject]) -> int:
    made: list[Any] = [
        model(
            owner=str(CPA),
            object_id=f"X{number}",
            object_key=f"X{number}",
            last_updated=datetime(2020, 1, 1, tzinfo=UTC),
            text="{}",
        )
        for number in range(MANY)
    ]
    model._default_manager.bulk_create(made)
    before = model._default_manager.filter(pk__lt=made[-20].pk)
    before.update(changed_at=Now() - 30 * DAY)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {model._meta.db_table}")
    return 20


@pytest.mark.django_db
@pytest.mark.parametrize("model, module", [(Tariff, "tariffs"), (Location, "locations")])
def test_only_what_changed_is_read(model: type[StoredObject], module: str) -> None:
    """However many objects the owner has that did not."""
    changed, policy = _filled(model), POLICIES[ModuleID(module)]
    dates = statements.dated(policy, since=True, until=False, by_arrival=True)
    given = {
        "owners": [str(CPA)],
        "party": "DE-MSA",
        "after": 0,
        "offset": 0,
        "limit": 100,
        "bytes": 10**6,
        "date_from": datetime.now(UTC) - DAY,
    }

    assert rows_read(statements.page(policy, dates), given) <= 3 * changed
