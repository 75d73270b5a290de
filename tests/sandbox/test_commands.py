"""Commands and requests about charging profiles: answered at once, and their results later."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from ocpi.types import PartyRef
from sandbox import Result, SandboxPlatform
from sandbox import misbehaviour as does
from sandbox.demo.locations import location
from sandbox.demo.tokens import token

CPA, MSA = PartyRef("NL", "CPA"), PartyRef("DE", "MSA")
T1 = "2026-11-01T00:00:00Z"
DRIVER = token(2, MSA, T1)
LIMIT = {"charging_rate_unit": "W", "charging_profile_period": [{"start_period": 0, "limit": 11}]}
Json = dict[str, Any]


@pytest.fixture
def sides(
    connected: SandboxPlatform, emsp: SandboxPlatform
) -> tuple[SandboxPlatform, SandboxPlatform]:
    """A CPO with a location and a session, and an eMSP that may order."""
    connected.publish("locations", location(1, CPA))
    session = {"country_code": "NL", "party_id": "CPA", "id": "S1", "status": "ACTIVE"}
    connected.publish("sessions", {**session, "last_updated": T1})
    return connected, emsp


def command(emsp: SandboxPlatform, name: str, **about: object) -> tuple[Result, str]:
    """Send a command; return the answer and the path where its result will be."""
    url = emsp.response_url("commands")
    body = {"response_url": url, **about}
    answer = emsp.hub.post("commands", "RECEIVER", name, body, to=CPA, sender=MSA)
    return answer, urlsplit(url).path


def profile(emsp: SandboxPlatform, method: str, session: str = "S1") -> tuple[Result, str]:
    """Ask for something about the profile of a session."""
    url = emsp.response_url("chargingprofiles")
    if method == "PUT":
        body = {"charging_profile": LIMIT, "response_url": url}
        answer = emsp.hub.put("chargingprofiles", "RECEIVER", session, body)
    else:
        query = {"duration": 900, "response_url": url}
        answer = emsp.hub.send(method, "chargingprofiles", "RECEIVER", session, query=query)
    return answer, urlsplit(url).path


ORDERS: dict[str, Json] = {
    "START_SESSION": {"token": DRIVER, "location_id": "L1", "evse_uid": "E1"},
    "STOP_SESSION": {"session_id": "s1"},
    "RESERVE_NOW": {"token": DRIVER, "location_id": "l1", "reservation_id": "R1"},
    "UNLOCK_CONNECTOR": {"location_id": "L1", "evse_uid": "E1", "connector_id": "1"},
}


@pytest.mark.parametrize("name", ORDERS)
def test_a_command_is_accepted_and_its_result_follows(
    sides: tuple[SandboxPlatform, SandboxPlatform], name: str
) -> None:
    """The answer is in an envelope, the result is bare and belongs to the same exchange."""
    cpo, emsp = sides

    answer, path = command(emsp, name, **ORDERS[name])

    assert (answer.status_code, answer.data) == (1000, {"result": "ACCEPTED", "timeout": 30})
    result = emsp.wait_for(f"POST {path}")
    assert (result.path, result.json) == (path, {"result": "ACCEPTED"})
    assert (result.to, result.sender) == (MSA, CPA)
    assert emsp.results == [result]
    assert [order.kind for order in cpo.desk.taken] == [name]
    assert result.headers["X-Correlation-ID"] == cpo.desk.taken[0].correlation_id


@pytest.mark.parametrize("about", [{"location_id": "L9"}, {"location_id": "L1", "evse_uid": "E9"}])
def test_an_unknown_place_is_rejected_with_2003(
    sides: tuple[SandboxPlatform, SandboxPlatform], about: Json
) -> None:
    """The refusal carries data, and no result follows."""
    cpo, emsp = sides

    answer, _ = command(emsp, "UNLOCK_CONNECTOR", **about)

    assert (answer.http_status, answer.status_code) == (200, 2003)
    assert answer.data == {"result": "REJECTED", "timeout": 0}
    assert cpo.desk.taken == []


def test_one_operator_does_not_open_what_another_owns() -> None:
    """The addressed party's locations count."""
    with SandboxPlatform([("CPO", "NL", "CPA"), ("CPO", "NL", "CPB")]) as both:
        both.desk.results_after = None
        both.own["locations"].put(CPA, "L1", body=json.dumps(location(1, CPA)))
        token_a = both.tokens.issue()
        with SandboxPlatform([("EMSP", "DE", "MSA")]) as emsp:
            url = f"{both.endpoint('commands', 'RECEIVER')}/UNLOCK_CONNECTOR"
            body = {"response_url": "http://127.0.0.1/", "location_id": "L1"}
            codes = [
                emsp.hub.call(
                    "POST",
                    url,
                    body,
                    token=token_a,
                    **{"OCPI-to-country-code": "NL", "OCPI-to-party-id": party},
                ).status_code
                for party in ("CPA", "CPB")
            ]

    assert codes == [1000, 2003]


@pytest.mark.parametrize("status", [None, "COMPLETED"])
def test_a_session_that_is_not_running_is_unknown(
    sides: tuple[SandboxPlatform, SandboxPlatform], status: str | None
) -> None:
    """The status code says success: the message was understood."""
    cpo, emsp = sides
    if status:
        patch = {"status": status, "last_updated": T1}
        cpo.change("sessions", CPA, "S1", patch=patch)
    name = "S1" if status else "S2"

    stopped, _ = command(emsp, "STOP_SESSION", session_id=name)
    limited = [profile(emsp, method, name)[0] for method in ("PUT", "GET", "DELETE")]

    assert {each.status_code for each in (stopped, *limited)} == {1000}
    assert [each.data["result"] for each in (stopped, *limited)] == ["UNKNOWN_SESSION"] * 4


def test_a_reservation_is_known_by_its_emsp(
    sides: tuple[SandboxPlatform, SandboxPlatform],
) -> None:
    """It is cancelled once, by whoever made it."""
    _, emsp = sides
    outcomes = []
    for name in ("CANCEL_RESERVATION", "RESERVE_NOW", "CANCEL_RESERVATION", "CANCEL_RESERVATION"):
        _, path = command(emsp, name, reservation_id="R1", location_id="L1", token=DRIVER)
        outcomes.append(emsp.wait_for(f"POST {path}").json)

    unknown, accepted = {"result": "UNKNOWN_RESERVATION"}, {"result": "ACCEPTED"}
    assert outcomes == [unknown, accepted, accepted, unknown]


def test_a_profile_is_set_told_and_cleared(
    sides: tuple[SandboxPlatform, SandboxPlatform],
) -> None:
    """GET and DELETE find their response_url in the query."""
    _, emsp = sides
    found: list[Any] = []
    for method in ("GET", "PUT", "GET", "DELETE", "DELETE"):
        answer, path = profile(emsp, method)
        assert answer.data == {"result": "ACCEPTED", "timeout": 30}
        found.append(emsp.wait_for(f"POST {path}").json)

    assert [each["result"] for each in found] == [
        "UNKNOWN",
        "ACCEPTED",
        "ACCEPTED",
        "ACCEPTED",
        "UNKNOWN",
    ]
    assert found[2]["profile"]["charging_profile"] == LIMIT


def test_a_profile_may_not_change_too_often(
    sides: tuple[SandboxPlatform, SandboxPlatform],
) -> None:
    """The next one has to wait; looking is free."""
    cpo, emsp = sides
    cpo.desk.outcomes.profile_seconds = 60
    emsp.wait_for(f"POST {profile(emsp, 'PUT')[1]}")

    assert profile(emsp, "PUT")[0].data["result"] == "TOO_OFTEN"
    assert profile(emsp, "GET")[0].data["result"] == "ACCEPTED"


def test_a_test_may_send_results_itself(sides: tuple[SandboxPlatform, SandboxPlatform]) -> None:
    """As often as it likes, and with any body."""
    cpo, emsp = sides
    cpo.desk.results_after = None
    command(emsp, "STOP_SESSION", session_id="S1")
    [order] = cpo.desk.taken

    for body in ({"result": "ACCEPTED"}, {"result": "CANCELED_RESERVATION"}):
        result = cpo.hub.call("POST", order.response_url, body)
        assert (result.status_code, result.data) == (1000, None)

    assert [json.loads(seen.body)["result"] for seen in emsp.results] == [
        "ACCEPTED",
        "CANCELED_RESERVATION",
    ]


def test_what_is_answered_instead_takes_no_effect(
    sides: tuple[SandboxPlatform, SandboxPlatform],
) -> None:
    """A reply of the test's own: nothing is carried out."""
    cpo, emsp = sides
    with cpo.answer("/STOP_SESSION", does.reply({"result": "NOT_SUPPORTED", "timeout": 0})):
        answer, _ = command(emsp, "STOP_SESSION", session_id="S1")

    assert answer.data["result"] == "NOT_SUPPORTED"
    assert cpo.desk.taken == []


@pytest.mark.parametrize(
    "send",
    [
        lambda hub: hub.post("commands", "RECEIVER", "STOP_SESSION", {"session_id": "S1"}),
        lambda hub: hub.get("chargingprofiles", "RECEIVER", "S1"),
    ],
)
def test_an_order_without_a_response_url_is_refused(
    sides: tuple[SandboxPlatform, SandboxPlatform], send: Callable[..., Result]
) -> None:
    """2001 names what is missing."""
    answer = send(sides[1].hub)

    assert (answer.status_code, answer.message) == (2001, "response_url: missing")


def test_a_profile_that_changed_is_acknowledged(
    sides: tuple[SandboxPlatform, SandboxPlatform],
) -> None:
    """A PUT to the sender is no result."""
    cpo, emsp = sides
    active = {"start_date_time": T1, "charging_profile": LIMIT}

    answer = cpo.hub.put("chargingprofiles", "SENDER", "S1", active)

    assert (answer.status_code, answer.data, emsp.results) == (1000, None, [])


@pytest.mark.parametrize(
    "preferences, word",
    [
        ({"profile_type": "FAST"}, "ACCEPTED"),
        ({"profile_type": "CHEAP"}, "DEPARTURE_REQUIRED"),
        ({"profile_type": "GREEN", "departure_time": T1}, "ENERGY_NEED_REQUIRED"),
        ({"profile_type": "GREEN", "departure_time": T1, "energy_need": 9}, "ACCEPTED"),
    ],
)
def test_preferences_are_answered_by_one_word(
    sides: tuple[SandboxPlatform, SandboxPlatform], preferences: Json, word: str
) -> None:
    """The data is a bare word; an unknown session is 404."""
    hub = sides[1].hub

    answer = hub.put("sessions", "SENDER", "S1/charging_preferences", preferences)

    assert (answer.status_code, answer.data) == (1000, word)
    unknown = hub.put("sessions", "SENDER", "S2/charging_preferences", preferences)
    assert (unknown.http_status, unknown.status_code) == (404, 2001)
