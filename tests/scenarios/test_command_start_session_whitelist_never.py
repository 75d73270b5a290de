"""Sequence diagram "START_SESSION whitelist NEVER".

Spec: 2.2.1 mod_commands (command_start_session_whitelist_never).

    eMSP -> HUB -> CPO: START_SESSION    CPO -> HUB -> eMSP: ACCEPTED
    CPO -> HUB -> eMSP: POST CommandResult ACCEPTED to the response_url
    CPO -> HUB -> eMSP: PUT Session with the token and the reference
"""

import pytest

from tests.cast import CPA, MSA, Cast, route
from tests.hub.charging_objects import asked, put_session
from tests.hub.gateway.commands import ACCEPTED, RESULTS, answered, emsp_and_cpo, results
from tests.ocpi.objects import a_cdr_token, a_session, a_token


@pytest.mark.conformance("CMD-04", "CMD-14", "CMD-16")
def test_a_token_that_is_never_whitelisted_starts_a_session(cast: Cast) -> None:
    """The command is the authorization: the token is not asked about again."""
    asking = emsp_and_cpo(cast)

    result = asking.command(
        "START_SESSION",
        asking.body(
            "START_SESSION",
            token=a_token(uid="200", type="APP_USER", whitelist="NEVER"),
            authorization_reference="567890",
        ),
    )

    assert (result.status_code, result.data, route(result)) == (1000, ACCEPTED, (MSA, CPA))
    assert answered(asking.result({"result": "ACCEPTED"})) == (200, 1000)
    [seen] = results(asking.asker)
    assert (seen.path, seen.json, route(seen)) == (RESULTS, {"result": "ACCEPTED"}, (MSA, CPA))

    token = {"uid": "200", "type": "APP_USER"}
    cdr_token = a_cdr_token(**token)
    session = a_session(cdr_token=cdr_token, authorization_reference="567890")
    pushed = put_session(asking.asked, to=MSA, **session)
    assert (pushed.http_status, route(pushed)) == (201, (CPA, MSA))
    [pushed_session] = asked(asking.asker, "sessions")
    assert (pushed_session.json, route(pushed_session)) == (session, (MSA, CPA))
    assert asked(asking.asker, "tokens") == []
