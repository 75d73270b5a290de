"""An eMSP in a CPO's place: what it may do towards an SCSP, and what it may not otherwise.

Spec: 2.2.1 mod_charging_profiles, Smart Charging Topologies.
"""

from urllib.parse import quote

import pytest

from ocpi.types import InterfaceRole, ModuleID, Role
from parties.models import Agreement, Party
from parties.role_pairs import implements, stands_in
from tests.cast import CPA, HUB, MIX, MSA, Cast, command, route
from tests.hub.gateway.commands import PROFILE, SCS, answered, callback_in, joined, results
from tests.hub.gateway.delegation import HERE, MODULES, THERE, Delegating, delegating
from tests.ocpi.objects import a_session


@pytest.fixture
def way(cast: Cast) -> Delegating:
    """P7, P2 and P1."""
    return delegating(cast)


@pytest.mark.conformance("CP-11")
def test_the_emsp_shows_a_session_under_an_id_of_its_own(way: Delegating) -> None:
    """The SCSP knows it by that id, the CPO by its own; the hub compares them with nothing."""
    assert answered(way.show()) == (201, 1000)
    [shown] = way.scsp.seen
    assert shown.path.endswith(f"/receiver/sessions/DE/MSA/{quote(THERE, safe='')}")

    assert answered(way.steer("PUT")) == (200, 1000)

    [asked] = [seen for seen in way.emsp.seen if seen.method == "PUT"]
    assert asked.path.endswith(f"/receiver/chargingprofiles/{quote(THERE, safe='')}")
    assert way.cpo.seen[-1].path.endswith(f"/receiver/chargingprofiles/{HERE}")


@pytest.mark.conformance("CP-10")
def test_each_hop_has_a_response_url_of_its_own(way: Delegating) -> None:
    """Two requests, two URLs of the hub; a result to the one never reaches the other's asker."""
    way.steer("PUT")
    [outer] = [callback_in(seen) for seen in way.emsp.seen if seen.method == "PUT"]
    inner = callback_in(way.cpo.seen[-1])

    assert len({outer, inner, way.outer.url, way.inner.url}) == 4
    stolen = way.outer.result({"result": "ACCEPTED"}, inner)
    assert answered(stolen) == (404, 2001)
    assert results(way.scsp) == results(way.emsp) == []


def test_without_an_agreement_of_their_own_the_scsp_is_refused(cast: Cast) -> None:
    """That both have one with the CPO is no agreement between them."""
    emsp, scsp = joined(cast, "P2", modules=MODULES), joined(cast, "P7")
    joined(cast, "P1")
    cast.agree(("NL-CPA", "DE-MSA"), ("NL-CPA", "NL-SCS"))
    emsp.forget()

    result = scsp.hub.put(
        "chargingprofiles",
        "RECEIVER",
        HERE,
        {**PROFILE, "response_url": f"{scsp.addresses.origin}/results/1"},
        to=MSA,
        sender=SCS,
    )

    assert answered(result) == (200, 4001)
    assert "no party DE-MSA that NL-SCS may exchange chargingprofiles with" in str(result.message)
    assert emsp.seen == []


def test_a_party_of_two_roles_is_steered_in_its_own(cast: Cast) -> None:
    """An agreement with BE-MIX the eMSP opens nothing of BE-MIX the CPO, nor the other way."""
    mix, scsp, emsp = joined(cast, "P4", modules=MODULES), joined(cast, "P7"), joined(cast, "P2")
    cpo_and_emsp = {party.role: party for party in Party.objects.filter(key="BE-MIX")}
    Agreement.objects.create(
        cpo=cpo_and_emsp["EMSP"], emsp=Party.objects.get(key="NL-SCS"), state="ACTIVE"
    )
    Agreement.objects.create(
        cpo=cpo_and_emsp["CPO"], emsp=Party.objects.get(key="DE-MSA"), state="ACTIVE"
    )
    mix.forget()
    profile = {**PROFILE, "response_url": f"{scsp.addresses.origin}/results/1"}

    steered = scsp.hub.put("chargingprofiles", "RECEIVER", HERE, profile, to=MIX, sender=SCS)
    shown = emsp.hub.put(
        "sessions",
        "RECEIVER",
        "DE/MSA/S1",
        a_session(country_code="DE", party_id="MSA"),
        to=MIX,
        sender=MSA,
    )

    assert (answered(steered), answered(shown)) == ((200, 4001), (200, 4001))
    assert "no party BE-MIX that NL-SCS may exchange" in str(steered.message)
    assert mix.seen == []


def test_what_stands_in_for_a_session_is_found_by_name_alone(cast: Cast, way: Delegating) -> None:
    """The eMSP shows it under the CPO's own id: without TO the profile still goes to the CPO."""
    cast.agree(("NL-CPA", "NL-SCS"))
    body = a_session(country_code="DE", party_id="MSA", id=HERE)
    way.emsp.hub.put("sessions", "RECEIVER", f"DE/MSA/{HERE}", body, to=SCS, sender=MSA)
    way.cpo.hub.put(
        "sessions", "RECEIVER", f"NL/CPA/{HERE}", a_session(id=HERE), to=SCS, sender=CPA
    )
    way.emsp.forget()

    result = way.outer.profile("PUT", HERE, to=None)

    assert route(result) == (SCS, CPA), str(result)
    assert way.emsp.seen == []


@pytest.mark.parametrize("to", [None, HUB])
def test_an_emsp_has_no_sessions_for_everybody(way: Delegating, to: None) -> None:
    """Only to an SCSP it names: to the hub or to nobody it owns none."""
    body = a_session(country_code="DE", party_id="MSA")

    result = way.emsp.hub.put("sessions", "RECEIVER", "DE/MSA/S1", body, to=to, sender=MSA)

    assert (answered(result), route(result)) == ((404, 2001), (MSA, HUB))
    assert way.scsp.seen == way.cpo.seen == []


def test_what_it_may_stand_in_for_is_not_what_it_implements() -> None:
    """Endpoints without a role and messages without a sender are read by typical roles (A-33)."""
    profiles, receiver = ModuleID.CHARGINGPROFILES, InterfaceRole.RECEIVER
    assert stands_in(Role.EMSP, profiles, receiver)
    assert not implements(Role.EMSP, profiles, receiver)
    assert not stands_in(Role.EMSP, profiles, InterfaceRole.SENDER)
    assert not stands_in(Role.CPO, profiles, receiver)


def test_their_agreement_is_made_in_either_order(way: Delegating) -> None:
    """The eMSP stands on the CPO's side of it; two eMSPs still have nothing to exchange."""
    for one, other in (("DE-MSA", "NL-SCS"), ("NL-SCS", "DE-MSA")):
        made = command("agree", one, other)
        assert (made["cpo"], made["emsp"]) == ("DE-MSA", "NL-SCS")
