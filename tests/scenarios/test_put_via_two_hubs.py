"""Sequence diagram "PUT with 2 Hubs", with this hub in either place.

Spec: 2.2.1 transport and format, Party to Party via Hub (sd_put_2_hubs).

    CPO1 -> HUB1: PUT TO: MSP1 FROM: CPO1           MSP1 -> HUB2: RESPONSE TO: CPO1 FROM: MSP1
    HUB1 -> HUB2: PUT TO: MSP1 FROM: CPO1           HUB2 -> HUB1: RESPONSE TO: CPO1 FROM: MSP1
    HUB2 -> MSP1: PUT TO: MSP1 FROM: CPO1           HUB1 -> CPO1: RESPONSE TO: CPO1 FROM: MSP1
"""

import pytest

from sandbox import Answer, Seen
from tests.cast import CPA, MSA, Cast, a_location, push, route
from tests.hub.second_hub import XXX, YYY, second_hub


@pytest.mark.conformance("TF-86", "TF-61", "TF-62")
def test_this_hub_is_the_first(cast: Cast) -> None:
    """Our CPO pushes to an eMSP behind the other hub: every leg carries TO and FROM unchanged."""
    answers: list[Answer] = []
    with second_hub(cast) as hub2:
        hub2.watchers.append(lambda _, answer: answers.append(answer))

        result = push(cast["P1"], a_location(), to=YYY)

        [seen] = hub2.seen
        assert (seen.method, seen.json, route(seen)) == ("PUT", a_location(), (YYY, CPA))
        answered = Seen("", "", answers[-1].headers, b"")
        assert route(answered) == (CPA, YYY)
        assert (result.http_status, result.status_code) == (201, 1000)
        assert route(result) == (CPA, YYY)


@pytest.mark.conformance("TF-86", "TF-61", "TF-62")
def test_this_hub_is_the_second(cast: Cast) -> None:
    """The other hub brings its CPO's push for our eMSP: the eMSP sees that CPO, not the hub."""
    answers: list[Answer] = []
    with second_hub(cast) as hub1:
        emsp = cast["P2"]
        emsp.forget()
        emsp.watchers.append(lambda _, answer: answers.append(answer))

        result = push(hub1, a_location(XXX), to=MSA)

        [seen] = emsp.seen
        assert (seen.method, seen.json, route(seen)) == ("PUT", a_location(XXX), (MSA, XXX))
        answered = Seen("", "", answers[-1].headers, b"")
        assert route(answered) == (XXX, MSA)
        assert (result.http_status, result.status_code) == (201, 1000)
        assert route(result) == (XXX, MSA)
