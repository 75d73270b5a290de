"""Sequence diagram "UNLOCK_CONNECTOR Unknown Location".

Spec: 2.2.1 mod_commands (command_unlock_unknow_location); A-105.

    eMSP -> HUB -> CPO: UNLOCK_CONNECTOR
    CPO -> HUB -> eMSP: status_code 2003, data {CommandResponse {result = REJECTED}}
"""

import pytest

from tests.cast import CPA, HUB, MSA, Cast, route
from tests.hub.gateway.commands import emsp_and_cpo, in_envelope

REJECTED = {"result": "REJECTED", "timeout": 0}


@pytest.mark.conformance("CMD-03", "CMD-08")
def test_a_cable_at_an_unknown_location_stays_locked(cast: Cast) -> None:
    """2003 with data, from the CPO; and the same from the hub where nobody owns the Location."""
    asking = emsp_and_cpo(cast)

    with asking.asked.answer("/receiver/commands", in_envelope(REJECTED, 2003)):
        from_cpo = asking.command("UNLOCK_CONNECTOR")
    from_hub = asking.command("UNLOCK_CONNECTOR", to=None)

    for result, speaker in ((from_cpo, CPA), (from_hub, HUB)):
        assert (result.http_status, result.status_code, result.data) == (200, 2003, REJECTED)
        assert route(result) == (MSA, speaker)
    assert len(asking.asked.seen) == 1
