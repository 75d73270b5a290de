"""A sender with the quirk `lenient` is taken as it is, but for identity, times, driver, money."""

from collections.abc import Callable
from typing import Any

import pytest

from hub.models import Location
from sandbox import object_path
from tests.cast import HUB, Cast, command
from tests.hub.exchange import CDRS, LOCATIONS, SESSIONS, TARIFFS, TOKENS, Kind, Trade, each
from tests.hub.pull.workers import offer, read
from tests.ocpi.objects import Json
from tests.parties.commands import run

Deliver = Callable[[], int]
T2, T3 = "2027-01-02T00:00:00Z", "2027-01-03T00:00:00Z"


@pytest.fixture
def trade(cast: Cast, kind: Kind) -> Trade:
    """A lenient owner and its readers."""
    trade = Trade(kind, cast).agree(0, 1)
    command("quirks", kind.owner[0], "lenient=on")
    return trade


def without(value: Json, *path: Any) -> Json:
    """Leave a member out, wherever it is."""
    name, *rest = path
    if isinstance(value, list):
        return [without(each, *rest) if n == name else each for n, each in enumerate(value)]
    if not rest:
        return {key: each for key, each in value.items() if key != name}
    return {**value, name: without(value[name], *rest)}


def put(value: Json, new: Any, *path: Any) -> Json:
    """Give a member another value."""
    name, *rest = path
    if isinstance(value, list):
        return [put(each, new, *rest) if n == name else each for n, each in enumerate(value)]
    return {**value, name: put(value[name], new, *rest) if rest else new}


X1 = LOCATIONS.make(1)
TAKEN: dict[str, tuple[Kind, Json, str]] = {
    "twentyfourseven": (LOCATIONS, {**X1, "opening_times": {}}, "opening_times.twentyfourseven"),
    "names in a list": (
        LOCATIONS,
        {**X1, "related_locations": [{"latitude": "52.1", "longitude": "5.1", "name": [{}]}]},
        "related_locations[0].name",
    ),
    "time zone": (LOCATIONS, without(X1, "time_zone"), "time_zone"),
    "coordinates": (LOCATIONS, without(X1, "coordinates"), "coordinates"),
    "no connectors": (LOCATIONS, put(X1, [], "evses", 0, "connectors"), "evses[0].connectors"),
    "no status": (LOCATIONS, without(X1, "evses", 0, "status"), "evses[0].status"),
    "evse of a CDR": (
        CDRS,
        without(CDRS.make(1), "cdr_location", "evse_uid"),
        "cdr_location.evse_uid",
    ),
    "auth method": (SESSIONS, without(SESSIONS.make(1), "auth_method"), "auth_method"),
    "issuer": (TOKENS, without(TOKENS.make(1), "issuer"), "issuer"),
    "elements": (
        TARIFFS,
        {**TARIFFS.make(1), "tariff_alt_text": [{"language": "en"}]},
        "tariff_alt_text[0].text",
    ),
}
REFUSED: dict[str, tuple[Kind, Json, str]] = {
    "no id": (LOCATIONS, put(X1, 7, "id"), "id"),
    "no owner": (LOCATIONS, without(X1, "party_id"), "party_id"),
    "time": (LOCATIONS, put(X1, "yesterday", "last_updated"), "last_updated"),
    "publish": (LOCATIONS, without(X1, "publish"), "publish"),
    "valid": (TOKENS, without(TOKENS.make(1), "valid"), "valid"),
    "no time": (CDRS, without(CDRS.make(1), "end_date_time"), "end_date_time"),
    "driver": (CDRS, without(CDRS.make(1), "cdr_token", "type"), "cdr_token.type"),
    "cost": (CDRS, without(CDRS.make(1), "total_cost"), "total_cost"),
    "currency": (CDRS, without(CDRS.make(1), "currency"), "currency"),
    "energy": (CDRS, put(CDRS.make(1), "much", "total_energy"), "total_energy"),
    "price": (
        TARIFFS,
        without(TARIFFS.make(1), "elements", 0, "price_components", 0, "price"),
        "elements[0].price_components[0].price",
    ),
    "EVSEs that are no list": (LOCATIONS, put(X1, {}, "evses"), "evses"),
}


@pytest.mark.parametrize("kind, value, at", TAKEN.values(), ids=TAKEN)
def test_what_is_wrong_is_stored_reported_and_passed_on(
    trade: Trade, deliver_all: Deliver, value: Json, at: str
) -> None:
    """As it came: in the lists of its readers and in what they are sent."""
    result = trade.push(value)
    deliver_all()

    assert (result.http_status, result.status_code) == (201, 1000), str(result)
    assert at in str(result.message)
    assert trade.page().data == [value]
    assert [seen.json for seen in trade.pushes()] == [value]


@pytest.mark.parametrize("kind, value, at", REFUSED.values(), ids=REFUSED)
def test_identity_times_driver_and_money_stay_strict(trade: Trade, value: Json, at: str) -> None:
    """Without them an object could not be kept, told apart or paid."""
    result = trade.send("PUT", "X1", value) if not trade.kind.is_posted else trade.push(value)

    assert result.status_code == 2001
    assert at in str(result.message)


@pytest.mark.parametrize("kind, value, at", TAKEN.values(), ids=TAKEN)
def test_without_the_quirk_it_is_refused_or_set_aside(
    cast: Cast, kind: Kind, value: Json, at: str
) -> None:
    """The rule for everybody else."""
    result = Trade(kind, cast).agree(0).push(value)

    assert result.status_code == 2001 or "set aside" in str(result.message)
    assert at in str(result.message)


@each(LOCATIONS)
def test_a_part_without_uid_is_set_aside_all_the_same(trade: Trade) -> None:
    """Nobody could tell it apart; the rest lives."""
    [first, *_] = X1["evses"]

    result = trade.push({**X1, "evses": [first, without(first, "uid"), 7]})

    assert result.status_code == 1000
    assert trade.page().data == [{**X1, "evses": [first]}]


@each(LOCATIONS)
def test_what_was_taken_so_can_be_changed(trade: Trade) -> None:
    """A PATCH of what is right does not ask for what was wrong before."""
    trade.push(without(put(X1, [], "evses", 0, "connectors"), "time_zone"))
    uid = X1["evses"][0]["uid"]
    path = object_path(trade.party, "X1", uid)
    status = {"status": "CHARGING", "last_updated": T2}

    patched = trade.send("PATCH", "X1", {"name": "New", "last_updated": T2})
    changed = trade.platform.hub.patch(
        "locations", "RECEIVER", path, status, to=HUB, sender=trade.party
    )

    assert (patched.status_code, changed.status_code) == (1000, 1000)
    [found] = trade.page().data
    assert (found["name"], found["evses"][0]["status"]) == ("New", "CHARGING")


@each(LOCATIONS)
def test_of_a_list_that_is_read_too(trade: Trade) -> None:
    """It is in the lists, and in no quarantine."""
    value = without(X1, "time_zone")
    offer(trade.platform, "locations", value)

    read(full=True)

    assert trade.page().data == [value]
    assert command("quarantine") == []


@each(LOCATIONS)
def test_a_strict_reader_is_spared_it(trade: Trade, deliver_all: Deliver) -> None:
    """And who has it is said, with how much is wrong."""
    command("quirks", "P2", "strict_receiver=on")
    trade.push({**without(X1, "time_zone"), "opening_times": {}})
    deliver_all()

    assert trade.listed() == []
    assert trade.pushes() == []
    assert trade.listed(1) == ["X1"]
    assert Location.objects.get().findings == 2
    said = run("where", "LOCATION", "NL", "CPA", "X1")
    assert "2 members break the tables" in said
    assert "left out" in said
