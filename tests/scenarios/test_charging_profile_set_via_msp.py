"""Sequence diagram "Example of a SetChargingProfile via the MSP".

Spec: 2.2.1 mod_charging_profiles (sd_charging_profile_set_via_msp).

    SCSP -> HUB -> eMSP: PUT chargingprofiles/15    eMSP -> HUB -> CPO: PUT chargingprofiles/15
    CPO -> HUB -> eMSP: ACCEPTED    eMSP -> HUB -> SCSP: ACCEPTED
    CPO -> HUB -> eMSP: POST ChargingProfileResult    eMSP -> HUB -> SCSP: the same
"""

import pytest

from tests.cast import CPA, MSA, Cast, route
from tests.hub.gateway.commands import NOTED, RESULTS, SCS, answered, results
from tests.hub.gateway.delegation import delegating


@pytest.mark.conformance("CP-10")
def test_a_profile_is_set_by_the_emsps_scsp(cast: Cast) -> None:
    """The SCSP sets it at the eMSP, the eMSP at the CPO; the result comes back the same way."""
    way = delegating(cast)
    assert answered(way.show())[0] == 201

    said = way.steer("PUT")

    assert (said.status_code, said.data, route(said)) == (1000, NOTED, (SCS, MSA))
    [asked] = way.cpo.seen
    assert (asked.method, route(asked)) == ("PUT", (CPA, MSA))
    assert [answered(each) for each in way.report({"result": "ACCEPTED"})] == [(200, 1000)] * 2
    [heard] = results(way.scsp)
    assert (heard.path, heard.json, route(heard)) == (RESULTS, {"result": "ACCEPTED"}, (SCS, MSA))
