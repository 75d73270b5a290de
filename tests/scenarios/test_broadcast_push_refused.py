"""Sequence diagram "Broadcast Push from a CPO to multiple eMSPs", where one of them refuses.

Spec: 2.2.1 transport and format, Broadcast Push (sd_put_boardcast).

    CPO1 -> HUB: PUT TO: HUB FROM: CPO1      HUB -> CPO1: RESPONSE 200? TO: CPO1 FROM: HUB
    HUB -> MSP1: PUT TO: MSP1 FROM: HUB      MSP1 -> HUB: RESPONSE 401 TO: HUB FROM: MSP1
    HUB -> MSP2: PUT TO: MSP2 FROM: HUB      MSP2 -> HUB: RESPONSE 200 TO: HUB FROM: MSP2
    HUB -> MSP3: PUT TO: MSP3 FROM: HUB      MSP3 -> HUB: RESPONSE 200 TO: HUB FROM: MSP3
"""

from collections.abc import Callable

import pytest

from sandbox.misbehaviour import unauthorized
from tests.cast import CPA, HUB, MIX, MSA, MSB, Cast, a_location, push, route


@pytest.mark.conformance("TF-64", "TF-65", "TF-67")
def test_a_refusal_stays_between_hub_and_receiver(
    cast: Cast, deliver_all: Callable[[], int]
) -> None:
    """MSP1 answers 401: the CPO had its answer long before, the other two are served."""
    cpo, emsps = cast["P1"], {MSA: cast["P2"], MSB: cast["P3"], MIX: cast["P4"]}
    for party in emsps:
        cast.agree(("NL-CPA", str(party)))
    deliver_all()
    for emsp in emsps.values():
        emsp.forget()
    emsps[MSA].answer("PUT", unauthorized())

    result = push(cpo, a_location())
    deliver_all()

    assert (result.http_status, result.status_code) == (201, 1000)
    assert route(result) == (CPA, HUB)
    for party, emsp in emsps.items():
        seen = emsp.wait_for("PUT /locations")
        assert (seen.json, route(seen)) == (a_location(), (party, HUB))
    stored = {party: len(emsp.objects["locations"]) for party, emsp in emsps.items()}
    assert stored == {MSA: 0, MSB: 1, MIX: 1}
