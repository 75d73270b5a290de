"""Sessions as the hub keeps them: what it answers to PUT, PATCH and GET, and who may list them."""

import json
from typing import Any

import pytest

from hub.models import Change, Session
from parties.models import Agreement, AgreementState
from sandbox import SandboxPlatform
from tests.cast import CPA, HUB, MSA, MSB, Cast
from tests.hub.charging_objects import (
    T2,
    T3,
    answered,
    for_msb,
    held,
    listed,
    put_session,
    session,
    two_emsps,
)
from tests.ocpi.objects import a_charging_period, a_session

Pair = tuple[SandboxPlatform, SandboxPlatform]
FIRST, SECOND = (a_charging_period(start_date_time=f"2026-11-21T0{hour}:00:00Z") for hour in (5, 6))
THIRD = a_charging_period(dimensions=[{"type": "POWER", "volume": 11.0}])


@pytest.mark.conformance("SES-01")
@pytest.mark.parametrize("nothing", [None, [], "absent"], ids=str)
def test_put_replaces_a_session_with_its_periods(pair: Pair, nothing: Any) -> None:
    """201, then 200; periods that are absent or empty in the new object are gone."""
    cpo = pair[0]
    created = put_session(cpo, charging_periods=[FIRST, SECOND], meter_id="M1")
    assert answered(created) == (201, 1000)
    assert held(cpo)["charging_periods"] == [FIRST, SECOND]

    body = a_session(charging_periods=nothing, kwh=20.5)
    if nothing == "absent":
        del body["charging_periods"]
    replaced = session(cpo, "PUT", body)

    assert answered(replaced) == (200, 1000)
    assert held(cpo) == body
    assert not held(cpo).get("charging_periods")


@pytest.mark.conformance("SES-02")
def test_patch_appends_periods(pair: Pair) -> None:
    """What is there stays; without the field, or with an empty list, nothing is added."""
    cpo = pair[0]
    put_session(cpo, charging_periods=[FIRST])

    for patch, expected in (
        ({"charging_periods": [SECOND]}, [FIRST, SECOND]),
        ({"kwh": 20.0}, [FIRST, SECOND]),
        ({"charging_periods": []}, [FIRST, SECOND]),
        ({"charging_periods": None}, [FIRST, SECOND]),
        ({"charging_periods": [THIRD]}, [FIRST, SECOND, THIRD]),
    ):
        result = session(cpo, "PATCH", {**patch, "last_updated": T2})

        assert answered(result) == (200, 1000)
        assert held(cpo)["charging_periods"] == expected
    assert held(cpo) == a_session(
        charging_periods=[FIRST, SECOND, THIRD], kwh=20.0, last_updated=T2
    )


def test_periods_begin_where_there_were_none(pair: Pair) -> None:
    """The first period of a pending session comes by PATCH."""
    cpo = pair[0]
    put_session(cpo, charging_periods=None, status="PENDING")

    result = session(cpo, "PATCH", {"charging_periods": [FIRST], "last_updated": T2})

    assert answered(result) == (200, 1000)
    assert held(cpo)["charging_periods"] == [FIRST]


@pytest.mark.conformance("SES-19")
def test_a_period_sent_twice_is_kept_once(pair: Pair) -> None:
    """A sender that repeats itself because an answer was lost adds nothing (A-90)."""
    cpo = pair[0]
    put_session(cpo, charging_periods=[FIRST])
    patch = {"charging_periods": [SECOND, THIRD], "last_updated": T2}

    for _ in range(2):
        assert answered(session(cpo, "PATCH", patch)) == (200, 1000)
    turned = {**patch, "charging_periods": [dict(reversed(SECOND.items()))]}
    assert answered(session(cpo, "PATCH", turned)) == (200, 1000)

    assert held(cpo)["charging_periods"] == [FIRST, SECOND, THIRD]


@pytest.mark.conformance("SES-04")
@pytest.mark.parametrize("stamp", [{}, {"last_updated": None}, {"last_updated": "today"}], ids=str)
def test_a_patch_needs_last_updated(pair: Pair, stamp: dict[str, Any]) -> None:
    """2001, and nothing changes, here or at its eMSP; addressed to the eMSP it is not relayed."""
    cpo, emsp = pair
    put_session(cpo)
    feed = Change.objects.count()

    result = session(cpo, "PATCH", {"kwh": 99.0, **stamp})

    assert answered(result) == (200, 2001)
    assert "last_updated" in str(result.message)
    assert held(cpo) == a_session()
    assert Change.objects.count() == feed
    if not stamp.get("last_updated"):
        assert answered(session(cpo, "PATCH", {"kwh": 99.0, **stamp}, to=MSA)) == (200, 2001)
        assert emsp.seen == []


@pytest.mark.conformance("SES-05")
def test_nothing_inside_a_session_has_a_url(pair: Pair) -> None:
    """PATCH of charging_periods alone leads nowhere."""
    cpo = pair[0]
    put_session(cpo)

    for path in ("NL/CPA/S1/charging_periods", "NL/CPA/S1/cdr_token", "NL/CPA"):
        for method in ("PUT", "PATCH", "GET"):
            body = None if method == "GET" else {"last_updated": T2}
            result = cpo.hub.send(method, "sessions", "RECEIVER", path, body, to=HUB, sender=CPA)

            assert answered(result) == (404, 2001)
            assert result.message


@pytest.mark.conformance("SES-06")
def test_a_session_is_read_from_the_hub_or_from_its_receiver(pair: Pair) -> None:
    """To the hub from its store; to an eMSP the question goes to the eMSP."""
    cpo, emsp = pair
    put_session(cpo)
    emsp.objects["sessions"].put(CPA, "S1", body='{"id":"S1","kwh":7}')

    assert held(cpo) == a_session()
    assert emsp.seen == []
    theirs = session(cpo, "GET", to=MSA)
    assert (theirs.http_status, theirs.data) == (200, {"id": "S1", "kwh": 7})
    assert [str(seen).partition("/receiver")[0][:3] for seen in emsp.seen] == ["GET"]


@pytest.mark.conformance("SES-07", "SES-18")
def test_a_session_is_neither_posted_nor_deleted(pair: Pair) -> None:
    """405 with what is allowed; a session that is over stays to be read."""
    cpo = pair[0]
    put_session(cpo)
    for status in ("COMPLETED", "INVALID"):
        body = {"status": status, "end_date_time": T2, "last_updated": T2}
        assert answered(session(cpo, "PATCH", body)) == (200, 1000)

        for method in ("DELETE", "POST"):
            for to in (HUB, MSA, None):
                result = session(cpo, method, a_session(), to=to)
                assert answered(result) == (405, 2001)
                assert result.headers["Allow"] == "GET, PATCH, PUT"
        assert held(cpo)["status"] == status
    listing = pair[1].hub.send("DELETE", "sessions", "SENDER", to=HUB, sender=MSA)
    assert (listing.http_status, listing.headers["Allow"]) == (405, "GET")


@pytest.mark.conformance("SES-08", "SES-09")
def test_an_emsp_lists_its_own_sessions_only(cast: Cast) -> None:
    """Objects and totals are those of the token's owner, within the dates, which may be missing."""
    cpo, msa, msb = two_emsps(cast)
    for number, stamp in enumerate((T2, T3, T2, T3), start=1):
        body = a_session(id=f"S{number}", last_updated=stamp)
        put = body if number < 3 else for_msb(body)
        assert answered(session(cpo, "PUT", put, identifier=f"S{number}")) == (201, 1000)

    assert listed(msa, "sessions", MSA) == (["S1", "S2"], 2)
    assert listed(msb, "sessions", MSB) == (["S3", "S4"], 2)
    assert listed(msa, "sessions", MSA, date_from=T3) == (["S2"], 1)
    assert listed(msa, "sessions", MSA, date_from=T2, date_to=T3) == (["S1"], 1)
    assert listed(msb, "sessions", MSB, date_to=T2) == ([], 0)
    assert listed(msb, "sessions", MSB, limit="1") == (["S3", "S4"], 2)
    assert listed(cpo, "sessions", CPA) == ([], 0)


def test_without_an_agreement_nothing_is_listed_any_more(cast: Cast) -> None:
    """What an eMSP once got it has; the hub shows no more of it once the agreement is over."""
    cpo, msa, _ = two_emsps(cast)
    put_session(cpo)
    assert listed(msa, "sessions", MSA) == (["S1"], 1)

    pair = Agreement.objects.filter(cpo__party_id="CPA", emsp__party_id="MSA")
    pair.update(state=AgreementState.SUSPENDED)

    assert listed(msa, "sessions", MSA) == ([], 0)
    assert answered(put_session(cpo, kwh=16.0)) == (200, 4001)
    assert Session.objects.get().revision == 1


@pytest.mark.conformance("SES-20")
def test_the_hub_computes_nothing(pair: Pair) -> None:
    """A total that does not fit its periods, and every digit of it, is the CPO's business."""
    cpo, emsp = pair
    text = (
        '{"last_updated":"2027-01-01T00:00:00","kwh":0.1000,"total_cost":{"excl_vat":-1.50,'
        '"incl_vat":99999.123456},' + _rest() + "}"
    )

    assert session(cpo, "PUT", text).http_status == 201

    for result in (session(cpo, "GET"), emsp.hub.get("sessions", "SENDER", to=HUB, sender=MSA)):
        assert b'"kwh":0.1000' in result.body
        assert b'{"excl_vat":-1.50,"incl_vat":99999.123456}' in result.body
    assert answered(session(cpo, "PATCH", '{"kwh":0.20,"last_updated":"2027-01-01T00:00:01"}'))[1]
    result = session(cpo, "GET")
    assert b'"kwh":0.20,' in result.body
    assert b'{"excl_vat":-1.50,"incl_vat":99999.123456}' in result.body


def _rest() -> str:
    names = ("last_updated", "kwh", "total_cost")
    body = {name: value for name, value in a_session().items() if name not in names}
    return json.dumps(body)[1:-1]


def test_the_owner_reads_what_it_said_last(cast: Cast) -> None:
    """A session that was for one eMSP first and is for another now: the last PUT counts."""
    cpo, msa, msb = two_emsps(cast)
    put_session(cpo)
    session(cpo, "PUT", for_msb(a_session(kwh=16.0)))
    assert held(cpo)["kwh"] == 16.0

    put_session(cpo, kwh=17.0)

    assert held(cpo)["kwh"] == 17.0
    assert answered(session(cpo, "PATCH", {"kwh": 18.0, "last_updated": T2})) == (200, 1000)
    assert held(cpo)["kwh"] == 18.0
    assert listed(msa, "sessions", MSA) == (["S1"], 1)
    assert listed(msb, "sessions", MSB) == ([], 0)


def test_a_patch_cannot_give_a_session_to_another(cast: Cast) -> None:
    """Whose token it is, is said by PUT; a PATCH that says otherwise changes nothing."""
    cpo, _, msb = two_emsps(cast)
    put_session(cpo)

    result = session(
        cpo, "PATCH", {"cdr_token": for_msb(a_session())["cdr_token"], "last_updated": T2}
    )

    assert answered(result) == (200, 2001)
    assert "cdr_token" in str(result.message)
    assert held(cpo) == a_session()
    assert listed(msb, "sessions", MSB) == ([], 0)


def test_a_patch_of_an_unknown_session_is_404(pair: Pair) -> None:
    """So that its owner sends the whole by PUT."""
    result = session(pair[0], "PATCH", {"kwh": 1.0, "last_updated": T2})

    assert answered(result) == (404, 2001)
    assert "PUT" in str(result.message)
    assert not Session.objects.exists()
