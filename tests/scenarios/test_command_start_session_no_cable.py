"""Sequence diagram "START_SESSION failed".

Spec: 2.2.1 mod_commands (command_start_session_no_cable).

    eMSP -> HUB -> CPO: START_SESSION    CPO -> HUB -> eMSP: ACCEPTED
    CPO -> HUB -> eMSP: POST CommandResult FAILED to the response_url
"""

import pytest

from tests.cast import CPA, MSA, Cast, route
from tests.hub.gateway.commands import ACCEPTED, RESULTS, answered, emsp_and_cpo, results


@pytest.mark.conformance("CMD-01", "CMD-03", "CMD-04")
def test_the_cable_is_not_plugged_in(cast: Cast) -> None:
    """The CPO accepts, the Charge Point does not: the eMSP learns both."""
    asking = emsp_and_cpo(cast)

    result = asking.command("START_SESSION", asking.body("START_SESSION"))

    assert (result.status_code, result.data, route(result)) == (1000, ACCEPTED, (MSA, CPA))
    assert answered(asking.result({"result": "FAILED"})) == (200, 1000)
    [seen] = results(asking.asker)
    assert (seen.path, seen.json, route(seen)) == (RESULTS, {"result": "FAILED"}, (MSA, CPA))
