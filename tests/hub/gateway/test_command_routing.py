"""Commands whose address names nobody, or the hub: found by what they are about, never fanned out.

Spec: 2.2.1 mod_commands, transport and format (Open Routing Request); A-35, A-36, A-105.
"""

import pytest

from hub.models import Callback
from sandbox import Result
from tests.cast import CPA, CPB, HUB, MIX, MSA, MSB, Cast, a_location, push, route
from tests.hub.charging_objects import put_session
from tests.hub.gateway.commands import Asking, answered, emsp_and_cpo, forget, in_envelope, joined
from tests.ocpi.objects import a_session, location

REJECTED = {"result": "REJECTED", "timeout": 0}
NOWHERE = (None, HUB)
AT_LOCATION = ("START_SESSION", "RESERVE_NOW", "UNLOCK_CONNECTOR")


@pytest.fixture
def asking(cast: Cast) -> Asking:
    """DE-MSA, that knows LOC1 and has session S1 at NL-CPA, and may ask NL-CPB as well."""
    asking = emsp_and_cpo(cast)
    cast.agree(("NL-CPB", "DE-MSA"))
    assert push(asking.asked, location()).http_status == 201
    assert put_session(asking.asked).http_status == 201
    forget(asking.asked, asking.asker)
    return asking


def _rejected(result: Result, status_code: int) -> None:
    """Check an answer of the hub that says it is rejected."""
    assert (answered(result), result.data) == ((200, status_code), REJECTED)
    assert route(result) == (MSA, HUB)


@pytest.mark.conformance("CMD-17", "CMD-21")
@pytest.mark.parametrize("to", NOWHERE)
def test_each_command_finds_its_cpo(asking: Asking, to: None) -> None:
    """By the Location, the Session, the reservation made before; one CPO gets it, from the eMSP."""
    for name in (*AT_LOCATION, "STOP_SESSION", "CANCEL_RESERVATION"):
        asking.asked.forget()
        result = asking.command(name, to=to)

        assert (answered(result), route(result)) == ((200, 1000), (MSA, CPA)), name
        [seen] = asking.asked.seen
        assert (seen.route[-len(name) :], route(seen)) == (name, (CPA, MSA))
        assert seen.json == {**asking.body(name), "response_url": asking.callback}
    assert answered(asking.result({"result": "ACCEPTED"})) == (200, 1000)


@pytest.mark.conformance("CMD-08", "ST-08", "TF-75")
@pytest.mark.parametrize("to", NOWHERE)
def test_an_unknown_location_is_rejected(asking: Asking, to: None) -> None:
    """HTTP 200, 2003 and REJECTED with timeout 0, as the specification draws it (A-105)."""
    for name in AT_LOCATION:
        result = asking.command(name, asking.body(name, location_id="NOPE"), to=to)
        _rejected(result, 2003)
        assert "NOPE" in str(result.message)
    assert asking.asked.seen == []


def test_a_location_the_sender_may_not_see_is_unknown(asking: Asking, cast: Cast) -> None:
    """FR-MSB has no agreement with its owner: nobody tells it that there is such a Location."""
    other = asking.by(joined(cast, "P3"), MSB)

    result = other.command("START_SESSION", to=None)

    assert (answered(result), result.data) == ((200, 2003), REJECTED)
    assert answered(other.command("STOP_SESSION", to=None)) == (200, 1000)
    assert asking.asked.seen == []


@pytest.mark.conformance("TF-75")
@pytest.mark.parametrize("to", NOWHERE)
def test_an_unknown_session_is_answered_by_the_hub(asking: Asking, to: None) -> None:
    """200/1000 with UNKNOWN_SESSION: what its CPO would say, if there were one."""
    result = asking.command("STOP_SESSION", asking.body("STOP_SESSION", session_id="S9"), to=to)

    assert answered(result) == (200, 1000)
    assert (result.data, route(result)) == ({"result": "UNKNOWN_SESSION", "timeout": 0}, (MSA, HUB))
    location = asking.asker.hub.get("locations", "SENDER", "NOPE", to=to)
    assert answered(location) == (404, 2003)
    assert (asking.asked.seen, Callback.objects.count()) == ([], 0)


@pytest.mark.conformance("TF-76")
def test_an_ambiguous_session_is_refused(asking: Asking) -> None:
    """Two CPOs have a session S1 with this eMSP: 2001, and the message names both."""
    body = a_session(party_id="CPB")
    hub = asking.asked.hub
    put = hub.put("sessions", "RECEIVER", "NL/CPB/S1", body, to=HUB, sender=CPB)
    assert put.http_status == 201

    for to in NOWHERE:
        result = asking.command("STOP_SESSION", to=to)
        assert answered(result) == (200, 2001)
        assert "NL-CPA and NL-CPB" in str(result.message)
        assert "OCPI-to-country-code" in str(result.message)
    assert asking.asked.seen == []
    assert answered(asking.command("STOP_SESSION", to=CPB)) == (200, 1000)
    assert route(asking.seen) == (CPB, MSA)


@pytest.mark.conformance("CMD-21")
def test_a_command_is_never_broadcast(asking: Asking, cast: Cast) -> None:
    """To the hub: whoever owns the Location gets it, however many CPOs there are."""
    other = joined(cast, "P4")
    cast.agree(("BE-MIX", "DE-MSA"))
    push(other, a_location(MIX, 2))
    forget(other)

    assert answered(asking.command("START_SESSION", to=HUB)) == (200, 1000)
    assert (len(asking.asked.seen), len(other.seen)) == (1, 0)
    for name in ("STOP_SESSION", "CANCEL_RESERVATION"):
        nobodys = asking.body(name, session_id="S9", reservation_id="R9")
        asking.command(name, nobodys, to=HUB)
    assert (len(asking.asked.seen), len(other.seen)) == (1, 0)


@pytest.mark.conformance("CMD-18")
def test_a_reservation_is_its_emsps_own(asking: Asking, cast: Cast) -> None:
    """Two eMSPs use R1 at one CPO: each cancels its own, a third has none to cancel."""
    other = asking.by(joined(cast, "P3"), MSB)
    third = asking.by(joined(cast, "P4"), MIX)
    for emsp in ("FR-MSB", "BE-MIX"):
        cast.agree(("NL-CPA", emsp))
    for each in (asking, other):
        assert answered(each.command("RESERVE_NOW")) == (200, 1000)
        assert route(asking.seen) == (CPA, each.party)
    forget(asking.asked)

    result = third.command("CANCEL_RESERVATION", to=None)

    assert (answered(result), result.data) == ((200, 2001), REJECTED)
    assert asking.asked.seen == []
    for each in (other, asking):
        assert answered(each.command("CANCEL_RESERVATION", to=None)) == (200, 1000)
        assert route(asking.seen) == (CPA, each.party)


@pytest.mark.conformance("CMD-18")
def test_a_reservation_of_another_emsp_elsewhere_misleads_nobody(
    asking: Asking, cast: Cast
) -> None:
    """FR-MSB reserved R1 at BE-MIX: DE-MSA's R1 is at NL-CPA all the same."""
    elsewhere = Asking(joined(cast, "P3"), joined(cast, "P4"), MSB, MIX)
    cast.agree(("BE-MIX", "FR-MSB"), ("BE-MIX", "DE-MSA"))
    assert answered(asking.command("RESERVE_NOW")) == (200, 1000)
    assert answered(elsewhere.command("RESERVE_NOW")) == (200, 1000)
    forget(asking.asked, elsewhere.asked)

    assert answered(asking.command("CANCEL_RESERVATION", to=None)) == (200, 1000)

    assert (len(asking.asked.seen), elsewhere.asked.seen) == (1, [])


@pytest.mark.conformance("CMD-17")
def test_a_cancellation_goes_where_the_reservation_was_accepted(asking: Asking, cast: Cast) -> None:
    """One CPO was busy, the next took it: the cancellation is for the next, in any spelling."""
    other = Asking(asking.asker, joined(cast, "P4"), MSA, MIX)
    cast.agree(("BE-MIX", "DE-MSA"))
    with asking.asked.answer("/receiver/commands", in_envelope(REJECTED)):
        asking.command("RESERVE_NOW")
    assert answered(other.command("RESERVE_NOW")) == (200, 1000)
    forget(asking.asked, other.asked)

    body = asking.body("CANCEL_RESERVATION", reservation_id="r1")
    assert answered(asking.command("CANCEL_RESERVATION", body, to=None)) == (200, 1000)

    assert (len(other.asked.seen), asking.asked.seen) == (1, [])


def test_two_reservations_of_one_id_are_ambiguous(asking: Asking) -> None:
    """The same eMSP used R1 at two CPOs: 2001, and the message names both."""
    for to in (CPA, CPB):
        assert answered(asking.command("RESERVE_NOW", to=to)) == (200, 1000)
    forget(asking.asked)

    result = asking.command("CANCEL_RESERVATION", to=None)

    assert answered(result) == (200, 2001)
    assert "NL-CPA and NL-CPB" in str(result.message)
    assert asking.asked.seen == []


@pytest.mark.parametrize("value", ["R\x001", "R" * 100_000, {"id": 1}, 7, ["x"], "", None])
def test_what_is_no_id_finds_nobody(asking: Asking, value: object) -> None:
    """NULs, huge texts, other types: an answer that says so, and nobody is asked."""
    about = {"location_id": value, "session_id": value, "reservation_id": value}
    for name in (*AT_LOCATION, "STOP_SESSION", "CANCEL_RESERVATION"):
        result = asking.command(name, asking.body(name, **about), to=None)
        assert result.http_status == 200, name
        assert result.status_code in {1000, 2001, 2003}, name
    assert asking.asked.seen == []
