"""Sequence diagram "Successful RESERVE_NOW".

Spec: 2.2.1 mod_commands (command_reservenow_successful).

    eMSP -> HUB -> CPO: RESERVE_NOW    CPO -> HUB -> eMSP: ACCEPTED
    CPO -> HUB -> eMSP: POST CommandResult ACCEPTED to the response_url
"""

import pytest

from tests.cast import CPA, MSA, Cast, route
from tests.hub.gateway.commands import ACCEPTED, RESULTS, answered, emsp_and_cpo, results


@pytest.mark.conformance("CMD-01", "CMD-03", "CMD-04")
def test_a_reservation_is_made(cast: Cast) -> None:
    """The eMSP learns at its own URL that the EVSE is reserved."""
    asking = emsp_and_cpo(cast)

    result = asking.command("RESERVE_NOW", asking.body("RESERVE_NOW"))

    assert (result.status_code, result.data, route(result)) == (1000, ACCEPTED, (MSA, CPA))
    assert answered(asking.result({"result": "ACCEPTED"})) == (200, 1000)
    [seen] = results(asking.asker)
    assert (seen.path, seen.json, route(seen)) == (RESULTS, {"result": "ACCEPTED"}, (MSA, CPA))
