"""Sequence diagram "Reservation canceled by the CPO".

Spec: 2.2.1 mod_commands (command_reservenow_canceled_by_cpo).

    eMSP -> HUB -> CPO: RESERVE_NOW    CPO -> HUB -> eMSP: ACCEPTED
    CPO -> HUB -> eMSP: POST CommandResult ACCEPTED to the response_url
    CPO -> HUB -> eMSP: POST CommandResult CANCELED_RESERVATION to the same URL
"""

import pytest

from tests.cast import CPA, MSA, Cast, route
from tests.hub.gateway.commands import ACCEPTED, RESULTS, answered, emsp_and_cpo, results


@pytest.mark.conformance("CMD-04", "CMD-09")
def test_a_cpo_cancels_a_reservation(cast: Cast) -> None:
    """The CPO uses the URL of the reservation once more, hours later."""
    asking = emsp_and_cpo(cast)

    result = asking.command("RESERVE_NOW", asking.body("RESERVE_NOW"))

    assert (result.status_code, result.data, route(result)) == (1000, ACCEPTED, (MSA, CPA))
    assert answered(asking.result({"result": "ACCEPTED"})) == (200, 1000)
    [seen] = results(asking.asker)
    assert (seen.path, seen.json, route(seen)) == (RESULTS, {"result": "ACCEPTED"}, (MSA, CPA))

    canceled = {"result": "CANCELED_RESERVATION"}
    assert answered(asking.result(canceled)) == (200, 1000)
    again = results(asking.asker)[-1]
    assert (again.path, again.json, route(again)) == (RESULTS, canceled, (MSA, CPA))
