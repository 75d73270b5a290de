"""What PUT and PATCH make of the objects of every module, and who hears of it."""

import json
from collections.abc import Callable

import pytest

from hub.models import Change, StoredObject
from hub.module_policy import POLICIES
from ocpi.types import ModuleID
from sandbox import misbehaviour
from tests.cast import HUB, Cast
from tests.hub.exchange import LOCATIONS, PATCHED, PUT, SESSIONS, TARIFFS, TOKENS, Kind, Trade, each
from tests.hub.location_owner import T1, T2, T3

Deliver = Callable[[], int]
OPTIONAL = {TARIFFS: "type", LOCATIONS: "name", TOKENS: "visual_number", SESSIONS: "total_cost"}
UNKNOWN = {LOCATIONS: 2003, TOKENS: 2004, SESSIONS: 2001}


@pytest.fixture
def trade(cast: Cast, kind: Kind, deliver_all: Deliver) -> Trade:
    """An owner and one reader that is told what changes from now on."""
    trade = Trade(kind, cast).agree(0)
    deliver_all()
    return trade


def stored(kind: Kind) -> StoredObject:
    """Return the only object of a module as it is stored."""
    found: StoredObject = POLICIES[ModuleID(kind.module)].model._default_manager.get()
    return found


@each(*PUT)
@pytest.mark.conformance("TF-34")
def test_put_replaces_the_whole_object(trade: Trade) -> None:
    """An optional member that is left out is gone (A-55)."""
    value, name = trade.kind.make(1), OPTIONAL[trade.kind]
    trade.push_new(value)
    without = {key: member for key, member in value.items() if key != name}

    trade.push(without)

    assert trade.get("X1") == without != value
    assert trade.crawl().data == [without]


@each(*PATCHED)
@pytest.mark.conformance("TF-36")
def test_patch_changes_what_it_names(trade: Trade, deliver_all: Deliver) -> None:
    """Everything else stays; null removes what is optional; the reader gets the PATCH itself."""
    value, name = trade.kind.make(1), OPTIONAL[trade.kind]
    trade.push_new(value)
    deliver_all()
    patch = {"x_new": [1, 2], name: None, "last_updated": T2}

    result = trade.send("PATCH", "X1", patch)
    deliver_all()

    assert (result.http_status, result.status_code) == (200, 1000)
    expected = {key: member for key, member in (value | patch).items() if key != name}
    assert trade.get("X1") == expected
    assert trade.crawl().data == [expected]
    put, patched = trade.pushes()
    assert (put.method, put.json) == ("PUT", value)
    assert (patched.method, patched.json) == ("PATCH", patch)
    assert patched.path.endswith(f"/{trade.party.country_code}/{trade.party.party_id}/X1")


@each(*PATCHED)
@pytest.mark.conformance("TF-37", "TF-38")
def test_a_patch_is_refused_without_last_updated_or_without_its_object(
    trade: Trade, deliver_all: Deliver
) -> None:
    """2001, and 404 with the module's own code so that the owner sends PUT; nothing goes on."""
    value = trade.kind.make(1)
    unknown = trade.send("PATCH", "X1", {"x_new": 1, "last_updated": T2})
    created = trade.push(value)
    stamps: tuple[dict[str, object], ...] = ({}, {"last_updated": None}, {"last_updated": "today"})

    refused = [trade.send("PATCH", "X1", {"x_new": 1, **stamp}) for stamp in stamps]
    deliver_all()

    assert (unknown.http_status, unknown.status_code) == (404, UNKNOWN[trade.kind])
    assert (created.http_status, created.status_code) == (201, 1000)
    for result in refused:
        assert (result.http_status, result.status_code) == (200, 2001)
        assert "last_updated" in str(result.message)
    assert trade.get("X1") == value
    assert [seen.method for seen in trade.pushes()] == ["PUT"]


@each(*PATCHED)
@pytest.mark.conformance("TF-39")
def test_a_receiver_that_lacks_the_object_gets_it_whole(trade: Trade, deliver_all: Deliver) -> None:
    """After a PATCH that it does not know: the merged object by PUT, with its own last_updated."""
    value = trade.kind.make(1)
    trade.push_new(value)
    deliver_all()
    code = UNKNOWN[trade.kind]
    trade.reader().answer("PATCH", misbehaviour.refuse(code, http_status=404))
    trade.reader().forget()

    trade.send("PATCH", "X1", {"x_new": 1, "last_updated": T2})
    deliver_all()

    assert [seen.method for seen in trade.pushes()] == ["PATCH", "PUT"]
    assert trade.pushes()[-1].json == value | {"x_new": 1, "last_updated": T2}
    assert trade.pushes()[-1].route == trade.pushes()[0].route


@each(*PUT)
@pytest.mark.conformance("TF-93", "TF-94", "TF-95")
def test_an_object_is_served_and_delivered_as_it_is_spelled(
    trade: Trade, deliver_all: Deliver
) -> None:
    """Number lexemes, timestamps, unknown members and unknown enum values are its owner's."""
    value = trade.kind.make(1, last_updated="2020-01-01T00:00:00.5", x_new="@")
    value |= {"type": "ZOO"} if trade.kind in {TARIFFS, TOKENS} else {}
    body = b"\n " + _spelled(value) + b" "
    query = "?type=ZOO" if trade.kind is TOKENS else ""

    created = trade.send("PUT", "X1", body)
    deliver_all()

    assert created.http_status == 201, str(created)
    [seen] = trade.pushes()
    assert seen.body == body
    for text in (trade.page().body, trade.send("GET", "X1", query=query).body):
        assert b'"x_new":8.10' in text
        assert b'"2020-01-01T00:00:00.5"' in text


def _spelled(value: dict[str, object]) -> bytes:
    return json.dumps(value).encode().replace(b'"@"', b"8.10")


@each(*PUT)
def test_an_unchanged_put_is_acknowledged_but_no_news(trade: Trade, deliver_all: Deliver) -> None:
    """It is counted, not fed; the same after a PATCH changes something again."""
    value = trade.kind.make(1)
    trade.push_new(value)
    deliver_all()
    revision = stored(trade.kind).revision

    for _ in range(2):
        again = trade.push(value)
        assert (again.http_status, again.status_code) == (200, 1000)
    deliver_all()

    row = stored(trade.kind)
    assert (row.repeated, row.revision, Change.objects.count()) == (2, revision, 1)
    assert len(trade.pushes()) == 1
    respelled = trade.send("PUT", "X1", _spelled(value) + b" ")
    assert respelled.http_status == 200
    assert stored(trade.kind).repeated == 2


@each(*PUT)
def test_an_object_that_is_only_stamped_anew_is_a_change(
    trade: Trade, deliver_all: Deliver
) -> None:
    """Some platforms stamp all they have with every message: no reader's copy falls behind."""
    value = trade.kind.make(1)
    trade.push_new(value)
    deliver_all()

    trade.push({**value, "last_updated": T2})
    deliver_all()

    assert trade.get("X1")["last_updated"] == T2
    assert [seen.json["last_updated"] for seen in trade.pushes()] == [value["last_updated"], T2]


@each(*PATCHED)
def test_the_same_put_after_a_patch_is_a_change(trade: Trade, deliver_all: Deliver) -> None:
    """It takes back what the PATCH said."""
    value = trade.kind.make(1)
    trade.push_new(value)
    trade.send("PATCH", "X1", {"x_new": 1, "last_updated": T2})
    deliver_all()
    trade.reader().forget()

    trade.push(value)
    deliver_all()

    assert trade.get("X1") == value
    assert stored(trade.kind).repeated == 0
    assert [seen.json for seen in trade.pushes()] == [value]


@each(*PUT)
def test_an_older_change_is_applied_as_it_arrives(trade: Trade, deliver_all: Deliver) -> None:
    """The owner knows why it says so last (A-61); the hub counts it and passes it on."""
    kind = trade.kind
    trade.push_new(kind.make(1, last_updated=T2))
    deliver_all()

    trade.push(kind.make(1, x_new="put", last_updated=T1))
    assert trade.get("X1")["x_new"] == "put"
    trade.push(kind.make(1, x_new="later", last_updated=T3))
    assert stored(kind).stale == 1
    if kind in PATCHED:
        trade.send("PATCH", "X1", {"x_new": "patch", "last_updated": T1})
        assert stored(kind).stale == 2
        assert trade.get("X1") == kind.make(1, x_new="patch", last_updated=T1)
    deliver_all()

    last = trade.pushes()[-1].json
    assert isinstance(last, dict)
    assert last["last_updated"] == trade.get("X1")["last_updated"]
    assert last["x_new"] == trade.get("X1")["x_new"]


@each(*PUT)
@pytest.mark.conformance("TF-51")
def test_a_receiver_is_told_under_the_owners_name(trade: Trade, deliver_all: Deliver) -> None:
    """From the hub, but below the owner's country and party."""
    trade.push_new(trade.kind.make(1))
    deliver_all()

    [seen] = trade.pushes()
    owner = f"{trade.party.country_code}/{trade.party.party_id}"
    assert seen.route.endswith(f"/receiver/{trade.kind.module}/{owner}/X1")
    assert (seen.to, seen.sender) == (trade.kind.readers[0][1], HUB)
