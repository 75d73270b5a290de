"""A Session that is for another eMSP now: the former one has no say in it any more.

Spec: 2.2.1 mod_sessions, mod_commands, mod_charging_profiles; A-26, A-36, A-110.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.db import connection

from hub.store import writer as store_writer
from ocpi.types import PartyRef
from sandbox import Result, SandboxPlatform
from tests.cast import CPA, HUB, MSA, MSB, Cast, route
from tests.hub.charging_objects import T2, asked, for_msb, held, listed, put_session, session
from tests.hub.concurrency import wait_for_a_lock
from tests.hub.gateway.commands import PROFILE, answered, in_envelope, joined
from tests.ocpi.objects import a_session

pytestmark = pytest.mark.security("S-11")

Three = tuple[SandboxPlatform, SandboxPlatform, SandboxPlatform]
WISH = {"profile_type": "GREEN"}
UNKNOWN = {"result": "UNKNOWN_SESSION", "timeout": 0}


@pytest.fixture
def three(cast: Cast) -> Three:
    """NL-CPA, DE-MSA and FR-MSB, that take what they are asked; both eMSPs have agreements."""
    cpo, msa, msb = joined(cast, "P1"), joined(cast, "P2"), joined(cast, "P3")
    cpo.answer("/charging_preferences", in_envelope("ACCEPTED"))
    cast.agree(("NL-CPA", "DE-MSA"), ("NL-CPA", "FR-MSB"))
    for platform in (cpo, msa, msb):
        platform.forget()
    return cpo, msa, msb


def stop(emsp: SandboxPlatform, **how: Any) -> Result:
    """Let an eMSP stop S1."""
    body = {"response_url": f"{emsp.addresses.origin}/results/1", "session_id": "S1"}
    return emsp.hub.post("commands", "RECEIVER", "STOP_SESSION", body, **how)


def prefer(emsp: SandboxPlatform, **how: Any) -> Result:
    """Let an eMSP say how S1 shall be charged."""
    return emsp.hub.put("sessions", "SENDER", "S1/charging_preferences", WISH, **how)


def steer(emsp: SandboxPlatform, **how: Any) -> Result:
    """Let an eMSP set a charging profile for S1."""
    body = {**PROFILE, "response_url": f"{emsp.addresses.origin}/results/1"}
    return emsp.hub.put("chargingprofiles", "RECEIVER", "S1", body, **how)


@pytest.mark.parametrize("to", ["the hub", "the eMSP", "an eMSP that had a copy", "nobody"])
def test_who_lost_a_session_has_no_say_in_it(three: Three, to: str) -> None:
    """Its commands, wishes and profiles reach nobody, and its list has no such session."""
    cpo, msa, msb = three
    first, then = {"the hub": (HUB, HUB), "nobody": (None, None)}.get(to, (MSA, MSB))
    assert answered(put_session(cpo, to=first)) == (201, 1000)
    if to == "an eMSP that had a copy":
        assert answered(put_session(cpo, to=then)) == (201, 1000)
    assert listed(msa, "sessions", MSA) == (["S1"], 1)
    assert session(cpo, "PUT", for_msb(a_session()), to=then).status_code == 1000
    cpo.forget()

    for receiver in (None, CPA):
        assert stop(msa, to=receiver).data == UNKNOWN
        assert steer(msa, to=receiver).data == UNKNOWN
        assert answered(prefer(msa, to=receiver)) == (404, 2001)
    assert cpo.seen == []
    assert listed(msa, "sessions", MSA) == ([], 0)
    assert listed(msb, "sessions", MSB) == (["S1"], 1)
    for receiver in (None, CPA):
        assert [answered(each(msb, to=receiver)) for each in (stop, steer, prefer)] == [
            (200, 1000)
        ] * 3
    assert len(asked(cpo, "")) == 6


def test_who_set_a_profile_hears_nothing_of_anothers_session(three: Three) -> None:
    """The active profile goes to who set one for the session that is its own still (A-110)."""
    cpo, msa, msb = three
    put_session(cpo)
    assert answered(steer(msa, to=CPA)) == (200, 1000)
    active = {**PROFILE, "start_date_time": T2}
    how = {"to": None, "sender": CPA}
    assert route(cpo.hub.put("chargingprofiles", "SENDER", "S1", active, **how)) == (CPA, MSA)
    session(cpo, "PUT", for_msb(a_session()))
    msa.forget()

    lost = cpo.hub.put("chargingprofiles", "SENDER", "S1", active, **how)

    assert (answered(lost), msa.seen) == ((200, 4001), [])
    assert answered(steer(msb, to=CPA)) == (200, 1000)
    assert route(cpo.hub.put("chargingprofiles", "SENDER", "S1", active, **how)) == (CPA, MSB)


def test_a_session_may_come_back(three: Three) -> None:
    """Whose token the last PUT names has it, and gets messages like at first."""
    cpo, msa, msb = three
    put_session(cpo)
    session(cpo, "PUT", for_msb(a_session()))

    assert answered(put_session(cpo)) == (201, 1000)

    assert answered(stop(msa)) == (200, 1000)
    assert stop(msb).data == UNKNOWN
    assert (listed(msa, "sessions", MSA), listed(msb, "sessions", MSB)) == ((["S1"], 1), ([], 0))


@pytest.mark.security("S-18")
@pytest.mark.parametrize(
    "named",
    [
        {"country_code": "FR", "party_id": "MSB"},
        {"party_id": "MSB"},
        {"country_code": "FR"},
        {"country_code": "fr", "uid": "X"},
    ],
)
@pytest.mark.parametrize("to", [HUB, None])
def test_a_patch_hands_nothing_over(three: Three, named: dict[str, str], to: PartyRef) -> None:
    """Nor half of a name: it would be another's token in a session that stays where it was."""
    cpo, msa, _ = three
    put_session(cpo)
    before = held(cpo)

    refused = session(cpo, "PATCH", {"cdr_token": named, "last_updated": T2}, to=to)

    assert answered(refused) == (200, 2001)
    assert "send it by PUT" in str(refused.message)
    assert held(cpo) == before
    assert listed(msa, "sessions", MSA) == (["S1"], 1)


@pytest.mark.parametrize("copies", ["its own", "the owner's too", "one of what was its own"])
def test_who_is_only_told_of_anothers_session_does_not_steer_it(three: Three, copies: str) -> None:
    """A copy that the CPO addressed to somebody else than the token's owner is for reading."""
    cpo, msa, msb = three
    if copies == "one of what was its own":
        put_session(cpo)
    result = session(cpo, "PUT", for_msb(a_session(status="COMPLETED")), to=MSA)
    if copies == "the owner's too":
        session(cpo, "PUT", for_msb(a_session(status="COMPLETED")))
    cpo.forget()

    assert result.status_code == 1000
    assert listed(msa, "sessions", MSA) == (["S1"], 1)
    for receiver in (None, CPA):
        assert stop(msa, to=receiver).data == UNKNOWN
        assert answered(prefer(msa, to=receiver)) == (404, 2001)
    assert cpo.seen == []
    assert answered(stop(msb, to=CPA)) == (200, 1000)


def _wait_until_one_is_behind() -> None:
    """Return as soon as a write waits for that of the same object in the hub's own writer."""
    end = time.monotonic() + 4
    while not any(store_writer.writer._behind.values()):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_of_two_owners_at_once_one_has_it(three: Three) -> None:
    """The second PUT waits for the first, whosever the session is by it."""
    cpo, msa, msb = three
    put_session(cpo)
    unfinished = psycopg.connect(**connection.get_connection_params())
    with unfinished as writer, ThreadPoolExecutor() as pool:
        writer.execute("SELECT FROM hub_session FOR UPDATE")
        first = pool.submit(put_session, cpo, kwh=9.0)
        wait_for_a_lock(writer, "transactionid")
        second = pool.submit(session, cpo, "PUT", for_msb(a_session()))
        _wait_until_one_is_behind()
        writer.rollback()
    assert [answered(each.result()) for each in (first, second)] == [(200, 1000), (201, 1000)]
    assert (listed(msa, "sessions", MSA), listed(msb, "sessions", MSB)) == (([], 0), (["S1"], 1))
