"""Sequence diagram "Example of a ClearChargingProfile via the MSP".

Spec: 2.2.1 mod_charging_profiles (sd_charging_profile_clear_via_msp).

    SCSP -> HUB -> eMSP: DELETE chargingprofiles/15    eMSP -> HUB -> CPO: the same
    CPO -> HUB -> eMSP: ACCEPTED    eMSP -> HUB -> SCSP: ACCEPTED
    CPO -> HUB -> eMSP: POST ClearProfileResult    eMSP -> HUB -> SCSP: the same
"""

import pytest

from tests.cast import CPA, MSA, Cast, route
from tests.hub.gateway.commands import NOTED, RESULTS, SCS, answered, results
from tests.hub.gateway.delegation import delegating


@pytest.mark.conformance("CP-10")
def test_a_profile_is_cleared_by_the_emsps_scsp(cast: Cast) -> None:
    """The SCSP clears it at the eMSP, the eMSP at the CPO; the result comes back the same way."""
    way = delegating(cast)
    assert answered(way.show())[0] == 201

    said = way.steer("DELETE")

    assert (said.status_code, said.data, route(said)) == (1000, NOTED, (SCS, MSA))
    [asked] = way.cpo.seen
    assert (asked.method, route(asked)) == ("DELETE", (CPA, MSA))
    assert [answered(each) for each in way.report({"result": "ACCEPTED"})] == [(200, 1000)] * 2
    [heard] = results(way.scsp)
    assert (heard.path, heard.json, route(heard)) == (RESULTS, {"result": "ACCEPTED"}, (SCS, MSA))
