"""Sequence diagram "Example of a ClearChargingProfile".

Spec: 2.2.1 mod_charging_profiles (sd_charging_profile_clear).

    SENDER -> HUB -> CPO: DELETE chargingprofiles/15?response_url=…
    CPO -> HUB -> SENDER: ACCEPTED
    CPO -> HUB -> SENDER: POST ClearProfileResult to the response_url
"""

from urllib.parse import quote

import pytest

from ocpi.types import PartyRef
from tests.cast import CPA, MSA, Cast, route
from tests.hub.gateway.commands import NOTED, RESULTS, SCS, Asking, answered, joined, results


@pytest.mark.conformance("CP-03", "CP-06")
@pytest.mark.parametrize("name, party", [("P2", MSA), ("P7", SCS)])
def test_a_profile_is_cleared(cast: Cast, name: str, party: PartyRef) -> None:
    """The eMSP, or an SCSP, removes it and learns what the Charge Point made of it."""
    cpo, steering = joined(cast, "P1"), joined(cast, name)
    cast.agree(("NL-CPA", str(party)))
    asking = Asking(steering, cpo, party)

    result = asking.profile("DELETE", f"15?response_url={quote(asking.url, safe='')}")

    assert (result.status_code, result.data, route(result)) == (1000, NOTED, (party, CPA))
    assert (asking.seen.method, route(asking.seen)) == ("DELETE", (CPA, party))
    assert answered(asking.result({"result": "ACCEPTED"})) == (200, 1000)
    [seen] = results(steering)
    assert (seen.path, seen.json, route(seen)) == (RESULTS, {"result": "ACCEPTED"}, (party, CPA))
