"""Parties behind another hub: messages pass both hubs, and TO and FROM stay what they are."""

import json
from collections.abc import Callable, Iterator

import pytest

from ocpi.transport.message_ids import CORRELATION_ID, REQUEST_ID
from ocpi.types import PartyRef
from parties.models import Party, Platform
from sandbox import Result, SandboxPlatform
from sandbox.misbehaviour import refuse, reset
from tests.cast import CPA, HUB, MSA, MSB, Cast, a_location, command, push, route
from tests.hub.charging_objects import answered, asked, listed
from tests.hub.second_hub import HB2, LISTED, XXX, YYY, second_hub
from tests.ocpi.objects import a_session, a_token

L1 = "FR/XXX/L1"


@pytest.fixture
def other(cast: Cast) -> Iterator[SandboxPlatform]:
    """NL-HB2."""
    with second_hub(cast) as platform:
        yield platform


@pytest.mark.conformance("TF-86")
@pytest.mark.parametrize("method", ["PUT", "PATCH", "GET"])
def test_a_message_to_a_party_behind_another_hub(
    cast: Cast, other: SandboxPlatform, method: str
) -> None:
    """TO and FROM reach the other hub unchanged, and its party's answer comes back as it is."""
    token = a_token()
    path, body = "DE/MSA/TOKEN-1", token if method != "GET" else None
    cast["P2"].hub.put("tokens", "RECEIVER", path, token, to=XXX, sender=MSA)
    other.forget()

    result = cast["P2"].hub.send(method, "tokens", "RECEIVER", path, body, to=XXX, sender=MSA)

    [seen] = other.seen
    assert (seen.method, route(seen)) == (method, (XXX, MSA))
    assert seen.path.endswith(f"/receiver/tokens/{path}")
    assert (answered(result), route(result)) == ((200, 1000), (MSA, XXX))
    assert result.data == (token if method == "GET" else None)


@pytest.mark.conformance("TF-86")
def test_a_message_from_a_party_behind_another_hub(cast: Cast, other: SandboxPlatform) -> None:
    """The other hub brings it with its party as FROM; the answer goes back to that party."""
    emsp, body = cast["P2"], a_location(XXX)
    emsp.forget()

    result = push(other, body, to=MSA)

    [seen] = emsp.seen
    assert (seen.method, seen.json, route(seen)) == ("PUT", body, (MSA, XXX))
    assert seen.path.endswith(f"/receiver/locations/{L1}")
    assert (answered(result), route(result)) == ((201, 1000), (XXX, MSA))


@pytest.mark.conformance("TF-86")
def test_ids_are_kept_as_on_any_hop(cast: Cast, other: SandboxPlatform) -> None:
    """One correlation id through the chain; a request id for each hop."""
    result = cast["P2"].hub.get("locations", "SENDER", to=XXX, sender=MSA)

    [seen] = other.seen
    assert seen.headers[CORRELATION_ID] == result.headers[CORRELATION_ID]
    assert seen.headers[REQUEST_ID] != result.headers[REQUEST_ID]


@pytest.mark.conformance("TF-86")
def test_what_its_party_broadcasts_reaches_ours(
    cast: Cast, other: SandboxPlatform, deliver_all: Callable[[], int]
) -> None:
    """Stored as that party's, acknowledged by this hub, delivered to who has an agreement."""
    for sender in (XXX, HB2):
        body = a_location(XXX, name=f"by {sender}")
        cast["P2"].forget()

        result = other.hub.put("locations", "RECEIVER", L1, body, to=HUB, sender=sender)
        deliver_all()

        assert result.status_code == 1000, str(result)
        assert route(result) == (sender, HUB)
        seen = cast["P2"].wait_for("PUT /locations")
        assert (seen.json, route(seen)) == (body, (MSA, HUB))
        assert seen.path.endswith(f"/receiver/locations/{L1}")
    assert listed(cast["P2"], "locations", MSA) == (["L1"], 1)
    assert asked(other, "locations") == []


@pytest.mark.conformance("TF-86")
def test_what_the_other_hub_broadcasts_to_one_of_ours(cast: Cast, other: SandboxPlatform) -> None:
    """FROM is the other hub, as in every broadcast; whose object it is decides (TF-65, A-25)."""
    emsp, body = cast["P2"], a_location(XXX)
    emsp.forget()

    result = other.hub.put("locations", "RECEIVER", L1, body, to=MSA, sender=HB2)

    assert answered(result) == (201, 1000), str(result)
    [seen] = emsp.seen
    assert (seen.json, route(seen)) == (body, (MSA, HB2))
    assert route(result) == (HB2, MSA)


def test_the_other_hub_itself_has_no_agreement(cast: Cast, other: SandboxPlatform) -> None:
    """It brings objects of the parties it carries, under their agreements, and no others."""
    third = cast["P3"]
    third.forget()

    result = other.hub.put("locations", "RECEIVER", L1, a_location(XXX), to=MSB, sender=HB2)

    assert answered(result) == (200, 4001)
    assert asked(third, "locations") == []
    cast["P2"].forget()
    listing = other.hub.get("tokens", "SENDER", to=MSA, sender=HB2)
    assert answered(listing) == (200, 4001)
    assert cast["P2"].seen == []


@pytest.mark.conformance("TF-86")
def test_what_ours_broadcast_reaches_its_party(
    cast: Cast, other: SandboxPlatform, deliver_all: Callable[[], int]
) -> None:
    """A party behind the other hub receives like any other: TO itself, FROM this hub."""
    push(cast["P1"], a_location())
    deliver_all()

    seen = other.wait_for("PUT /locations")
    assert (seen.json, route(seen)) == (a_location(), (YYY, HUB))
    assert seen.path.endswith("/receiver/locations/NL/CPA/L1")
    assert len(asked(other, "locations")) == 1
    assert listed(other, "locations", YYY) == (["L1"], 1)


@pytest.mark.conformance("TF-86")
def test_personal_data_finds_its_party(
    cast: Cast, other: SandboxPlatform, deliver_all: Callable[[], int]
) -> None:
    """A session addressed to this hub with a token of FR-YYY is delivered to the other hub."""
    session = a_session()
    session["cdr_token"] |= {"country_code": "FR", "party_id": "YYY"}
    result = cast["P1"].hub.put("sessions", "RECEIVER", "NL/CPA/S1", session, to=HUB, sender=CPA)
    deliver_all()

    assert answered(result) == (201, 1000)
    seen = other.wait_for("PUT /sessions")
    assert (seen.json, route(seen)) == (session, (YYY, HUB))


@pytest.mark.conformance("TF-86", "TF-72")
def test_open_routing_finds_a_party_behind_another_hub(cast: Cast, other: SandboxPlatform) -> None:
    """Its object is known here: who asks for it without TO is answered by that party."""
    body = a_location(XXX, 7)
    other.own["locations"]["FR", "XXX", "L7"] = json.dumps(body)
    push(other, body)
    other.forget()

    result = cast["P2"].hub.get("locations", "SENDER", "L7", sender=MSA)

    [seen] = other.seen
    assert (route(seen), result.data, route(result)) == ((XXX, MSA), body, (MSA, XXX))


@pytest.mark.conformance("TF-86")
def test_an_error_behind_another_hub_is_relayed(cast: Cast, other: SandboxPlatform) -> None:
    """Its 4001 is about its party: our requester sees exactly that (ST-15)."""
    with other.answer("", refuse(4001, "unknown at HB2")):
        result = cast["P2"].hub.get("locations", "SENDER", to=XXX, sender=MSA)

    assert (result.status_code, result.message) == (4001, "unknown at HB2")
    assert route(result) == (MSA, XXX)


def _between(other: SandboxPlatform, **ids: str) -> Result:
    """Have the other hub bring a message of FR-YYY to FR-XXX, which both are behind it."""
    return other.hub.get("locations", "SENDER", to=XXX, sender=YYY, **ids)


def test_a_message_that_comes_back_is_stopped(cast: Cast, other: SandboxPlatform) -> None:
    """Each hub thinks the other has the receiver: on the second round 4000, nothing sent (A-39)."""
    cast.agree(("FR-XXX", "FR-YYY"))
    inner: list[Result] = []

    def bring_back(call: object) -> None:
        if len(inner) < 5:
            seen = other.seen[-1]
            inner.append(_between(other, **{CORRELATION_ID: seen.headers[CORRELATION_ID]}))
        refuse(4001, "not here")(call)  # type: ignore[arg-type]

    with other.answer("GET /sender/locations", bring_back):
        result = _between(other)

    assert [answered(each) for each in inner] == [(200, 4000)]
    assert "goes round between hubs" in str(inner[0].message)
    assert route(inner[0]) == (YYY, HUB)
    assert result.message == "not here"
    assert len(other.seen) == 1


def test_only_what_comes_back_is_stopped(cast: Cast, other: SandboxPlatform) -> None:
    """Another exchange, another URL, another platform's own repetition: none of it is a loop."""
    cast.agree(("FR-XXX", "FR-YYY"))
    same = {CORRELATION_ID: "the same"}

    first = _between(other, **same)
    again = [
        _between(other),
        other.hub.get("locations", "SENDER", "?limit=1", to=XXX, sender=YYY, **same),
    ]
    emsp = [cast["P2"].hub.get("locations", "SENDER", to=XXX, sender=MSA, **same) for _ in range(2)]

    assert [answered(each) for each in (first, *again, *emsp)] == [(200, 1000)] * 5


def test_what_could_not_be_sent_may_be_tried_again(cast: Cast, other: SandboxPlatform) -> None:
    """The hub asks for that itself: the second attempt is no loop."""
    cast.agree(("FR-XXX", "FR-YYY"))
    same = {CORRELATION_ID: "tried twice"}

    with other.answer("GET /sender/locations", reset()):
        assert answered(_between(other, **same)) == (200, 4003)

    assert answered(_between(other, **same)) == (200, 1000)


def test_a_repetition_to_one_of_ours_is_no_loop(cast: Cast, other: SandboxPlatform) -> None:
    """The other hub sends the same twice to a party of ours: both arrive."""
    results = [
        other.hub.put(
            "locations",
            "RECEIVER",
            L1,
            a_location(XXX),
            to=MSA,
            sender=XXX,
            **{CORRELATION_ID: "c"},
        )
        for _ in range(2)
    ]

    assert [answered(each) for each in results] == [(201, 1000), (200, 1000)]


@pytest.mark.conformance("TF-81")
@pytest.mark.parametrize("sender", [CPA, MSA, HUB, PartyRef("FR", "ZZZ")])
def test_another_hub_speaks_for_its_own_parties_only(
    cast: Cast, other: SandboxPlatform, sender: PartyRef
) -> None:
    """A party that is not on the operator's list for it is not its own: 2001."""
    cast["P2"].forget()
    result = other.hub.put("locations", "RECEIVER", L1, a_location(XXX), to=MSA, sender=sender)

    assert answered(result) == (200, 2001)
    assert cast["P2"].seen == []


@pytest.mark.conformance("TF-48")
@pytest.mark.parametrize("owner", [CPA, PartyRef("FR", "ZZZ")])
def test_another_hub_writes_for_its_own_parties_only(
    other: SandboxPlatform, owner: PartyRef
) -> None:
    """An owner it does not carry: 404, as to anybody."""
    body = a_location(owner)
    path = f"{owner.country_code}/{owner.party_id}/L1"

    for sender in (HB2, XXX):
        result = other.hub.put("locations", "RECEIVER", path, body, to=HUB, sender=sender)
        assert answered(result) == (404, 2001)


@pytest.mark.conformance("CRED-35")
def test_a_hub_that_this_hub_registered_with(cast: Cast, deliver_all: Callable[[], int]) -> None:
    """It answers the registration with role HUB alone; objects of its parties are taken from it."""
    emsp = cast["P2"]
    with SandboxPlatform([("HUB", "NL", "HB2")]) as other:
        roles = [f"--role={role}" for role in LISTED]
        token, url = f"--token-a={other.invite()}", f"--versions-url={other.url}"
        command("register_platform", "HB2", *roles, token, url)
        cast.agree(("FR-XXX", "DE-MSA"))
        emsp.forget()

        result = push(other, a_location(XXX))
        deliver_all()

        assert answered(result) == (201, 1000)
        assert emsp.wait_for("PUT /locations").json == a_location(XXX)
        known = {str(party) for party in Party.objects.filter(platform__name="HB2", is_active=True)}
        assert len(known) == 3
        assert Platform.objects.get(name="HB2").status == "CONNECTED"
        assert answered(emsp.hub.get("locations", "SENDER", to=XXX)) == (200, 1000)


def test_a_hub_that_leaves_takes_its_parties_along(cast: Cast, other: SandboxPlatform) -> None:
    """When it unregisters, nobody behind it can be reached."""
    other.unregister()

    result = cast["P2"].hub.get("locations", "SENDER", to=XXX, sender=MSA)

    assert answered(result) == (200, 4003)
