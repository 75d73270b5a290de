"""Sequence diagram "Example of an ActiveChargingProfile being send by the CPO".

Spec: 2.2.1 mod_charging_profiles (sd_charging_profile_updated).

    CPO -> HUB -> SENDER: PUT chargingprofiles/15 ActiveChargingProfile
    SENDER -> HUB -> CPO: 1000
"""

import pytest

from ocpi.types import PartyRef
from tests.cast import CPA, MSA, Cast, route
from tests.hub.gateway.commands import ACTIVE, SCS, Asking, answered, joined


@pytest.mark.conformance("CP-08", "CP-09")
@pytest.mark.parametrize("name, party", [("P2", MSA), ("P7", SCS)])
def test_a_changed_profile_is_told(cast: Cast, name: str, party: PartyRef) -> None:
    """Whoever set a profile hears of its changes, whether the CPO names it or nobody."""
    cpo, steering = joined(cast, "P1"), joined(cast, name)
    cast.agree(("NL-CPA", str(party)))
    asking = Asking(steering, cpo, party)

    assert answered(asking.profile("PUT", "15")) == (200, 1000)
    for to in (party, None):
        steering.forget()
        result = cpo.hub.put("chargingprofiles", "SENDER", "15", ACTIVE, to=to, sender=CPA)

        [seen] = steering.seen
        assert (seen.method, seen.json, route(seen)) == ("PUT", ACTIVE, (party, CPA))
        assert (answered(result), route(result)) == ((200, 1000), (CPA, party))
