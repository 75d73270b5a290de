"""Sessions on their way: directly, by the owner of their token, and never to anybody else."""

from collections.abc import Callable

import pytest

from hub.models import Change, Session
from ocpi.types import PartyRef
from sandbox import SandboxPlatform
from sandbox.misbehaviour import refuse, say
from tests.cast import CPA, CPB, HUB, MSA, MSB, Cast, route
from tests.hub.charging_objects import (
    T2,
    answered,
    asked,
    for_msb,
    held,
    listed,
    put_session,
    session,
    two_emsps,
)
from tests.ocpi.objects import a_cdr_token, a_charging_period, a_session

Pair = tuple[SandboxPlatform, SandboxPlatform]
SCS = PartyRef("NL", "SCS")
LATER = a_charging_period(start_date_time="2026-11-21T06:00:00Z")


@pytest.mark.conformance("SES-03")
def test_a_patch_is_forwarded_as_it_came(pair: Pair) -> None:
    """The receiver gets the one new period, not the merged list."""
    cpo, emsp = pair
    put_session(cpo, to=MSA)
    patch = '{ "charging_periods":[{"start_date_time":"2026-11-21T06:00:00Z",'
    patch += f'"dimensions":[{{"type":"ENERGY","volume":1.50}}]}}], "last_updated":"{T2}"}}'

    result = session(cpo, "PATCH", patch, to=MSA)

    assert answered(result) == (200, 1000)
    assert [seen.body.decode() for seen in asked(emsp, "sessions")][1:] == [patch]
    assert len(held(cpo)["charging_periods"]) == 2


@pytest.mark.conformance("SES-19")
def test_a_patch_that_is_sent_twice_is_forwarded_twice(pair: Pair) -> None:
    """Directly addressed, every message is passed on; the hub's own copy has the period once."""
    cpo, emsp = pair
    put_session(cpo, to=MSA)
    for _ in range(2):
        body = {"charging_periods": [LATER], "last_updated": T2}
        assert answered(session(cpo, "PATCH", body, to=MSA)) == (200, 1000)

    assert [seen.method for seen in asked(emsp, "sessions")] == ["PUT", "PATCH", "PATCH"]
    assert held(cpo)["charging_periods"] == [a_charging_period(), LATER]


@pytest.mark.conformance("SES-14", "TF-96")
def test_a_reservation_is_carried_with_its_unknown_evse(
    pair: Pair, deliver_all: Callable[[], int]
) -> None:
    """`#NA` is a word like any other: relayed, stored, delivered, never looked up."""
    cpo, emsp = pair
    body = a_session(status="RESERVATION", evse_uid="#NA", connector_id="#NA")

    assert answered(session(cpo, "PUT", body, to=MSA)) == (201, 1000)
    assert [seen.json for seen in asked(emsp, "sessions")] == [body]
    body["id"] = "S2"
    assert answered(session(cpo, "PUT", body, identifier="S2")) == (201, 1000)
    deliver_all()

    assert asked(emsp, "sessions")[-1].json == body
    assert held(cpo, "S2") == body


@pytest.mark.conformance("SES-15")
def test_reserved_is_kept_as_it_was_sent(pair: Pair, deliver_all: Callable[[], int]) -> None:
    """The text of the specification says RESERVED where its table says RESERVATION (A-89)."""
    cpo, emsp = pair

    result = put_session(cpo, status="RESERVED")
    deliver_all()

    assert answered(result) == (201, 1000)
    assert held(cpo)["status"] == "RESERVED"
    [seen] = asked(emsp, "sessions")
    assert b'"status": "RESERVED"' in seen.body
    direct = put_session(cpo, status="RESERVED", id="S2", to=MSA)
    assert direct.status_code == 1000
    assert b'"status": "RESERVED"' in asked(emsp, "sessions")[-1].body


@pytest.mark.conformance("SES-16", "TF-72")
def test_without_a_receiver_a_session_goes_to_the_owner_of_its_token(cast: Cast) -> None:
    """Now, by open routing, and the answer is that party's; a PATCH goes where the session went."""
    cpo, msa, msb = two_emsps(cast)
    msa.answer("PATCH", refuse(2001, "in its own words"))

    put = put_session(cpo, to=None)
    patch = session(cpo, "PATCH", {"kwh": 20.0, "last_updated": T2}, to=None)
    other = session(cpo, "PUT", for_msb(a_session(id="S2")), to=None, identifier="S2")

    assert answered(put) == answered(other) == (201, 1000)
    assert route(put) == (CPA, MSA)
    assert route(other) == (CPA, MSB)
    assert (patch.status_code, patch.message) == (2001, "in its own words")
    assert [(seen.method, route(seen)) for seen in asked(msa, "sessions")] == [
        ("PUT", (MSA, CPA)),
        ("PATCH", (MSA, CPA)),
    ]
    assert [(seen.method, route(seen)) for seen in asked(msb, "sessions")] == [("PUT", (MSB, CPA))]
    assert not Change.objects.exists()


@pytest.mark.conformance("SES-16")
def test_without_a_receiver_and_without_an_owner_nothing_happens(pair: Pair) -> None:
    """4001 when nobody is the owner; 404 for a PATCH of what is not known."""
    cpo, emsp = pair

    unknown = put_session(cpo, to=None, cdr_token=a_cdr_token(party_id="ZZZ"))
    patch = session(cpo, "PATCH", {"kwh": 1.0, "last_updated": T2}, to=None)

    assert answered(unknown) == (200, 4001)
    assert answered(patch) == (404, 2001)
    assert emsp.seen == []
    assert not Session.objects.exists()


@pytest.mark.conformance("SES-17")
def test_an_scsp_gets_the_session_that_is_addressed_to_it(cast: Cast) -> None:
    """It is relayed to the SCSP alone, who then lists it; the token's owner gets its own."""
    cpo, msa, scsp = cast["P1"], cast["P2"], cast["P7"]
    cast.agree(("NL-CPA", "DE-MSA"), ("NL-CPA", "NL-SCS"))
    msa.forget()

    result = put_session(cpo, to=SCS)

    assert answered(result) == (201, 1000)
    [seen] = asked(scsp, "sessions")
    assert (seen.json, route(seen)) == (a_session(), (SCS, CPA))
    assert msa.seen == []
    assert listed(scsp, "sessions", SCS) == (["S1"], 1)
    assert listed(msa, "sessions", MSA) == ([], 0)


@pytest.mark.conformance("TF-70", "SES-08")
def test_a_session_addressed_to_the_hub_reaches_its_emsp_alone(
    cast: Cast, deliver_all: Callable[[], int]
) -> None:
    """Never fanned out: of all with an agreement only the token's owner is told (A-26)."""
    cpo, msa, msb = two_emsps(cast)
    others = [cast[name] for name in ("P4", "P7", "P8")]
    cast.agree(("NL-CPA", "BE-MIX"), ("NL-CPA", "NL-SCS"), ("NL-CPA", "NL-OTH"))
    for platform in others:
        platform.forget()

    result = put_session(cpo)
    session(cpo, "PATCH", {"kwh": 20.0, "last_updated": T2})
    deliver_all()

    assert answered(result) == (201, 1000)
    assert route(result) == (CPA, HUB)
    found = asked(msa, "sessions")
    assert [(seen.method, route(seen)) for seen in found] == [
        ("PUT", (MSA, HUB)),
        ("PATCH", (MSA, HUB)),
    ]
    assert found[0].json == a_session()
    assert [seen for each in (msb, *others) for seen in asked(each, "sessions")] == []
    assert Change.objects.filter(audience="DE-MSA").count() == 2


@pytest.mark.conformance("TF-70")
@pytest.mark.parametrize(
    "owner, code",
    [({"party_id": "ZZZ"}, 4001), ({"country_code": "XX"}, 4001), ({"party_id": "??"}, 2001)],
)
def test_a_session_of_nobody_is_refused_and_not_stored(
    pair: Pair, deliver_all: Callable[[], int], owner: dict[str, str], code: int
) -> None:
    """4001 when the owner of its token is no party of this hub."""
    cpo, emsp = pair

    result = put_session(cpo, cdr_token=a_cdr_token(**owner))
    deliver_all()

    assert answered(result) == (200, code)
    assert "cdr_token" in str(result.message)
    assert not Session.objects.exists()
    assert not Change.objects.exists()
    assert asked(emsp, "sessions") == []


def test_a_session_for_an_emsp_without_an_agreement_is_refused(cast: Cast) -> None:
    """4001 as for one nobody knows; nothing is stored."""
    cpo = cast["P1"]
    cast["P2"]
    cast["P3"]
    cast.agree(("NL-CPA", "DE-MSA"))

    for to in (HUB, MSB, None):
        result = session(cpo, "PUT", for_msb(a_session()), to=to)

        assert answered(result) == (200, 4001)
        assert "agreement" in str(result.message)
    assert not Session.objects.exists()


def test_a_session_under_another_name_is_no_session_of_its_sender(pair: Pair) -> None:
    """NL-CPB, at the same platform, cannot write for NL-CPA; nor can the eMSP."""
    cpo, emsp = pair
    path = "NL/CPA/S1"

    as_other = cpo.hub.put("sessions", "RECEIVER", path, a_session(), to=HUB, sender=CPB)
    by_emsp = emsp.hub.put("sessions", "RECEIVER", path, a_session(), to=HUB, sender=MSA)

    assert answered(as_other) == (200, 2001)
    assert answered(by_emsp) == (404, 2001)
    assert not Session.objects.exists()


@pytest.mark.conformance("SES-10", "SES-12")
def test_charging_preferences_are_forwarded_to_the_cpo(pair: Pair) -> None:
    """With their suffix, and the bare word of the answer comes back; without it there is no PUT."""
    cpo, emsp = pair
    put_session(cpo)
    path = "S1/charging_preferences"
    wish = {"profile_type": "GREEN", "departure_time": T2, "energy_need": 10.50}
    word = b'{"status_code":1000,"data":"ACCEPTED","timestamp":"2026-01-01T00:00:00Z"}'
    cpo.answer("PUT /sessions/S1", say(200, word))

    for to in (CPA, None):
        result = emsp.hub.put("sessions", "SENDER", path, wish, to=to, sender=MSA)

        assert (result.status_code, result.data) == (1000, "ACCEPTED")
        assert route(result) == (MSA, CPA)
    found = asked(cpo, "sessions")
    assert [seen.route.partition("/sender/")[2] for seen in found] == ["sessions/" + path] * 2
    assert found[0].json == wish
    bare = emsp.hub.put("sessions", "SENDER", "S1", wish, to=CPA, sender=MSA)
    assert bare.http_status in {404, 405}


@pytest.mark.conformance("SES-11")
def test_a_refusal_of_charging_preferences_is_relayed(pair: Pair) -> None:
    """HTTP 404 with 2001 for an EVSE that cannot (A-92)."""
    cpo, emsp = pair
    put_session(cpo)
    cpo.answer("PUT", refuse(2001, "not capable", http_status=404))

    path, wish = "S1/charging_preferences", {"profile_type": "GREEN"}
    result = emsp.hub.put("sessions", "SENDER", path, wish, to=CPA, sender=MSA)

    assert (result.http_status, result.status_code, result.message) == (404, 2001, "not capable")


@pytest.mark.conformance("SES-13")
def test_another_emsp_sets_no_charging_preferences(cast: Cast) -> None:
    """Without a receiver the hub finds no such session for FR-MSB, and asks nobody."""
    cpo, _, msb = two_emsps(cast)
    put_session(cpo)

    path, wish = "S1/charging_preferences", {"profile_type": "GREEN"}
    result = msb.hub.put("sessions", "SENDER", path, wish, sender=MSB)

    assert answered(result) == (404, 2001)
    assert asked(cpo, "sessions") == []
