"""A push addressed to the hub reaches everybody who may have it, as it came in."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from ocpi.types import PartyRef
from parties.models import Endpoint
from sandbox import misbehaviour
from sandbox.platform import SandboxPlatform
from sandbox.server import Responder
from tests.cast import CPA, HUB, MIX, Cast, a_location, push, route
from tests.factories import CredentialsFactory, EndpointFactory, PartyFactory, PlatformFactory
from tests.hub.delivery.workers import workers
from tests.hub.location_owner import T2, T3, T4, Owner, pushes, received

Deliver = Callable[[], int]
READERS = ("P2", "P3", "P4", "P5", "P6", "P8", "TNM as eMSP", "two eMSPs")
"""Eight platforms with nine parties that read Locations."""


@pytest.mark.conformance("TF-65", "TF-88", "TF-89")
def test_every_party_with_the_receiver_interface_gets_one_push(
    cast: Cast, owner: Owner, deliver_all: Deliver
) -> None:
    """eMSP, NSP, NAP and OTHER, each as itself and from the hub; an SCSP does not."""
    platforms = [cast[name] for name in READERS]
    parties = {platform.name: {party for _, party in platform.roles} for platform in platforms}
    scsp = cast.start("P7")
    connected_by_hand(scsp)
    everybody = set[PartyRef]().union(*parties.values())
    cast.agree(*[("NL-CPA", str(party)) for party in (*everybody, scsp.party)])
    deliver_all()
    body = a_location(CPA, 1)

    headers: dict[str, Any] = {"X-Correlation-ID": "one-correlation"}
    accepted = owner.send("PUT", "L1", body=body, **headers)
    deliver_all()

    assert accepted.http_status == 201
    ids = {accepted.headers["X-Request-ID"]}
    for platform in platforms:
        sent = pushes(platform)
        assert {route(seen) for seen in sent} == {(to, HUB) for to in parties[platform.name]}
        assert len(sent) == len(parties[platform.name])
        for seen in sent:
            assert (seen.method, seen.json) == ("PUT", body)
            assert seen.headers["X-Correlation-ID"] == "one-correlation"
            ids.add(seen.headers["X-Request-ID"])
    assert len(ids) == 1 + len(everybody) == 10
    assert scsp.seen == []
    assert pushes(owner.platform) == []


def connected_by_hand(platform: SandboxPlatform) -> None:
    """Put a platform into the hub's tables: without a module in common there is no handshake."""
    [(role, party)] = platform.roles
    row = PlatformFactory.create(name=platform.name)
    PartyFactory.create(
        platform=row, role=role, country_code=party.country_code, party_id=party.party_id
    )
    EndpointFactory.create(platform=row, url=platform.endpoint("locations", "RECEIVER"))
    CredentialsFactory.create(platform=row, outbound=True)


@pytest.mark.conformance("TF-68")
def test_one_request_a_party_and_none_to_where_it_came_from(
    cast: Cast, owner: Owner, deliver_all: Deliver
) -> None:
    """Two parties of one platform get one each; BE-MIX does not hear what BE-MIX says (A-24)."""
    mix = cast["P4"]
    two = cast.join("two eMSPs")
    cast.agree(("BE-MIX", "AT-TWA"), ("BE-MIX", "AT-TWB"), ("NL-CPA", "BE-MIX"))
    deliver_all()

    push(mix, a_location(MIX, 1))
    push(owner.platform, a_location(CPA, 1))
    deliver_all()

    assert sorted(str(route(seen)[0]) for seen in pushes(two)) == ["AT-TWA", "AT-TWB"]
    assert len({seen.headers["X-Request-ID"] for seen in pushes(two)}) == 2
    assert [seen.path.rpartition("/locations/")[2] for seen in pushes(mix)] == ["NL/CPA/L1"]


@pytest.mark.conformance("TF-64")
def test_the_owner_is_answered_at_once_by_the_hub(
    cast: Cast, owner: Owner, emsp: SandboxPlatform
) -> None:
    """Whatever the receivers are doing: 201 within a second, FROM the hub."""
    other = cast["P3"]
    cast.agree(("NL-CPA", "FR-MSB"))
    for platform in (emsp, other):
        platform.hold(1.5)

    with workers():
        for number in (1, 2, 3):
            accepted = owner.put(f"L{number}", body=a_location(CPA, number))

            assert (accepted.http_status, accepted.status_code) == (201, 1000)
            assert accepted.elapsed < 1
            assert route(accepted) == (CPA, HUB)
        emsp.wait_for("PUT", 10)
        other.wait_for("PUT", 10)


@pytest.mark.conformance("TF-67")
@pytest.mark.parametrize(
    "responder",
    [misbehaviour.unauthorized(), misbehaviour.html(500), misbehaviour.refuse(2001)],
    ids=["401", "500", "2001"],
)
def test_what_receivers_answer_is_not_the_owners_business(
    owner: Owner, emsp: SandboxPlatform, deliver_all: Deliver, responder: Responder
) -> None:
    """The owner was answered 201 and hears the same next time; the receiver answers the hub."""
    emsp.answer("PUT", responder)

    first = owner.put("L1", body=a_location(CPA, 1))
    deliver_all()
    second = owner.put("L1", body=a_location(CPA, 1))

    assert pushes(emsp)
    assert (first.http_status, first.status_code) == (201, 1000)
    assert (second.http_status, second.status_code, second.message) == (200, 1000, None)


@pytest.mark.conformance("LOC-09")
def test_a_patch_goes_on_as_the_patch_it_is(
    owner: Owner, emsp: SandboxPlatform, deliver_all: Deliver
) -> None:
    """At every level, unmodified."""
    owner.put("L1", body=a_location(CPA, 1))
    deliver_all()
    for ids in (("L1", "E1"), ("L1", "E2", "1"), ("L1",)):
        emsp.forget()
        body = b'{"x" : 8.10, "last_updated":"2027-02-01T00:00:00"}'

        owner.send("PATCH", *ids, body=body)
        deliver_all()

        [seen] = pushes(emsp)
        assert seen.method == "PATCH"
        assert seen.path.endswith(f"/NL/CPA/{'/'.join(ids)}")
        assert seen.body == body


def test_a_put_of_a_part_goes_on_as_it_is(
    owner: Owner, emsp: SandboxPlatform, deliver_all: Deliver
) -> None:
    """An EVSE to its URL, a Connector to its own."""
    value = a_location(CPA, 1)
    owner.put("L1", body=value)
    deliver_all()
    evse = {**value["evses"][0], "last_updated": T2}
    for ids, body in (
        (("L1", "E1"), evse),
        (("L1", "E1", "1"), {**evse["connectors"][0], "last_updated": T3}),
    ):
        emsp.forget()
        owner.put(*ids, body=body)
        deliver_all()
        [seen] = pushes(emsp)
        assert seen.path.endswith(f"/NL/CPA/{'/'.join(ids)}")
        assert (seen.method, seen.json) == ("PUT", body)
    assert received(emsp) == {"NL-CPA/L1": owner.get("L1")}


@pytest.mark.conformance("TF-39")
@pytest.mark.parametrize("code", [2003, 2001, 2000])
def test_a_patch_of_what_a_receiver_lacks_becomes_a_put_of_the_whole(
    owner: Owner, emsp: SandboxPlatform, deliver_all: Deliver, code: int
) -> None:
    """The merged object with its original last_updated, under the owner's ids (A-12)."""
    value = {**a_location(CPA, 1), "last_updated": "2020-01-01T00:00:00"}
    owner.put("L1", body=value)
    deliver_all()
    emsp.forget()
    emsp.objects["locations"].remove(CPA, "L1")
    emsp.answer("PATCH", misbehaviour.refuse(code, http_status=404 if code == 2003 else 200))

    owner.patch("L1", "E1", body={"status": "BLOCKED", "last_updated": "2019-01-01T00:00:00Z"})
    deliver_all()

    patch, put = pushes(emsp)
    assert (patch.method, put.method) == ("PATCH", "PUT")
    assert put.path.endswith("/NL/CPA/L1")
    expected = owner.get("L1")
    assert expected["evses"][0]["status"] == "BLOCKED"
    assert expected["last_updated"] == "2020-01-01T00:00:00"
    assert put.json == expected
    assert received(emsp) == {"NL-CPA/L1": expected}


def test_several_parts_of_one_unknown_object_become_one_put(
    owner: Owner, emsp: SandboxPlatform, deliver_all: Deliver
) -> None:
    """Twenty EVSEs of a Location the receiver lacks are one whole Location, not twenty."""
    owner.put("L1", body=a_location(CPA, 1, evses=20))
    deliver_all()
    emsp.forget()
    emsp.objects["locations"].remove(CPA, "L1")

    for number in range(1, 21):
        owner.patch("L1", f"E{number}", body={"status": "CHARGING", "last_updated": T4})
    deliver_all()

    assert [seen.method for seen in pushes(emsp)] == ["PATCH"] * 20 + ["PUT"]
    assert received(emsp) == {"NL-CPA/L1": owner.get("L1")}


@pytest.mark.conformance("TF-85")
def test_rapid_changes_of_one_object_never_go_back(owner: Owner, emsp: SandboxPlatform) -> None:
    """Fifty PATCHes in a row arrive in their order; a receiver may skip states, never return."""
    owner.put("L1", body=a_location(CPA, 1))
    with workers():
        emsp.wait_for("PUT")
        for number in range(1, 51):
            body = {"x": number, "last_updated": T2}
            assert owner.patch("L1", "E1", body=body).status_code == 1000
        emsp.wait_for(lambda seen: bool(re.search(rb'"x": ?50\b', seen.body)), 15)

    states = [seen.json for seen in pushes(emsp)]
    counted = [state["x"] for state in states if isinstance(state, dict) and "x" in state]
    assert counted == sorted(counted)
    assert counted[-1] == 50
    assert received(emsp) == {"NL-CPA/L1": owner.get("L1")}


@pytest.mark.conformance("TF-101")
def test_a_push_that_is_refused_reaches_nobody(
    owner: Owner, emsp: SandboxPlatform, deliver_all: Deliver
) -> None:
    """Validated before it is accepted: 2001, and no receiver hears of it."""
    body = a_location(CPA, 1)
    del body["coordinates"]

    refused = owner.put("L1", body=body)
    deliver_all()

    assert (refused.http_status, refused.status_code) == (200, 2001)
    assert pushes(emsp) == []
    assert not owner.has("L1")


@pytest.mark.conformance("TF-100")
def test_a_new_owners_old_objects_are_pushed(
    cast: Cast, emsp: SandboxPlatform, deliver_all: Deliver
) -> None:
    """Who joins today with objects of 2020 is not found by date_from: receivers get PUTs (A-38)."""
    newcomer = cast["P4"]
    old = "2020-03-01T00:00:00Z"
    locations = [{**a_location(MIX, number), "last_updated": old} for number in (1, 2, 3)]
    for body in locations[:2]:
        push(newcomer, body)
    deliver_all()
    assert pushes(emsp) == []

    cast.agree(("BE-MIX", "DE-MSA"))
    push(newcomer, locations[2])
    deliver_all()

    assert {seen.method for seen in pushes(emsp)} == {"PUT"}
    expected = {f"BE-MIX/{body['id']}": body for body in locations}
    assert received(emsp) == expected


@pytest.mark.conformance("LOC-19")
def test_who_withdraws_its_receiver_interface_is_left_alone(
    cast: Cast, owner: Owner, deliver_all: Deliver
) -> None:
    """No request and no error; with the interface back it gets what it missed."""
    nsp = cast["P5"]
    cast.agree(("NL-CPA", "NL-NAV"))
    owner.put("L1", body=a_location(CPA, 1))
    deliver_all()
    Endpoint.objects.filter(platform__name="P5", role="RECEIVER").delete()
    nsp.forget()

    owner.put("L2", body=a_location(CPA, 2))
    assert deliver_all() == 0
    assert nsp.seen == []

    nsp.move("locations", "RECEIVER", "/elsewhere/receiver/locations")
    nsp.rotate()
    deliver_all()
    assert set(received(nsp)) == {"NL-CPA/L1", "NL-CPA/L2"}
    assert all("/elsewhere/" in seen.path for seen in pushes(nsp))


@pytest.mark.conformance("TF-108")
def test_a_hanging_receiver_holds_up_nobody_else(
    cast: Cast, owner: Owner, emsp: SandboxPlatform
) -> None:
    """One subscription, one worker: the others hear within a second."""
    hanging = cast["P3"]
    cast.agree(("NL-CPA", "FR-MSB"))
    hanging.hold(60)

    with workers():
        owner.put("L1", body=a_location(CPA, 1))
        hanging.wait_for("PUT", answered=False)
        for number in (2, 3, 4):
            owner.put(f"L{number}", body=a_location(CPA, number))
            emsp.wait_for(f"PUT /NL/CPA/L{number}", 1)
        hanging.rules.clear()
    assert set(received(emsp)) == {f"NL-CPA/L{number}" for number in (1, 2, 3, 4)}
