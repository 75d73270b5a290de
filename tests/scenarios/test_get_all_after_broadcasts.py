"""Sequence diagram "GET All via the Hub" from its beginning: three eMSPs push, then a CPO asks.

Spec: 2.2.1 transport and format, GET All via Hubs (sd_get_all).

    MSP1 -> HUB: PUT TO: HUB FROM: MSP1      HUB -> MSP1: RESPONSE 200 TO: MSP1 FROM: HUB
    MSP3 -> HUB: PUT TO: HUB FROM: MSP3      HUB -> MSP3: RESPONSE 200 TO: MSP3 FROM: HUB
    MSP2 -> HUB: PUT TO: HUB FROM: MSP2      HUB -> MSP2: RESPONSE 200 TO: MSP2 FROM: HUB
    CPO1 -> HUB: GET TO: HUB FROM: CPO1      HUB -> CPO1: RESPONSE 200 TO: CPO1 FROM: HUB
"""

import pytest

from tests.cast import CPA, HUB, MIX, MSA, MSB, Cast, route
from tests.ocpi.objects import a_token


@pytest.mark.conformance("TF-64", "TF-77")
def test_what_was_pushed_to_the_hub_is_in_its_list(cast: Cast) -> None:
    """Each push is answered by the hub itself; the list combines them in their order of arrival."""
    cpo, tokens = cast["P1"], []
    for party, name in ((MSA, "P2"), (MIX, "P4"), (MSB, "P3")):
        token = a_token(country_code=party.country_code, party_id=party.party_id)
        pushed = cast[name].publish("tokens", token)
        cast.agree(("NL-CPA", str(party)))
        assert (pushed.http_status, pushed.status_code) == (201, 1000)
        assert route(pushed) == (party, HUB)
        cast[name].forget()
        tokens.append(token)

    result = cpo.hub.get("tokens", "SENDER", to=HUB, sender=CPA)

    assert (result.http_status, result.status_code) == (200, 1000)
    assert (result.data, route(result)) == (tokens, (CPA, HUB))
    assert [cast[name].seen for name in ("P2", "P3", "P4")] == [[], [], []]
