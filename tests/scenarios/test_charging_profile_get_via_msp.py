"""Sequence diagram "Example of a GET ActiveChargingProfile via the MSP".

Spec: 2.2.1 mod_charging_profiles (sd_charging_profile_get_via_msp).

    SCSP -> HUB -> eMSP: GET chargingprofiles/15    eMSP -> HUB -> CPO: GET chargingprofiles/15
    CPO -> HUB -> eMSP: ACCEPTED    eMSP -> HUB -> SCSP: ACCEPTED
    CPO -> HUB -> eMSP: POST ActiveChargingProfileResult    eMSP -> HUB -> SCSP: the same
"""

import pytest

from tests.cast import CPA, MSA, Cast, route
from tests.hub.gateway.commands import ACTIVE, NOTED, RESULTS, SCS, answered, results
from tests.hub.gateway.delegation import delegating


@pytest.mark.conformance("CP-10")
def test_the_emsps_scsp_looks_at_a_profile(cast: Cast) -> None:
    """The SCSP asks the eMSP, the eMSP the CPO; the profile comes back the same way."""
    way = delegating(cast)
    assert answered(way.show())[0] == 201

    said = way.steer("GET")

    assert (said.status_code, said.data, route(said)) == (1000, NOTED, (SCS, MSA))
    [asked] = way.cpo.seen
    assert (asked.method, route(asked)) == ("GET", (CPA, MSA))
    assert [answered(each) for each in way.report({"result": "ACCEPTED", "profile": ACTIVE})] == [
        (200, 1000)
    ] * 2
    [heard] = results(way.scsp)
    assert (heard.path, heard.json, route(heard)) == (
        RESULTS,
        {"result": "ACCEPTED", "profile": ACTIVE},
        (SCS, MSA),
    )
