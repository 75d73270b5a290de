"""Sequence diagram "GET All via the Hub", as it is drawn: a CPO asks.

Spec: 2.2.1 transport and format, GET All via Hubs (sd_get_all_platform).

    CPO1 -> HUB: GET TO: HUB FROM: CPO1        HUB -> CPO1: RESPONSE 200 TO: CPO1 FROM: HUB
"""

import pytest

from tests.cast import CPA, HUB, Cast, route
from tests.ocpi.objects import a_token


@pytest.mark.conformance("TF-77", "TF-78", "TOK-08")
def test_a_cpo_gets_the_tokens_of_all_its_emsps(cast: Cast) -> None:
    """In one list, whether their platforms can be reached or not; each names its owner."""
    cpo = cast["P1"]
    tokens = [
        a_token(),
        a_token(country_code="FR", party_id="MSB"),
        a_token(country_code="BE", party_id="MIX"),
    ]
    for name, token in zip(("P2", "P3", "P4"), tokens, strict=True):
        owner = f"{token['country_code']}-{token['party_id']}"
        assert cast[name].publish("tokens", token).http_status == 201
        cast.agree(("NL-CPA", owner))
        cast[name].forget()
    cast["P2"].stop()

    crawl = cpo.hub.list("tokens", {"limit": 2}, to=HUB, sender=CPA)

    assert crawl.data == tokens
    assert [route(page) for page in crawl.pages] == [(CPA, HUB)] * 2
    assert [cast[name].seen for name in ("P3", "P4")] == [[], []]
