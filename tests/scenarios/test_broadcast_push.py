"""Sequence diagram "Broadcast Push from one Platform to another Platform via a Hub".

Spec: 2.2.1 transport and format, Broadcast Push (sd_platform_hub_platform_broadcast).

    CPO1 -> HUB: PUT TO: HUB FROM: CPO1        HUB -> CPO1: RESPONSE TO: CPO1 FROM: HUB
    HUB -> MSP1: PUT TO: MSP1 FROM: HUB        MSP1 -> HUB: RESPONSE TO: HUB FROM: MSP1
"""

from collections.abc import Callable

import pytest

from sandbox import Answer, Seen
from tests.cast import CPA, HUB, MSA, MSB, Cast, a_location, push, route


@pytest.mark.conformance("TF-64")
def test_a_cpo_pushes_to_everybody(cast: Cast, deliver_all: Callable[[], int]) -> None:
    """The hub answers at once and itself; then every eMSP is served, FROM=hub, TO=itself."""
    cpo, emsps = cast["P1"], {MSA: cast["P2"], MSB: cast["P3"]}
    cast.agree(("NL-CPA", "DE-MSA"), ("NL-CPA", "FR-MSB"))
    deliver_all()
    answers: list[Answer] = []
    for emsp in emsps.values():
        emsp.forget()
        emsp.watchers.append(lambda _, answer: answers.append(answer))
    holds = [emsp.hold(20) for emsp in emsps.values()]

    result = push(cpo, a_location())

    assert result.elapsed < 1
    assert (result.http_status, result.status_code) == (201, 1000)
    assert route(result) == (CPA, HUB)
    for hold in holds:
        hold.cancel()
    deliver_all()
    for party, emsp in emsps.items():
        (seen,) = emsp.seen
        assert (seen.method, seen.json, route(seen)) == ("PUT", a_location(), (party, HUB))
        assert seen.path.endswith("/receiver/locations/NL/CPA/L1")
    answered = [Seen("", "", answer.headers, b"") for answer in answers]
    assert {(seen.to, seen.sender) for seen in answered} == {(HUB, MSA), (HUB, MSB)}
