"""What real platforms send: messages without headers, results with nothing but a token.

Seen at two Python platform libraries and a simulator written in Go.
"""

import json
from collections.abc import Callable

import pytest

from ocpi.transport.message_ids import CORRELATION_ID, REQUEST_ID
from sandbox import Responder, Result, SandboxPlatform
from sandbox.misbehaviour import say
from tests.cast import CPA, HUB, MSA, Cast, a_location, push, route
from tests.hub.charging_objects import answered, asked
from tests.hub.gateway.real_platforms import BARE, COMMANDS, IDS, RESULT, ROUTING, Pair, joined
from tests.ocpi.objects import Json, a_token

# --- ids and routing headers that are not there --------------------------------------------------


@pytest.mark.conformance("TF-63", "TF-87", "TF-90")
def test_a_peer_that_returns_no_headers(cast: Cast) -> None:
    """Neither ids nor routing headers in the answer: the requester gets its own all the same."""
    joined(cast, "P2", echo_ids=False, answer_routing=False)

    result = push(cast["P1"], a_location(), to=MSA, **{REQUEST_ID: "r-1", CORRELATION_ID: "c-1"})

    assert answered(result) == (201, 1000)
    assert route(result) == (CPA, MSA)
    assert (result.headers[REQUEST_ID], result.headers[CORRELATION_ID]) == ("r-1", "c-1")


@pytest.mark.conformance("TF-82", "TF-92")
def test_a_peer_that_sends_no_headers(pair: Pair, deliver_all: Callable[[], int]) -> None:
    """No ids, no OCPI-* at all: a platform of one party is known by its token."""
    cpo, emsp = pair
    listing = emsp.hub.get("locations", "SENDER", **BARE)
    token = emsp.hub.put("tokens", "RECEIVER", "DE/MSA/TOKEN-1", a_token(), **BARE)
    deliver_all()

    assert (answered(listing), answered(token)) == ((200, 1000), (201, 1000))
    for result in (listing, token):
        assert route(result) == (MSA, HUB)
        assert all(result.headers[name] for name in IDS)
    assert all(cpo.wait_for("PUT /tokens").headers[name] for name in IDS)


def test_a_handshake_without_ids(cast: Cast) -> None:
    """Versions, details and credentials of a peer that sends neither ids nor routing headers."""
    platform = cast.start("P1")
    token = cast.token_a("P1")
    answers = [
        platform.hub.call("GET", url, token=token, **BARE)
        for url in (cast.versions_url, cast.versions_url.replace("versions", "2.2.1"))
    ]
    url = cast.versions_url.replace("versions", "2.2.1/credentials")
    token_b = platform.invite()

    answers.append(
        platform.hub.call("POST", url, platform.credentials(token_b), token=token, **BARE)
    )

    assert [answered(each) for each in answers] == [(200, 1000)] * 3
    for each in answers:
        assert all(each.headers[name] for name in IDS)
        assert not [name for name in ROUTING if name in each.headers]


# --- results of commands -------------------------------------------------------------------------


def _start(emsp: SandboxPlatform, cpo: SandboxPlatform, answer: Responder) -> Result:
    """Have DE-MSA start a session at NL-CPA, which answers so."""
    body = {"response_url": f"{emsp.addresses.origin}/results/1?x=1&y=2"}
    command_body: Json = {**body, "token": a_token(), "location_id": "LOC1"}
    with cpo.answer("POST /commands/START_SESSION", answer):
        return emsp.hub.post(
            "commands", "RECEIVER", "START_SESSION", command_body, to=CPA, sender=MSA
        )


def _response(result: str, code: int = 1000) -> Responder:
    data = {"result": result, "timeout": 30}
    envelope = {"status_code": code, "data": data, "timestamp": "2026-01-01T00:00:00Z"}
    return say(200, json.dumps(envelope).encode())


def _commanded(cast: Cast, **deviations: object) -> Pair:
    cpo = joined(cast, "P1", modules=COMMANDS["P1"], **deviations)
    emsp = cast["P2"]
    emsp.answer("/results/1", say(200, b'{"status_code":1000,"timestamp":"2026-01-01T00:00:00Z"}'))
    return cpo, emsp


@pytest.mark.conformance("CMD-04", "CMD-07")
@pytest.mark.parametrize(
    "body",
    [
        RESULT,
        b'{"result":"ACCEPTED","session_id":"S1"}',
        b'{"data":{"result":"ACCEPTED","message":[]},"status_code":1000,"timestamp":"2026-01-01T00:00:00Z"}',
    ],
    ids=["bare", "with a session_id", "in an envelope"],
)
def test_a_result_with_nothing_but_a_token(cast: Cast, body: bytes) -> None:
    """`POST response_url` with Authorization and a body: the URL tells all the rest."""
    cpo, emsp = _commanded(cast)
    started = _start(emsp, cpo, _response("ACCEPTED"))
    url = str(asked(cpo, "commands")[-1].json["response_url"])
    emsp.forget()

    result = cpo.hub.call("POST", url, body, **BARE)

    assert answered(result) == (200, 1000)
    [seen] = emsp.seen
    assert seen.path == "/results/1?x=1&y=2"
    assert seen.body == (RESULT if b"data" in body else body)
    assert route(seen) == (MSA, CPA)
    assert seen.headers[CORRELATION_ID] == started.headers[CORRELATION_ID]


@pytest.mark.conformance("CMD-03")
def test_a_start_at_an_unknown_location(cast: Cast) -> None:
    """HTTP 200, 2003, and data nevertheless: relayed as it is (A-105)."""
    cpo, emsp = _commanded(cast)

    result = _start(emsp, cpo, _response("REJECTED", 2003))

    assert answered(result) == (200, 2003)
    assert result.data == {"result": "REJECTED", "timeout": 30}
    assert route(result) == (MSA, CPA)


@pytest.mark.conformance("CMD-09")
def test_a_result_that_comes_late_comes(cast: Cast) -> None:
    """Long after the command's timeout, and more than one: each is passed on."""
    cpo, emsp = _commanded(cast)
    short = {"status_code": 1000, "data": {"result": "ACCEPTED", "timeout": 0}}
    _start(emsp, cpo, say(200, json.dumps(short).encode()))
    url = str(asked(cpo, "commands")[-1].json["response_url"])
    emsp.forget()

    results = [cpo.hub.call("POST", url, RESULT, **BARE) for _ in range(2)]

    assert [answered(each) for each in results] == [(200, 1000)] * 2
    assert [seen.body for seen in emsp.seen] == [RESULT] * 2
