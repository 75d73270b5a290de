"""Sequence diagram "Example of a GET ActiveChargingProfile".

Spec: 2.2.1 mod_charging_profiles (sd_charging_profile_get).

    SENDER -> HUB -> CPO: GET chargingprofiles/15?response_url=…    CPO -> HUB -> SENDER: ACCEPTED
    CPO -> HUB -> SENDER: POST ActiveChargingProfileResult to the response_url
"""

from urllib.parse import quote

import pytest

from ocpi.types import PartyRef
from tests.cast import CPA, MSA, Cast, route
from tests.hub.gateway.commands import (
    ACTIVE,
    NOTED,
    RESULTS,
    SCS,
    Asking,
    answered,
    joined,
    results,
)


@pytest.mark.conformance("CP-02", "CP-06")
@pytest.mark.parametrize("name, party", [("P2", MSA), ("P7", SCS)])
def test_the_profile_in_force_is_asked_for(cast: Cast, name: str, party: PartyRef) -> None:
    """The eMSP, or an SCSP, asks, and gets it when the Charge Point has told it."""
    cpo, steering = joined(cast, "P1"), joined(cast, name)
    cast.agree(("NL-CPA", str(party)))
    asking = Asking(steering, cpo, party)

    outcome = {"result": "ACCEPTED", "profile": ACTIVE}

    result = asking.profile("GET", f"15?duration=900&response_url={quote(asking.url, safe='')}")

    assert (result.status_code, result.data, route(result)) == (1000, NOTED, (party, CPA))
    assert (asking.seen.method, route(asking.seen)) == ("GET", (CPA, party))
    assert answered(asking.result(outcome)) == (200, 1000)
    [seen] = results(steering)
    assert (seen.path, seen.json, route(seen)) == (RESULTS, outcome, (party, CPA))
