"""What was said to one party alone ends where something as new is said to everybody."""

from collections.abc import Callable
from typing import Any

import pytest

from hub.models import Evse, Location
from hub.module_policy import POLICIES
from ocpi.types import ModuleID, PartyRef
from parties.models import Party
from tests.cast import HUB, Cast
from tests.hub.exchange import CDRS, LOCATIONS, SESSIONS, TARIFFS, TOKENS, Kind, Trade, each
from tests.hub.location_owner import T1, T2, T3
from tests.hub.pull.workers import offer, read
from tests.ocpi.objects import Json

Deliver = Callable[[], int]
FORALL = (TARIFFS, LOCATIONS, TOKENS)


@pytest.fixture
def trade(cast: Cast, kind: Kind) -> Trade:
    """An owner and two readers, all registered and agreed."""
    return Trade(kind, cast).agree(0, 1)


def party(trade: Trade, reader: int = 0) -> PartyRef:
    """Return a reader's party."""
    return trade.kind.readers[reader][1]


def named(trade: Trade, reader: int = 0, **query: Any) -> list[str]:
    """Return what a reader lists, by the names tests gave, with the count checked."""
    crawl = trade.crawl(reader, limit=1, **query)
    assert {page.headers["X-Total-Count"] for page in crawl.pages} == {str(len(crawl.data))}
    return [value.get("x_name", "") for value in crawl.data]


def one(trade: Trade, identifier: str = "X1", reader: int = 0) -> Json:
    """Return one object as a reader gets it."""
    hub, sender = trade.reader(reader).hub, party(trade, reader)
    result = hub.get(trade.kind.module, "SENDER", identifier, to=HUB, sender=sender)
    found: Json = result.data
    return found


@each(*FORALL)
@pytest.mark.security("S-29")
@pytest.mark.conformance("LOC-22")
def test_something_newer_for_all_stands_before_ones_own(trade: Trade, deliver_all: Deliver) -> None:
    """In list, filter and snapshot, as delivery brought it; what is older leaves it alone."""
    make, to = trade.kind.make, party(trade)
    trade.push(make(1, x_name="for all", last_updated=T1))
    trade.push(make(1, x_name="for one", last_updated=T2), to=to)
    trade.push(make(1, x_name="for all, older", last_updated=T1))
    assert named(trade) == ["for one"]

    trade.push(make(1, x_name="for all, newer", last_updated=T3))
    deliver_all()

    for reader in (0, 1):
        assert named(trade, reader) == ["for all, newer"]
        assert named(trade, reader, date_from=T3) == ["for all, newer"]
        assert trade.pushes(reader)[-1].json["x_name"] == "for all, newer"
    rows = POLICIES[ModuleID(trade.kind.module)].model._default_manager
    assert rows.exclude(audience="").count() == 0


@each(*FORALL)
@pytest.mark.security("S-29")
def test_something_newer_from_the_owners_list_stands_before_ones_own(trade: Trade) -> None:
    """What is read is for all, as what is pushed; what is older there leaves ones own alone."""
    make, module = trade.kind.make, trade.kind.module
    trade.push(make(1, x_name="for one", last_updated=T2), to=party(trade))
    for x_name, last_updated, held in (("older", T1, "for one"), ("newer", T3, "newer")):
        offer(trade.platform, module, make(1, x_name=x_name, last_updated=last_updated))
        read(module, trade.party, full=True)
        assert named(trade) == [held]


@each(*FORALL)
@pytest.mark.security("S-29")
def test_of_what_is_as_old_the_later_stands(trade: Trade) -> None:
    """By last_updated first, then by arrival: in both directions."""
    make, to = trade.kind.make, party(trade)
    for said, by in (("for all", {}), ("for one", {"to": to}), ("for all again", {})):
        trade.push(make(1, x_name=said, last_updated=T2), **by)
        assert named(trade) == [said]
    trade.push(make(1, x_name="for one, older", last_updated=T1), to=to)
    assert named(trade) == ["for all again"]
    trade.push(make(1, x_name="for one, newer", last_updated=T3), to=to)
    assert (named(trade), named(trade, 1)) == (["for one, newer"], ["for all again"])


@pytest.mark.parametrize("kind", [LOCATIONS])
@pytest.mark.security("S-29")
@pytest.mark.parametrize(
    "below", ["", "/{uid}", "/{uid}/{id}"], ids=["object", "EVSE", "Connector"]
)
def test_a_patch_for_all_ends_ones_own_and_brings_the_whole(
    trade: Trade, deliver_all: Deliver, below: str
) -> None:
    """Its receiver lacks what the PATCH is about: it gets the object as its list has it."""
    value = LOCATIONS.make(1, x_name="for all", last_updated=T1)
    evse = value["evses"][0]
    path = f"X1{below}".format(uid=evse["uid"], id=evse["connectors"][0]["id"])
    trade.push(value)
    deliver_all()
    trade.push({**value, "x_name": "for one", "last_updated": T2}, to=party(trade))

    patch = {"x_more": "for all", "last_updated": T3}
    hub = trade.platform.hub
    route = f"{trade.party.country_code}/{trade.party.party_id}/{path}"
    said = hub.patch("locations", "RECEIVER", route, patch, to=HUB, sender=trade.party)
    assert said.status_code == 1000, str(said)
    deliver_all()

    held = trade.get("X1")
    for reader in (0, 1):
        assert trade.crawl(reader).data == [held]
        assert one(trade, reader=reader) == held
        last = trade.pushes(reader)[-1]
        assert (last.method, last.json) == ("PUT", held)
    assert Location.objects.count() == 1
    assert Evse.objects.count() == len(value["evses"])


@pytest.mark.parametrize("kind", [TARIFFS])
@pytest.mark.security("S-29")
@pytest.mark.conformance("TAR-12")
def test_what_is_deleted_for_all_is_deleted(trade: Trade, deliver_all: Deliver) -> None:
    """A receiver's own copy goes too, as delivery reported to it."""
    trade.push(TARIFFS.make(1, x_name="for all", last_updated=T1))
    deliver_all()
    trade.push(TARIFFS.make(1, x_name="for one", last_updated=T3), to=party(trade))

    assert trade.send("DELETE", "X1").status_code == 1000
    deliver_all()

    for reader in (0, 1):
        assert named(trade, reader) == []
        assert trade.pushes(reader)[-1].method == "DELETE"


@each(SESSIONS, CDRS)
@pytest.mark.security("S-29")
def test_personal_objects_have_one_copy_however_they_come(trade: Trade) -> None:
    """What is addressed to the hub and what is addressed to the party are one row."""
    value = trade.kind.make(1, x_name="first", last_updated=T2)
    trade.push(value, to=party(trade))
    trade.push(value)
    assert named(trade) == ["first"]
    if trade.kind is SESSIONS:
        trade.push({**value, "x_name": "second", "last_updated": T3})
        assert named(trade) == ["second"]
        trade.push({**value, "x_name": "third", "last_updated": T3}, to=party(trade))
        assert named(trade) == ["third"]


@pytest.mark.parametrize("kind", [LOCATIONS])
@pytest.mark.security("S-29")
def test_a_newcomers_snapshot_has_what_its_list_has(trade: Trade, deliver_all: Deliver) -> None:
    """Who registers anew is told the newer one."""
    trade.push(LOCATIONS.make(1, x_name="for one", last_updated=T2), to=party(trade))
    trade.push(LOCATIONS.make(1, x_name="for all", last_updated=T3))
    reader = trade.reader()
    Party.objects.get(key=str(party(trade))).subscriptions.all().delete()
    reader.forget()
    deliver_all()
    assert [seen.json["x_name"] for seen in trade.pushes(0)] == ["for all"]
