"""Sequence diagram "open routing GET from a CPO via the Hub", as it is drawn: a CPO asks.

Spec: 2.2.1 transport and format, Open Routing Request (sd_get_openrouting); mod_tokens, real-time
authorization.

    CPO1 -> HUB: GET FROM: CPO1              HUB --> HUB: Determine routing
    HUB -> MSP2: GET TO: MSP2 FROM: CPO1     MSP2 -> HUB: RESPONSE 200 TO: CPO1 FROM: MSP2
    HUB -> CPO1: RESPONSE 200 TO: CPO1 FROM: MSP2

What a CPO asks an eMSP about one Token is its authorization, a POST.
"""

import json

import pytest

from ocpi.transport.routing_headers import RoutingHeaders
from sandbox import Seen
from sandbox.server import Answer, Call
from tests.cast import CPA, MIX, MSA, MSB, Cast, route
from tests.ocpi.objects import a_token


@pytest.mark.conformance("TOK-14", "TF-72", "TF-73")
def test_the_hub_finds_whose_driver_it_is(cast: Cast) -> None:
    """Of three eMSPs the one whose Token it is decides; the other two learn nothing."""
    cpo, emsps = cast["P1"], {MSA: cast["P2"], MSB: cast["P3"], MIX: cast["P4"]}
    for number, (party, emsp) in enumerate(emsps.items(), start=1):
        owner = {"country_code": party.country_code, "party_id": party.party_id}
        emsp.publish("tokens", a_token(uid=f"TOKEN-{number}", **owner))
        cast.agree(("NL-CPA", str(party)))
    answers: list[Answer] = []

    def allow(call: Call) -> None:
        routing = RoutingHeaders.read(call.seen.headers).answered().as_headers()
        data = {"allowed": "ALLOWED", "token": a_token(uid="TOKEN-2")}
        body = json.dumps({"status_code": 1000, "data": data, "timestamp": "2026-01-01T00:00:00Z"})
        answers.append(Answer(200, body.encode(), routing))
        call.send(answers[-1])

    for emsp in emsps.values():
        emsp.forget()
        emsp.answer("POST", allow)

    result = cpo.hub.post("tokens", "SENDER", "TOKEN-2/authorize", sender=CPA)

    [seen] = emsps[MSB].seen
    assert (seen.method, route(seen)) == ("POST", (MSB, CPA))
    assert seen.path.endswith("/sender/tokens/TOKEN-2/authorize")
    assert [route(Seen("", "", each.headers, b"")) for each in answers] == [(CPA, MSB)]
    assert emsps[MSA].seen == emsps[MIX].seen == []
    assert (result.http_status, result.status_code) == (200, 1000)
    assert (result.data["allowed"], route(result)) == ("ALLOWED", (CPA, MSB))
