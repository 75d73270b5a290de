"""Sequence diagram "GET for 1 Object from one Platform to another Platform via a Hub".

Spec: 2.2.1 transport and format, Party to Party via Hub (sd_platform_hub_platform, sd_get_simple).

    CPO1 -> HUB: GET TO: MSP1 FROM: CPO1      HUB -> MSP1: GET TO: MSP1 FROM: CPO1
    MSP1 -> HUB: RESPONSE TO: CPO1 FROM: MSP1 HUB -> CPO1: RESPONSE TO: CPO1 FROM: MSP1
"""

import json

import pytest

from sandbox import Answer, SandboxPlatform, Seen
from tests.cast import CPA, MSA, a_location, push, route

Pair = tuple[SandboxPlatform, SandboxPlatform]


@pytest.mark.conformance("TF-61", "TF-62")
def test_a_cpo_asks_an_emsp_for_one_object(pair: Pair) -> None:
    """Every leg of the diagram carries the headers of the specification's table."""
    cpo, emsp = pair
    answers: list[Answer] = []
    emsp.watchers.append(lambda _, answer: answers.append(answer))
    push(cpo, a_location(), to=MSA)
    emsp.forget()

    result = cpo.hub.get("locations", "RECEIVER", "NL/CPA/L1", to=MSA, sender=CPA)

    (seen,) = emsp.seen
    assert str(seen).endswith("/receiver/locations/NL/CPA/L1")
    assert (seen.method, seen.body, route(seen)) == ("GET", b"", (MSA, CPA))
    answered = Seen("", "", answers[-1].headers, b"")
    assert (answered.to, answered.sender) == (CPA, MSA)
    assert (result.http_status, result.data) == (200, a_location())
    assert route(result) == (CPA, MSA)


@pytest.mark.conformance("TF-61", "TF-62")
def test_an_emsp_asks_a_cpo_for_one_object(pair: Pair) -> None:
    """The same in the other direction, on the Sender interface."""
    cpo, emsp = pair
    cpo.own["locations"]["NL", "CPA", "L1"] = json.dumps(a_location())

    result = emsp.hub.get("locations", "SENDER", "L1", to=CPA, sender=MSA)

    (seen,) = cpo.seen
    assert (seen.method, route(seen)) == ("GET", (CPA, MSA))
    assert seen.path.endswith("/sender/locations/L1")
    assert (result.data, route(result)) == (a_location(), (MSA, CPA))


@pytest.mark.conformance("TF-61", "TF-62")
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_cpo_pushes_to_one_emsp(pair: Pair, method: str) -> None:
    """A direct push reaches its receiver in the same call; the hub keeps out of it."""
    cpo, emsp = pair
    push(cpo, a_location(), to=MSA)
    emsp.forget()
    body = a_location(name="pushed")

    result = cpo.hub.send(method, "locations", "RECEIVER", "NL/CPA/L1", body, to=MSA, sender=CPA)

    (seen,) = emsp.seen
    assert (seen.method, seen.json, route(seen)) == (method, body, (MSA, CPA))
    assert (result.status_code, route(result)) == (1000, (CPA, MSA))
