"""Sequence diagram "START_SESSION failed".

Spec: 2.2.1 mod_commands (command_start_session_timeout).

    eMSP -> HUB -> CPO: START_SESSION    CPO -> HUB -> eMSP: ACCEPTED
    CPO -> HUB -> eMSP: POST CommandResult ACCEPTED to the response_url
"""

import pytest

from tests.cast import CPA, MSA, Cast, route
from tests.hub.gateway.commands import ACCEPTED, RESULTS, answered, emsp_and_cpo, results


@pytest.mark.conformance("CMD-01", "CMD-03", "CMD-12")
def test_nobody_plugs_in(cast: Cast) -> None:
    """The start is accepted, the driver does not plug in: no more is said, the hub adds nothing."""
    asking = emsp_and_cpo(cast)

    result = asking.command("START_SESSION", asking.body("START_SESSION"))

    assert (result.status_code, result.data, route(result)) == (1000, ACCEPTED, (MSA, CPA))
    assert answered(asking.result({"result": "ACCEPTED"})) == (200, 1000)
    [seen] = results(asking.asker)
    assert (seen.path, seen.json, route(seen)) == (RESULTS, {"result": "ACCEPTED"}, (MSA, CPA))
    assert len(asking.asker.seen) == 1
