"""Sequence diagram "open routing between platforms, GET via the Hub".

Spec: 2.2.1 transport and format, Open Routing Request (sd_get_openrouting_platform).

    CPO1 -> HUB: GET FROM: CPO1                HUB --> HUB: Determine routing
    HUB -> MSP2: GET TO: MSP2 FROM: CPO1       MSP2 -> HUB: RESPONSE TO: CPO1 FROM: MSP2
    HUB -> CPO1: RESPONSE TO: CPO1 FROM: MSP2

Here an eMSP asks and one of three CPOs is found, since the objects are locations.
"""

import json

import pytest

from ocpi.types import PartyRef
from sandbox import Answer, Seen
from tests.cast import CPA, CPB, MIX, MSA, Cast, a_location, push, route


@pytest.mark.conformance("TF-72", "TF-73")
def test_the_hub_finds_the_one_who_can_answer(cast: Cast) -> None:
    """Of three CPOs the owner of the object is asked, and no other."""
    names = {CPA: "P1", CPB: "P1", MIX: "P4"}
    for number, (owner, name) in enumerate(names.items(), start=1):
        body = a_location(owner, number)
        cast[name].own["locations"][owner.country_code, owner.party_id, body["id"]] = json.dumps(
            body
        )
        push(cast[name], body)
    emsp = cast["P2"]
    for owner in names:
        cast.agree((str(owner), "DE-MSA"))
    answers: list[Answer] = []
    cast["P4"].watchers.append(lambda _, answer: answers.append(answer))
    for name in ("P1", "P4"):
        cast[name].forget()

    result = emsp.hub.get("locations", "SENDER", "L3", sender=MSA)

    (seen,) = cast["P4"].seen
    assert (seen.method, route(seen)) == ("GET", (MIX, MSA))
    answered = Seen("", "", answers[-1].headers, b"")
    assert (answered.to, answered.sender) == (MSA, MIX)
    assert cast["P1"].seen == []
    assert PartyRef(result.data["country_code"], result.data["party_id"]) == MIX
    assert (result.status_code, route(result)) == (1000, (MSA, MIX))
