"""Sequence diagram "Example of a SetChargingProfile".

Spec: 2.2.1 mod_charging_profiles (sd_charging_profile_set).

    SENDER -> HUB -> CPO: PUT chargingprofiles/15    CPO -> HUB -> SENDER: ACCEPTED
    CPO -> HUB -> SENDER: POST ChargingProfileResult to the response_url
"""

import pytest

from ocpi.types import PartyRef
from tests.cast import CPA, MSA, Cast, route
from tests.hub.gateway.commands import NOTED, RESULTS, SCS, Asking, answered, joined, results


@pytest.mark.conformance("CP-01", "CP-06")
@pytest.mark.parametrize("name, party", [("P2", MSA), ("P7", SCS)])
def test_a_profile_is_set(cast: Cast, name: str, party: PartyRef) -> None:
    """The eMSP, or an SCSP, sets it and learns what the Charge Point made of it."""
    cpo, steering = joined(cast, "P1"), joined(cast, name)
    cast.agree(("NL-CPA", str(party)))
    asking = Asking(steering, cpo, party)

    result = asking.profile("PUT", "15")

    assert (result.status_code, result.data, route(result)) == (1000, NOTED, (party, CPA))
    assert (asking.seen.method, route(asking.seen)) == ("PUT", (CPA, party))
    assert answered(asking.result({"result": "ACCEPTED"})) == (200, 1000)
    [seen] = results(steering)
    assert (seen.path, seen.json, route(seen)) == (RESULTS, {"result": "ACCEPTED"}, (party, CPA))
