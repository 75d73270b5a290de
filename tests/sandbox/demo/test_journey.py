"""The demo processes of all roles take part in a driver's journey."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from ocpi.types import PartyRef
from sandbox import Responder, SandboxPlatform
from sandbox import misbehaviour as does
from sandbox.demo.locations import location
from sandbox.demo.tokens import token
from tests.sandbox.demo.processes import process, until

CPA, MSA = PartyRef("NL", "CPA"), PartyRef("DE", "MSA")
NOW = "2026-11-21T00:00:00Z"


def steps(lines: list[dict[str, Any]]) -> list[str]:
    """Tell the steps, without where and when."""
    return [line["text"] for line in lines if line["event"] == "step"]


def answered(hub: SandboxPlatform, name: str, **about: object) -> str:
    """Send a command and wait for its result."""
    url = hub.response_url("commands")
    body = {"response_url": url, **about}
    said = hub.hub.post("commands", "RECEIVER", name, body, to=CPA, sender=MSA)
    assert said.data["result"] == "ACCEPTED"
    return str(json.loads(hub.wait_for(f"POST /{url.rpartition('/')[2]}").body)["result"])


def test_a_cpo_process_takes_orders(hub: SandboxPlatform) -> None:
    """A session is really started and stopped, an EVSE reserved; the results are true."""
    hub.invite("A")
    driver, session = token(2, MSA, NOW), "NL-CPA/S1"
    at = {"location_id": "L1", "evse_uid": "E1", "token": driver}
    until_later = {"reservation_id": "R1", "expiry_date": NOW}

    with process("cpo", hub.url, "--updates", "0", "--smart", "NL-SCS") as (_, lines):
        until(lines, "done")
        assert answered(hub, "START_SESSION", **at, authorization_reference="ref") == "ACCEPTED"
        started = hub.objects["sessions"].objects()[session]
        assert answered(hub, "RESERVE_NOW", **at, **until_later) == "EVSE_OCCUPIED"
        assert answered(hub, "STOP_SESSION", session_id="S1") == "ACCEPTED"
        assert answered(hub, "RESERVE_NOW", **at, **until_later) == "ACCEPTED"
        evse = json.loads(hub.objects["locations"].get_text(CPA, "L1", "E1"))
        assert answered(hub, "CANCEL_RESERVATION", reservation_id="R1") == "ACCEPTED"

    ended = hub.objects["sessions"].objects()[session]
    assert (started["status"], ended["status"], evse["status"]) == (
        "ACTIVE",
        "COMPLETED",
        "RESERVED",
    )
    [cdr] = hub.objects["cdrs"].objects().values()
    assert (cdr["auth_method"], cdr["authorization_reference"]) == ("COMMAND", "ref")
    shown = [seen for seen in hub.seen if seen.method == "PUT" and seen.to == PartyRef("NL", "SCS")]
    assert [json.loads(seen.body)["status"] for seen in shown] == ["ACTIVE", "COMPLETED"]


@pytest.mark.parametrize(
    "asked, method, turned_away",
    [
        (does.behave(), "AUTH_REQUEST", {"nobody knows"}),
        (does.reply({"allowed": "NO_CREDIT", "token": token(1, MSA, NOW)}), "", {"no_credit"}),
        (does.html(500), "", {"nobody could be asked", "nobody knows"}),
    ],
)
def test_a_cpo_process_asks_about_cards(
    hub: SandboxPlatform, asked: Responder, method: str, turned_away: set[str]
) -> None:
    """Only who is ALLOWED charges; the question is addressed to nobody and says where."""
    hub.invite("A")
    hub.answer("POST /authorize", asked)

    with process("cpo", hub.url, "--updates", "200", "--updates-per-second", "200") as (_, lines):
        until(lines, "registered")
        hub.publish("tokens", token(1, MSA, NOW))
        printed = until(lines, "done")

    sessions = hub.objects["sessions"].objects().values()
    question = hub.wait_for("POST /authorize?type=RFID")
    away = [line["text"] for line in printed if line["event"] == "turned_away"]
    assert {each["auth_method"] for each in sessions} == ({method} if method else set())
    assert (question.to, question.sender) == (None, CPA)
    assert json.loads(question.body).keys() == {"location_id", "evse_uids"}
    assert all(any(reason in each for reason in turned_away) for each in away)
    assert away
    assert question.headers["X-Correlation-ID"] in {line.get("correlation_id") for line in printed}


def test_an_emsp_process_charges_by_app(hub: SandboxPlatform, tmp_path: Path) -> None:
    """A driver starts, stops, reserves and cancels; each order and its result are printed."""
    hub.invite("A")
    report = tmp_path / "emsp.json"
    options = ["--journey", "--tokens", "2", "--report-json", str(report)]

    with process("emsp", hub.url, *options) as (running, lines):
        until(lines, "registered")
        hub.publish("locations", location(1, CPA))
        start = hub.wait_for("POST /START_SESSION", 20)
        order = json.loads(start.body)
        reference = order["authorization_reference"]
        session = {"country_code": "NL", "party_id": "CPA", "id": "S7", "status": "ACTIVE"}
        changed = {"authorization_reference": reference, "last_updated": NOW}
        hub.publish("sessions", {**session, **changed})
        hub.wait_for("POST /CANCEL_RESERVATION", 20)
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0
        ending = list(lines)

    said = steps(ending)
    assert [order.kind for order in hub.desk.taken] == [
        "START_SESSION",
        "STOP_SESSION",
        "RESERVE_NOW",
        "CANCEL_RESERVATION",
    ]
    assert (start.to, start.sender, order["token"]["type"]) == (None, MSA, "APP_USER")
    assert hub.desk.taken[1].named("session_id") == "S7"
    assert said[2:4] == [
        "STOP_SESSION of S7: ACCEPTED",
        "STOP_SESSION of S7: the result is ACCEPTED",
    ]
    assert json.loads(report.read_text())["outcomes"]["START_SESSION"] == ["ACCEPTED"]
    assert order["token"]["uid"] not in json.dumps(ending)


def test_an_scsp_process_limits_a_running_session(hub: SandboxPlatform) -> None:
    """It takes the first one that takes a profile, and looks at what is in force."""
    hub.invite("A")
    session = {"country_code": "NL", "party_id": "CPA", "status": "ACTIVE", "last_updated": NOW}

    with process("scsp", hub.url) as (_, lines):
        until(lines, "registered")
        for name in ("S1", "S2"):
            with hub.answer("PUT /S1", does.reply({"result": "NOT_SUPPORTED", "timeout": 0})):
                hub.publish("sessions", {**session, "id": name})
                hub.wait_for(f"PUT chargingprofiles/{name}", 10)
        printed = until(lines, "done")

    assert steps(printed) == [
        "set profile of 11 kW on S1: NOT_SUPPORTED",
        "set profile of 11 kW on S2: ACCEPTED",
        "set profile of 11 kW on S2: the result is ACCEPTED",
        "active profile of S2: ACCEPTED",
        "active profile of S2: the result is ACCEPTED",
    ]
    assert [line["path"] for line in printed if line["event"] == "shown"] == [
        "NL/CPA/S1",
        "NL/CPA/S2",
    ]
    ids = [line["correlation_id"] for line in printed if line["event"] == "step"]
    assert ids[1] == ids[2]
