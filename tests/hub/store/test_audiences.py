"""What was said to one party, beside what was said to everybody: neither hides in the other."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from hub.models import Change, Location
from hub.module_policy import POLICIES
from ocpi.types import ModuleID, PartyRef
from parties.models import Agreement
from sandbox import misbehaviour
from sandbox.server import Responder
from tests.cast import HUB, MSA, MSB, Cast
from tests.hub.concurrency import at_once
from tests.hub.exchange import LOCATIONS, TARIFFS, TOKENS, Kind, Trade, each
from tests.hub.location_owner import T2, T3
from tests.ocpi.objects import Json

Deliver = Callable[[], int]
FORALL = (TARIFFS, LOCATIONS, TOKENS)


@pytest.fixture
def trade(cast: Cast, kind: Kind) -> Trade:
    """An owner and two readers, all registered and agreed."""
    return Trade(kind, cast).agree(0, 1)


def named(trade: Trade, reader: int, **query: Any) -> list[str]:
    """Return what a reader lists, by the names tests gave, with the count checked."""
    crawl = trade.crawl(reader, limit=1, **query)
    assert {page.headers["X-Total-Count"] for page in crawl.pages} == {str(len(crawl.data))}
    return [value.get("x_name", "") for value in crawl.data]


def receives(trade: Trade, value: Json) -> None:
    """Let the first reader have an object, as if the hub had delivered it."""
    trade.reader().objects[trade.kind.module].put(trade.party, "X1", body=json.dumps(value))


def party(trade: Trade, reader: int) -> PartyRef:
    """Return a reader's party."""
    return trade.kind.readers[reader][1]


@each(*FORALL)
@pytest.mark.conformance("TF-79", "LOC-22")
def test_what_is_said_to_one_party_is_in_its_list_alone(trade: Trade) -> None:
    """Nobody else lists it, and nobody but its receiver was told."""
    result = trade.push(trade.kind.make(1, x_name="for one"), to=party(trade, 0))

    assert (result.http_status, result.status_code) == (201, 1000)
    assert named(trade, 0) == ["for one"]
    assert named(trade, 1) == []
    assert trade.get("X1") is None
    assert Change.objects.count() == 0
    assert trade.pushes(1) == []


@each(*FORALL)
@pytest.mark.conformance("TF-79", "LOC-22")
def test_ones_own_copy_is_listed_instead_of_everybodys(trade: Trade, deliver_all: Deliver) -> None:
    """Until something newer is said to everybody; counts and filters know of it too."""
    make = trade.kind.make
    trade.push(make(1, x_name="X1 for all"))
    trade.push(make(2, x_name="X2 for all"))
    trade.push(make(1, x_name="X1 for one", last_updated=T2), to=party(trade, 0))
    trade.push(make(1, x_name="X1 for the other"), to=party(trade, 1))
    trade.push(make(3, x_name="X3 for one"), to=party(trade, 0))

    assert sorted(named(trade, 0)) == ["X1 for one", "X2 for all", "X3 for one"]
    assert sorted(named(trade, 1)) == ["X1 for the other", "X2 for all"]
    assert trade.get("X1")["x_name"] == "X1 for all"
    assert named(trade, 0, date_from=T2) == ["X1 for one"]
    assert named(trade, 0, date_from=T3) == []
    assert named(trade, 1, date_from=T2) == []
    assert sorted(named(trade, 0, date_to=T2)) == ["X2 for all", "X3 for one"]


@each(LOCATIONS, TOKENS)
@pytest.mark.conformance("LOC-22")
def test_a_patch_for_one_party_leaves_everybodys_object_alone(trade: Trade) -> None:
    """It makes that party's own copy, once."""
    value = trade.kind.make(1, x_name="for all")
    trade.push(value)
    receives(trade, value)

    for name in ("for one", "for one again"):
        patch = {"x_name": name, "last_updated": T2}
        result = trade.send("PATCH", "X1", patch, to=party(trade, 0))
        assert result.status_code == 1000, str(result)
        assert named(trade, 0) == [name]
    assert trade.get("X1") == value
    assert named(trade, 1) == ["for all"]
    assert trade.crawl(0).data == [value | {"x_name": "for one again", "last_updated": T2}]
    assert Change.objects.count() == 1


@pytest.mark.parametrize("kind", [LOCATIONS])
@pytest.mark.conformance("LOC-22")
def test_a_part_patched_for_one_party_is_in_its_copy_only(trade: Trade) -> None:
    """The copy has the whole Location; GET of one object, too, shows the caller's own copy."""
    value = LOCATIONS.make(1)
    trade.push(value)
    receives(trade, value)
    patch = {"status": "CHARGING", "last_updated": T2}

    [evse] = value["evses"]
    path = f"NL/CPA/X1/{evse['uid']}"
    hub = trade.platform.hub
    result = hub.patch("locations", "RECEIVER", path, patch, to=MSA, sender=trade.party)

    assert result.status_code == 1000, str(result)
    copy = value | {"evses": [evse | patch], "last_updated": T2}
    assert trade.crawl(0).data == [copy]
    for number, expected in enumerate((copy, value)):
        reader = trade.reader(number)
        one = reader.hub.get("locations", "SENDER", "X1", to=HUB, sender=party(trade, number))
        assert one.data == expected
    assert trade.crawl(1).data == [value]
    assert trade.get("X1") == value


@pytest.mark.parametrize("kind", [LOCATIONS])
def test_patches_for_one_party_at_the_same_time_end_in_one_copy(trade: Trade) -> None:
    """It has them all, whichever of them made it."""
    value = LOCATIONS.make(1)
    trade.push(value)
    receives(trade, value)

    def patch(number: int) -> None:
        body = {f"x_{number}": number, "last_updated": T2}
        assert trade.send("PATCH", "X1", body, to=MSA).status_code == 1000

    at_once([partial(patch, number) for number in range(4)])

    expected = value | {f"x_{number}": number for number in range(4)} | {"last_updated": T2}
    assert trade.crawl(0).data == [expected]
    assert trade.crawl(1).data == [value]


@each(*FORALL)
def test_a_direct_put_is_passed_on_however_often_it_is_repeated(trade: Trade) -> None:
    """What a party has is its own business; the hub counts what it knew already."""
    for _ in range(3):
        trade.push(trade.kind.make(1), to=party(trade, 0))

    assert [seen.method for seen in trade.pushes(0)] == ["PUT"] * 3
    row = POLICIES[ModuleID(trade.kind.module)].model._default_manager.get()
    assert (row.repeated, row.revision) == (2, 1)


REFUSALS: dict[str, Responder] = {
    "2001": misbehaviour.refuse(2001),
    "3000": misbehaviour.refuse(3000, http_status=500),
    "404": misbehaviour.detail(404),
    "401": misbehaviour.unauthorized(),
    "html": misbehaviour.html(200),
    "reset": misbehaviour.reset(),
}


@pytest.mark.parametrize("kind", [LOCATIONS])
@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.conformance("TF-79")
def test_what_its_receiver_refused_is_not_remembered(trade: Trade, refusal: str) -> None:
    """Neither a PUT nor a PATCH; the list keeps what the receiver accepted before."""
    trade.push(LOCATIONS.make(1, x_name="for all"))
    trade.push(LOCATIONS.make(2, x_name="accepted"), to=MSA)

    with trade.reader().answer("/locations/", REFUSALS[refusal]):
        for number in (1, 2, 3):
            answer = trade.push(LOCATIONS.make(number, x_name="refused"), to=MSA)
            assert answer.status_code != 1000
        for number in (1, 2):
            patch = {"x_name": "refused", "last_updated": T2}
            assert trade.send("PATCH", f"X{number}", patch, to=MSA).status_code != 1000

    assert named(trade, 0) == ["for all", "accepted"]
    assert Location.objects.count() == 2


@pytest.mark.parametrize("kind", [LOCATIONS])
def test_a_change_that_makes_no_object_leaves_no_copy_behind(trade: Trade) -> None:
    """A receiver may accept what the hub cannot merge; it goes on listing what is for everybody."""
    trade.push(LOCATIONS.make(1, x_name="for all"))
    odd = {"coordinates": None, "last_updated": T2}

    with trade.reader().answer("PATCH", misbehaviour.refuse(1000, "fine")):
        assert trade.send("PATCH", "X1", odd, to=MSA).status_code == 1000
    trade.push(LOCATIONS.make(1, x_name="for all, newer", last_updated=T3))

    assert named(trade, 0) == ["for all, newer"]


@pytest.mark.parametrize("kind", [TARIFFS])
@pytest.mark.conformance("TF-79", "TAR-12")
def test_a_tariff_deleted_for_one_party_is_gone_from_its_list_only(trade: Trade) -> None:
    """What remains for it is what is for everybody."""
    trade.push(TARIFFS.make(1, x_name="for all"))
    for to in (MSA, MSB):
        trade.push(TARIFFS.make(1, x_name=f"for {to}"), to=to)

    result = trade.send("DELETE", "X1", to=MSA)

    assert (result.http_status, result.status_code) == (200, 1000)
    assert named(trade, 0) == ["for all"]
    assert named(trade, 1) == ["for FR-MSB"]
    assert trade.get("X1")["x_name"] == "for all"


@each(*FORALL)
@pytest.mark.conformance("TF-79")
def test_the_own_copies_of_an_ended_agreement_are_not_listed(cast: Cast, kind: Kind) -> None:
    """What was said to a party is no more its own than what is said to everybody."""
    trade = Trade(kind, cast).agree(0)
    trade.push(kind.make(1), to=party(trade, 0))
    assert trade.listed() == ["X1"]

    Agreement.objects.all().delete()

    assert trade.listed() == []
