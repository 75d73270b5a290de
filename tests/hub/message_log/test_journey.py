"""What the log says of a message's way through the hub."""

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from hub.message_log import journey
from sandbox import SandboxPlatform
from sandbox.misbehaviour import refuse, say
from sandbox.server import Call
from tests.cast import CPA, CPB, HUB, MSA, Cast, a_location, push
from tests.hub.message_log.conftest import Logged
from tests.parties.commands import run, run_json

AT = {"location_id": "LOC1"}
ALLOWED = json.dumps({"status_code": 1000, "data": {"allowed": "ALLOWED"}}).encode()


def authorize(cpo: SandboxPlatform, **headers: str) -> None:
    """Ask DE-MSA whether a driver may charge."""
    cpo.hub.post("tokens", "SENDER", "04AABBCCDD/authorize", AT, to=MSA, sender=CPA, **headers)


def test_an_authorization_is_two_exchanges_of_one_correlation_id(
    pair: tuple[SandboxPlatform, SandboxPlatform], logged: Logged
) -> None:
    """What came in and what went out, each with its own request id and its own time."""
    cpo, emsp = pair

    def slowly(call: Call) -> None:
        call.pause(0.2)
        say(200, ALLOWED)(call)

    with emsp.answer("POST", slowly):
        authorize(cpo, **{"X-Correlation-ID": "journey-1"})

    came, went = logged()
    assert [came.direction, went.direction] == ["in", "out"]
    assert {came.correlation_id, went.correlation_id} == {"journey-1"}
    assert came.request_id != went.request_id
    assert 200 <= went.milliseconds <= came.milliseconds < 1500
    assert (came.platform, went.platform) == ("P1", "P2")
    for hop in (came, went):
        assert (hop.sender, hop.receiver, hop.route) == ("NL-CPA", "DE-MSA", "direct")
        assert (hop.module, hop.interface, hop.method) == ("tokens", "SENDER", "POST")
        assert (hop.http_status, hop.status_code, hop.version) == (200, 1000, "2.2.1")
        assert json.loads(hop.request_body) == AT
        assert json.loads(hop.response_body) == json.loads(ALLOWED)


def test_a_refused_message_shows_the_reason(
    pair: tuple[SandboxPlatform, SandboxPlatform], logged: Logged
) -> None:
    """Without an agreement nothing is sent, and the log has what the sender was told."""
    cpo, _ = pair
    cpo.hub.post("tokens", "SENDER", "X/authorize", AT, to=MSA, sender=CPB)

    [refused] = logged()
    assert (refused.route, refused.status_code) == ("refused", 4001)
    assert "an agreement" in refused.status_message.lower()


def test_a_message_nobody_could_read_is_logged_too(
    pair: tuple[SandboxPlatform, SandboxPlatform], logged: Logged
) -> None:
    """A wrong party in the headers, and a wrong token."""
    cpo, _ = pair
    cpo.hub.get("locations", "SENDER", sender=MSA)
    cpo.hub.call("GET", cpo.hub.endpoint("locations", "SENDER"), token="a-token-nobody-knows")

    foreign, unknown = logged()
    assert (foreign.route, foreign.status_code, foreign.platform) == ("refused", 2001, "P1")
    assert (unknown.http_status, unknown.platform, unknown.sender) == (401, "", "")


def test_a_peer_that_does_not_answer_is_no_refusal(
    pair: tuple[SandboxPlatform, SandboxPlatform], logged: Logged
) -> None:
    """The message went its way; the log says what became of it there."""
    cpo, emsp = pair
    emsp.stop()
    authorize(cpo)

    came, went = logged()
    assert (came.route, came.status_code) == ("direct", 4003)
    assert (went.http_status, went.status_code) == (None, None)
    assert went.status_message.startswith("PeerUnreachable")


def test_a_broadcast_shows_its_deliveries(
    cast: Cast, logged: Logged, deliver_all: Callable[[], int]
) -> None:
    """One message in, one out for each receiver, refused or not, under one correlation id."""
    cpo, *emsps = cast["P1"], cast["P2"], cast["P3"]
    cast.agree(("NL-CPA", "DE-MSA"), ("NL-CPA", "FR-MSB"))
    deliver_all()
    logged()
    headers: dict[str, Any] = {"X-Correlation-ID": "spread"}
    with emsps[1].answer("PUT", refuse(2001)):
        push(cpo, a_location(CPA, 1), **headers)
        deliver_all()

    hops = [hop for hop in logged() if hop.correlation_id == "spread"]
    assert (hops[0].route, hops[0].receiver, hops[0].object_key) == ("broadcast", str(HUB), "L1")
    found = {hop.receiver: (hop.route, hop.status_code, hop.path) for hop in hops[1:]}
    assert found == {
        "DE-MSA": ("delivery", 1000, "NL/CPA/L1"),
        "FR-MSB": ("delivery", 2001, "NL/CPA/L1"),
    }


def test_a_command_and_its_result_are_one_journey(cast: Cast, logged: Logged) -> None:
    """Four hops: the command twice, and its result twice, to a URL only the asker knows."""
    cpo, emsp = cast["P1"], cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    logged()
    body = {
        "location_id": "LOC1",
        "evse_uid": "1",
        "response_url": f"{emsp.addresses.origin}/results/7",
    }
    said = {"status_code": 1000, "data": {"result": "ACCEPTED", "timeout": 30}}
    emsp.answer("/results/", say(200, b'{"status_code": 1000}'))
    cpo.answer("/receiver/commands", say(200, json.dumps(said).encode()))
    emsp.forget()
    cpo.forget()
    emsp.hub.post("commands", "RECEIVER", "UNLOCK_CONNECTOR", body, to=CPA, sender=MSA)
    own_url = json.loads(cpo.seen[0].body)["response_url"]
    cpo.hub.call("POST", own_url, {"result": "ACCEPTED"})

    hops = [hop for hop in logged() if hop.module == "commands"]
    assert [(hop.direction, hop.route, hop.status_code) for hop in hops] == [
        ("in", "direct", 1000),
        ("out", "direct", 1000),
        ("in", "result", 1000),
        ("out", "result", 1000),
    ]


def test_the_handshake_is_in_the_log(cast: Cast, logged: Logged) -> None:
    """What the platform asks for, and what the hub asks of it, without a token of either."""
    platform = cast["P1"]
    rows = logged()

    went = {(row.method, row.module) for row in rows if row.direction == "out"}
    came = {(row.method, row.module) for row in rows if row.direction == "in"}
    assert ("GET", "versions") in came & went
    assert ("POST", "credentials") in came
    assert {row.route for row in rows if row.direction == "out"} == {"handshake"}
    bodies = "".join(row.request_body + row.response_body for row in rows)
    assert platform.hub.token not in bodies
    assert '"token": "…' in bodies.replace('":"', '": "')


def test_trace_tells_the_journey(
    pair: tuple[SandboxPlatform, SandboxPlatform], logged: Logged
) -> None:
    """For people in columns, for scripts as JSON, and a sentence when there is nothing."""
    cpo, emsp = pair
    with emsp.answer("POST", say(200, ALLOWED)):
        authorize(cpo, **{"X-Correlation-ID": "journey-2"})
    logged()

    header, came, went = run("trace", "journey-2").splitlines()
    assert came.index("NL-CPA → DE-MSA") == went.index("NL-CPA → DE-MSA")
    assert "→ hub" in came
    assert "hub →" in went
    assert header.index("route") == came.index("direct")
    hops = run_json("trace", "journey-2")
    assert [hop["direction"] for hop in hops] == ["in", "out"]
    whole = run_json("trace", "journey-2", "--whole")
    assert [json.loads(hop["request_body"]) for hop in whole] == [AT, AT]
    assert whole[1]["curl"] in run("trace", "journey-2", "--whole")
    with pytest.raises(CommandError, match="nothing carried the correlation id 'never'"):
        run("trace", "never")


def test_log_finds_messages(pair: tuple[SandboxPlatform, SandboxPlatform], logged: Logged) -> None:
    """By party, module, code, age and object; in the order of a log file."""
    cpo, _ = pair
    push(cpo, a_location(CPA, 1))
    push(cpo, a_location(CPA, 2))
    authorize(cpo)
    cpo.hub.get("tariffs", "SENDER", sender=CPB)
    logged()

    def found(*words: str) -> list[str]:
        return [f"{row['module']}/{row['object_key']}" for row in run_json("log", *words)]

    both = ["locations/L1", "locations/L2"]
    assert found("--module", "locations", "--since", "10m") == both
    assert found("--object", "l2") == both[1:]
    assert found("--object", "04AABBCCDD", "--limit", "1") == ["tokens/…CCDD"]
    assert found("--party", "DE-MSA", "--module", "locations") == []
    assert found("--party", "NL-CPA", "--module", "locations", "--limit", "1") == both[1:]
    assert found("--party", "NL-CPB") == ["tariffs/"]
    assert found("--code", "4001") == []
    failed = [row["request_id"] for row in run_json("log") if row["status_code"] != 1000]
    assert [row["request_id"] for row in run_json("log", "--code", "failed")] == failed
    assert found("--direction", "out", "--module", "locations") == []
    assert found("--until", "1h") == []
    assert "No such messages" in run("log", "--code", "4001")
    assert "manage.py trace" in run("log")
    with pytest.raises(CommandError, match="write 30s, 10m"):
        run("log", "--since", "soon")


@pytest.mark.parametrize("words", [("trace", "journey-9"), ("log", "--limit", "1")])
def test_what_is_cut_is_said_beside_the_json(
    pair: tuple[SandboxPlatform, SandboxPlatform],
    logged: Logged,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
) -> None:
    """A script that reads the JSON is not misled; what is whole has nothing beside it."""
    cpo, _ = pair
    authorize(cpo, **{"X-Correlation-ID": "journey-9"})
    assert len(logged()) == 2
    whole, cut = StringIO(), StringIO()
    call_command("trace", "journey-9", "--json", stdout=StringIO(), stderr=whole)
    monkeypatch.setattr(journey, "MOST_OF_A_JOURNEY", 1)

    call_command(*words, "--json", stdout=StringIO(), stderr=cut)

    assert whole.getvalue() == ""
    assert "These are the newest" in cut.getvalue()
