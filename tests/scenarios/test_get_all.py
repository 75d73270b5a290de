"""Sequence diagram "GET All via the Hub".

Spec: 2.2.1 transport and format, GET All via Hubs (sd_get_all_platform).

    CPO1 -> HUB: GET TO: HUB FROM: CPO1        HUB -> CPO1: RESPONSE 200 TO: CPO1 FROM: HUB

Here an eMSP asks, since the objects are locations.
"""

import pytest

from tests.cast import CPA, CPB, HUB, MIX, MSA, Cast, a_location, push, route


@pytest.mark.conformance("TF-77", "TF-78")
def test_an_emsp_gets_the_objects_of_everybody(cast: Cast) -> None:
    """One request to the hub yields the objects of all its CPOs; each names its owner."""
    emsp = cast["P2"]
    bodies = [a_location(CPA, 1), a_location(CPB, 1), a_location(MIX, 1)]
    for body, name in zip(bodies, ("P1", "P1", "P4"), strict=True):
        push(cast[name], body)
    for owner in (CPA, CPB, MIX):
        cast.agree((str(owner), "DE-MSA"))
    cast["P1"].stop()
    cast["P4"].forget()

    crawl = emsp.hub.list("locations", {"limit": 2}, to=HUB, sender=MSA)

    assert crawl.data == bodies
    assert [route(page) for page in crawl.pages] == [(MSA, HUB)] * 2
    assert cast["P4"].seen == []
