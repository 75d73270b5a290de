"""A location travels from a CPO's platform through the hub to an eMSP's platform."""

from collections.abc import Callable

import pytest

from tests.cast import CPA, HUB, MSA, Cast, a_location


@pytest.mark.conformance("TF-51", "TF-93")
def test_a_location_reaches_the_emsp_under_its_owners_ids(
    cast: Cast, deliver_all: Callable[[], int]
) -> None:
    """What a CPO puts to the hub arrives at the eMSP, byte for byte, under the CPO's path."""
    cast["P1"], cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    body = a_location(CPA, 1)

    result = cast["P1"].hub.send(
        "PUT", "locations", "RECEIVER", f"NL/CPA/{body['id']}", body, to=HUB, sender=CPA
    )
    deliver_all()

    assert (result.http_status, result.status_code) == (201, 1000), str(result)
    seen = cast["P2"].recorder.wait_for(lambda seen: seen.method == "PUT")
    assert seen.json == body
    assert (seen.to, seen.sender) == (MSA, HUB)
