"""Messages without a receiver, and messages to the hub itself: open routing and GET-All."""

import json
from collections.abc import Callable

import pytest

from ocpi.types import PartyRef
from sandbox import SandboxPlatform
from tests.cast import CPA, CPB, HUB, MIX, MSA, MSB, Cast, a_location, push, route

Pair = tuple[SandboxPlatform, SandboxPlatform]
ALL = (("NL-CPA", "DE-MSA"), ("NL-CPB", "DE-MSA"), ("BE-MIX", "DE-MSA"), ("NL-CPA", "FR-MSB"))


@pytest.fixture
def market(cast: Cast) -> Cast:
    """P1, P2, P3 and P4 with agreements, and a location of each CPO in the hub and at home."""
    for body in (a_location(CPA, 1), a_location(CPB, 2), a_location(MIX, 3)):
        owner = PartyRef(body["country_code"], body["party_id"])
        platform = cast["P4" if owner == MIX else "P1"]
        platform.own["locations"][owner.country_code, owner.party_id, body["id"]] = json.dumps(body)
        assert push(platform, body).http_status == 201
    emsps = cast["P2"], cast["P3"]
    cast.agree(*ALL)
    for platform in (cast["P1"], cast["P4"], *emsps):
        platform.forget()
    return cast


@pytest.mark.conformance("TF-72", "TF-73")
def test_a_get_of_one_object_finds_its_owner(market: Cast) -> None:
    """TO absent: the owner of the object is asked, TO=owner FROM=requester, and answers."""
    cpo, emsp = market["P1"], market["P2"]

    for path, name, value in (("L2", "id", "L2"), ("l2/e1", "uid", "E1"), ("L2/E1/1", "id", "1")):
        result = emsp.hub.get("locations", "SENDER", f"{path}?x=1")

        assert (result.http_status, result.status_code) == (200, 1000), str(result)
        assert result.data[name] == value
        assert route(result) == (MSA, CPB)
        seen = cpo.seen[-1]
        assert route(seen) == (CPB, MSA)
        assert seen.path.endswith(f"/sender/locations/{path}?x=1")
    assert market["P4"].seen == []


@pytest.mark.conformance("TF-74")
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_push_without_receiver_is_a_broadcast(
    market: Cast, deliver_all: Callable[[], int], method: str
) -> None:
    """A push to nobody in particular: stored, acknowledged by the hub, delivered to all."""
    deliver_all()
    body = a_location(CPA, 1, name="new", last_updated="2030-01-01T00:00:00Z")
    receivers = [market["P2"], market["P3"]]
    for platform in receivers:
        platform.forget()

    result = market["P1"].hub.send(method, "locations", "RECEIVER", "NL/CPA/L1", body, sender=CPA)
    deliver_all()

    assert (result.http_status, result.status_code) == (200, 1000)
    assert route(result) == (CPA, HUB)
    for platform, party in zip(receivers, (MSA, MSB), strict=True):
        seen = platform.wait_for(f"{method} /locations")
        assert (seen.json, route(seen)) == (body, (party, HUB))


@pytest.mark.conformance("TF-75", "ST-08", "ST-02")
def test_an_object_nobody_has_is_404(market: Cast) -> None:
    """An id the hub cannot resolve for this requester: 404/2003, nobody is asked."""
    for emsp, identifier in ((market["P2"], "NOPE"), (market["P3"], "L2")):
        for to in (None, HUB):
            result = emsp.hub.get("locations", "SENDER", identifier, to=to)
            assert (result.http_status, result.status_code) == (404, 2003)
            assert identifier in str(result.message)
            assert route(result) == (emsp.party, HUB)
    assert market["P1"].seen + market["P4"].seen == []


@pytest.mark.conformance("TF-76", "LOC-16")
def test_an_ambiguous_id_is_refused(market: Cast) -> None:
    """Two owners have a location of this id: 2001, and the message names both."""
    push(market["P4"], a_location(MIX, 1))

    for to in (None, HUB):
        result = market["P2"].hub.get("locations", "SENDER", "L1", to=to)
        assert (result.http_status, result.status_code) == (200, 2001)
        assert "BE-MIX and NL-CPA" in str(result.message)
        assert "OCPI-to-country-code" in str(result.message)
    assert market["P1"].seen == []
    assert market["P3"].hub.get("locations", "SENDER", "L1").data["id"] == "L1"
    addressed = market["P2"].hub.get("locations", "SENDER", "L1", to=CPA)
    assert addressed.data["party_id"] == "CPA"
    listed = market["P2"].hub.list("locations", to=HUB).data
    assert [(each["party_id"], each["id"]) for each in listed].count(("MIX", "L1")) == 1
    assert ("CPA", "L1") in [(each["party_id"], each["id"]) for each in listed]


@pytest.mark.conformance("TF-69")
def test_a_get_is_never_a_broadcast(market: Cast) -> None:
    """GET on the RECEIVER to the hub or to nobody: the hub's own copy; no platform is asked."""
    for to in (HUB, None):
        result = market["P1"].hub.get("locations", "RECEIVER", "NL/CPA/L1", to=to, sender=CPA)
        assert (result.http_status, result.data) == (200, a_location(CPA, 1))
        assert route(result) == (CPA, HUB)
    for name in ("P1", "P2", "P3", "P4"):
        assert market[name].seen == []


@pytest.mark.conformance("TF-77", "TF-20", "TF-55")
def test_get_all_combines_the_objects_of_many(market: Cast) -> None:
    """GET on SENDER to the hub: the objects of all owners the caller may see, from the hub."""
    for to in (HUB, None):
        result = market["P2"].hub.get("locations", "SENDER", to=to)
        owners = [(each["country_code"], each["party_id"], each["id"]) for each in result.data]
        assert owners == [("NL", "CPA", "L1"), ("NL", "CPB", "L2"), ("BE", "MIX", "L3")]
        assert route(result) == (MSA, HUB)
    only = market["P3"].hub.get("locations", "SENDER", to=HUB)
    assert [each["id"] for each in only.data] == ["L1"]
    for name in ("P1", "P4"):
        assert market[name].seen == []


@pytest.mark.conformance("TF-78")
def test_get_all_does_not_depend_on_who_is_there(market: Cast) -> None:
    """The owner is gone: its objects are served from the store all the same (A-37)."""
    market["P1"].stop()
    unreachable = market["P2"].hub.get("locations", "SENDER", "L1", to=CPA)

    result = market["P2"].hub.get("locations", "SENDER", to=HUB)

    assert unreachable.status_code == 4003
    assert [each["id"] for each in result.data] == ["L1", "L2", "L3"]
