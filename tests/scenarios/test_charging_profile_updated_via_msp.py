"""Sequence diagram "Example of an ActiveChargingProfile being sent by the CPO via the MSP".

Spec: 2.2.1 mod_charging_profiles (sd_charging_profile_updated_via_msp).

    CPO -> HUB -> eMSP: PUT chargingprofiles/15    eMSP -> HUB -> SCSP: PUT chargingprofiles/15
"""

from urllib.parse import quote

import pytest

from tests.cast import CPA, MSA, Cast, route
from tests.hub.gateway.commands import ACTIVE, SCS, answered
from tests.hub.gateway.delegation import HERE, THERE, delegating


@pytest.mark.conformance("CP-08", "CP-10")
def test_a_changed_profile_reaches_the_emsps_scsp(cast: Cast) -> None:
    """The eMSP hears of it from the CPO, and the SCSP from the eMSP, each as who set a profile."""
    way = delegating(cast)
    assert answered(way.steer("PUT")) == (200, 1000)
    hops = ((way.cpo, HERE, CPA, way.emsp, MSA), (way.emsp, THERE, MSA, way.scsp, SCS))

    for teller, session, sender, listener, receiver in hops:
        for to in (receiver, None):
            listener.forget()
            path = quote(session, safe="")
            told = teller.hub.put("chargingprofiles", "SENDER", path, ACTIVE, to=to, sender=sender)

            assert (answered(told), route(told)) == ((200, 1000), (sender, receiver))
            [seen] = listener.seen
            assert (seen.method, seen.json, route(seen)) == ("PUT", ACTIVE, (receiver, sender))
