"""One broken EVSE or Connector is set aside with its reason, and the rest of its Location lives."""

from collections.abc import Callable
from typing import Any

import pytest

from hub.models import Location
from sandbox import Result, object_path
from tests.cast import HUB, Cast, command
from tests.hub.exchange import LOCATIONS, Trade
from tests.hub.pull.workers import offer, read
from tests.ocpi.objects import Json
from tests.parties.commands import run

Deliver = Callable[[], int]
T2, T3 = "2027-01-02T00:00:00Z", "2027-01-03T00:00:00Z"


@pytest.fixture
def trade(cast: Cast) -> Trade:
    """NL-CPA and its Locations, which DE-MSA gets."""
    return Trade(LOCATIONS, cast).agree(0)


def an_evse(uid: str, **changes: Any) -> Json:
    """Make an EVSE that is right, but for what changes."""
    [first, *_] = LOCATIONS.make(1)["evses"]
    return {**first, "uid": uid, **changes}


def a_location(*evses: Any, **changes: Any) -> Json:
    """Make X1 with these EVSEs."""
    return LOCATIONS.make(1, evses=list(evses), **changes)


def write(trade: Trade, method: str, *ids: str, body: Json) -> Result:
    """Change a part of X1 as its owner."""
    path = object_path(trade.party, "X1", *ids)
    return trade.platform.hub.send(
        method, "locations", "RECEIVER", path, body, to=HUB, sender=trade.party
    )


def uids(value: Json) -> list[str]:
    """Name the EVSEs of a Location."""
    return [each["uid"] for each in value["evses"]]


def where() -> Any:
    """Ask the command what is set aside of X1."""
    [found] = command("where", "LOCATION", "NL", "CPA", "X1")
    return found["set_aside"]


BROKEN: dict[str, Any] = {
    "no connectors": an_evse("E2", connectors=[]),
    "connectors missing": {k: v for k, v in an_evse("E2").items() if k != "connectors"},
    "no status": an_evse("E2", status=None),
    "no time": an_evse("E2", last_updated="yesterday"),
    "uid a number": {**an_evse("E2"), "uid": 2},
    "no object": "E2",
    "null": None,
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_rest_lives(trade: Trade, deliver_all: Deliver, name: str) -> None:
    """It is stored, served and sent; neither has the part that is broken."""
    good, other = an_evse("E1"), an_evse("E3")

    result = trade.push(a_location(good, BROKEN[name], other))
    deliver_all()

    assert (result.http_status, result.status_code) == (201, 1000)
    assert "set aside" in str(result.message)
    assert "evses[1]" in str(result.message)
    left = a_location(good, other)
    assert trade.get("X1") == left
    assert trade.page().data == [left]
    assert [seen.json for seen in trade.pushes()] == [left]


def test_its_reason_is_shown(trade: Trade) -> None:
    """By the command, until the Location comes without it."""
    trade.push(a_location(an_evse("E1"), an_evse("E2", connectors=[])))

    assert where() == {"E2": "connectors: must not be empty"}
    assert "set aside: E2: connectors: must not be empty" in run(
        "where", "LOCATION", "NL", "CPA", "X1"
    )
    trade.push(a_location(an_evse("E1"), last_updated=T2))
    assert where() == {}


def test_one_connector_is_set_aside_alone(trade: Trade) -> None:
    """As long as its EVSE has another one."""
    good = an_evse("E1")
    [connector, *_] = good["connectors"]
    broken = {**connector, "id": "9", "max_voltage": None}

    trade.push(a_location({**good, "connectors": [connector, broken]}, an_evse("E2")))

    assert trade.get("X1") == a_location({**good, "connectors": [connector]}, an_evse("E2"))
    assert list(where()) == ["E1/9"]


def test_an_evse_goes_with_its_last_connector(trade: Trade) -> None:
    """Nobody can charge there."""
    [connector, *_] = an_evse("E1")["connectors"]
    broken = an_evse("E1", connectors=[{**connector, "standard": None}])

    trade.push(a_location(broken, an_evse("E2")))

    assert uids(trade.get("X1")) == ["E2"]
    assert list(where()) == ["E1"]


def test_a_location_may_lose_all_its_evses(trade: Trade) -> None:
    """It is where it is, and an EVSE that is right may come."""
    trade.push(a_location(an_evse("E1", connectors=[])))
    assert trade.get("X1")["evses"] == []

    assert write(trade, "PUT", "E1", body=an_evse("E1", last_updated=T2)).status_code == 1000

    assert uids(trade.get("X1")) == ["E1"]
    assert where() == {}


def test_a_later_put_brings_it_in(trade: Trade, deliver_all: Deliver) -> None:
    """Of the EVSE alone; the receiver has it then."""
    trade.push(a_location(an_evse("E1"), an_evse("E2", connectors=[])))
    deliver_all()

    write(trade, "PUT", "E2", body=an_evse("E2", last_updated=T2))
    deliver_all()

    assert uids(trade.get("X1")) == ["E1", "E2"]
    assert where() == {}
    [held] = trade.reader().objects["locations"].objects().values()
    assert uids(held) == ["E1", "E2"]


def test_an_evse_with_a_broken_connector_is_put_without_it(trade: Trade) -> None:
    """Until the Connector comes by itself; another one changes nothing."""
    trade.push(a_location(an_evse("E1")))
    [connector, *_] = an_evse("E1")["connectors"]
    broken = {**connector, "id": "9", "format": None}

    result = write(
        trade, "PUT", "E1", body=an_evse("E1", connectors=[connector, broken], last_updated=T2)
    )
    assert "connectors[1].format" in str(result.message)
    assert list(where()) == ["E1/9"]

    write(trade, "PUT", "E1", connector["id"], body={**connector, "last_updated": T3})
    assert list(where()) == ["E1/9"]
    right = {**connector, "id": "9", "last_updated": T3}
    assert write(trade, "PUT", "E1", "9", body=right).status_code == 1000

    assert where() == {}
    assert len(trade.get("X1")["evses"][0]["connectors"]) == 2


@pytest.mark.parametrize(
    "body", [{"connectors": [{"id": "1", "standard": None}]}, {"status": None}]
)
def test_a_patch_that_would_break_an_evse_is_refused(trade: Trade, body: Json) -> None:
    """What is there is right, and stays."""
    trade.push(a_location(an_evse("E1")))

    result = write(trade, "PATCH", "E1", body={**body, "last_updated": T2})

    assert result.status_code == 2001
    assert trade.get("X1") == a_location(an_evse("E1"))


def test_an_evse_alone_that_is_broken_is_refused(trade: Trade) -> None:
    """There is no rest."""
    trade.push(a_location(an_evse("E1")))

    assert write(trade, "PUT", "E1", body=an_evse("E1", connectors=[])).status_code == 2001


def test_what_breaks_the_location_refuses_all_of_it(trade: Trade) -> None:
    """With everything that is wrong, the EVSE too."""
    broken = an_evse("E1", connectors=[])

    result = trade.push(a_location(broken, coordinates=None))

    assert result.status_code == 2001
    assert "coordinates" in str(result.message)
    assert "evses[0].connectors" in str(result.message)


def test_repeated_it_is_not_stored_again(trade: Trade, deliver_all: Deliver) -> None:
    """The same bytes are the same PUT; the sender is told again."""
    value = a_location(an_evse("E1"), an_evse("E2", connectors=[]))
    trade.push(value)
    deliver_all()
    trade.reader().forget()

    result = trade.push(value)
    deliver_all()

    assert "set aside" in str(result.message)
    assert trade.pushes() == []
    assert Location.objects.get().revision == 1


def test_a_strict_receiver_gets_the_rest(trade: Trade, deliver_all: Deliver) -> None:
    """It is right."""
    command("quirks", "P2", "strict_receiver=on")

    trade.push(a_location(an_evse("E1"), an_evse("E2", connectors=[])))
    deliver_all()

    assert trade.listed() == ["X1"]
    assert len(trade.pushes()) == 1


def test_of_a_list_that_is_read_too(trade: Trade) -> None:
    """It is stored, not quarantined, and read again it is the same."""
    offer(trade.platform, "locations", a_location(an_evse("E1"), an_evse("E2", connectors=[])))

    read(full=True)
    read(full=True)

    assert uids(trade.page().data[0]) == ["E1"]
    assert Location.objects.get().revision == 1
    assert list(where()) == ["E2"]
