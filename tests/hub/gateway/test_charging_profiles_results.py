"""What comes of requests about charging profiles, and changes of the profile in force.

Spec: 2.2.1 mod_charging_profiles, Sender interface; A-104, A-107, A-110.
"""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection

from hub.models import Callback
from ocpi.types import PartyRef
from sandbox import Result, SandboxPlatform, Seen
from sandbox.misbehaviour import refuse, say
from tests.cast import CPA, CPB, HUB, MIX, MSA, Cast, route
from tests.hub.gateway.commands import (
    ACTIVE,
    RESULTS,
    SCS,
    Asking,
    answered,
    emsp_and_cpo,
    enveloped,
    forget,
    in_envelope,
    joined,
    results,
)

DONE = {"result": "ACCEPTED"}
PROFILES = "/ocpi/2.2.1/sender/chargingprofiles"


@pytest.fixture
def asking(cast: Cast) -> Asking:
    """DE-MSA, that may set profiles at NL-CPA."""
    return emsp_and_cpo(cast)


@pytest.fixture
def scsp(asking: Asking, cast: Cast) -> Asking:
    """NL-SCS, that may as well."""
    found = asking.by(joined(cast, "P7"), SCS)
    cast.agree(("NL-CPA", "NL-SCS"))
    forget(asking.asked, found.asker)
    return found


def _ask(asking: Asking, method: str) -> None:
    query = "" if method == "PUT" else f"?response_url={quote(asking.url, safe='')}"
    assert answered(asking.profile(method, f"S1{query}")) == (200, 1000)


@pytest.mark.conformance("CP-06", "CP-07")
def test_a_result_reaches_the_very_url(asking: Asking) -> None:
    """Of all three requests: bare, whether it came so or wrapped, and acknowledged without data."""
    outcomes: dict[str, dict[str, Any]] = {
        "GET": {"result": "ACCEPTED", "profile": ACTIVE},
        "PUT": {"result": "REJECTED"},
        "DELETE": {"result": "UNKNOWN"},
    }

    for method, outcome in outcomes.items():
        _ask(asking, method)
        for body in (outcome, enveloped(outcome)):
            result = asking.result(body)
            seen = results(asking.asker)[-1]
            assert (seen.path, seen.json, route(seen)) == (RESULTS, outcome, (MSA, CPA))
            assert answered(result) == (200, 1000)
            assert route(result) == (CPA, MSA)
            assert result.json.keys() == {"status_code", "timestamp"}
    assert len(results(asking.asker)) == 6


@pytest.mark.conformance("CP-12")
def test_a_url_is_its_receivers_and_good_for_a_while(asking: Asking, cast: Cast) -> None:
    """401 without a token, 404 to others; good many times, over restarts, but not for ever."""
    other = joined(cast, "P4")
    _ask(asking, "PUT")
    url = asking.callback
    connection.close()

    assert answered(asking.result(DONE, url, Authorization=None)) == (401, 2001)
    stranger = Asking(asking.asker, other, MSA, MIX)
    assert answered(stranger.result(DONE, url)) == (404, 2001)
    assert answered(asking.result(DONE, url.replace("chargingprofiles", "commands"))) == (404, 2001)
    assert results(asking.asker) == []
    for _ in range(2):
        assert answered(asking.result(DONE, url)) == (200, 1000)
    Callback.objects.update(expires_at=datetime.now(UTC))
    assert answered(asking.result(DONE, url)) == (404, 2001)
    assert len(results(asking.asker)) == 2


def _update(
    cpo: SandboxPlatform, session: str = "S1", *, to: PartyRef | None, sender: PartyRef = CPA
) -> Result:
    """Tell the profile in force."""
    return cpo.hub.put("chargingprofiles", "SENDER", session, ACTIVE, to=to, sender=sender)


def _updates(platform: SandboxPlatform) -> list[Seen]:
    return [seen for seen in platform.seen if seen.method == "PUT" and PROFILES in seen.path]


@pytest.mark.conformance("CP-07", "CP-08")
def test_an_update_reaches_the_party_it_is_for(asking: Asking, scsp: Asking) -> None:
    """PUT to the SENDER interface of the addressed party; its answer, without data, comes back."""
    for each in (scsp, asking):
        answer = enveloped()
        with each.asker.answer(PROFILES, say(200, answer)):
            result = _update(asking.asked, "S%2F1", to=each.party)

        [seen] = _updates(each.asker)
        assert (seen.path, seen.json) == (f"{PROFILES}/S%2F1", ACTIVE)
        assert route(seen) == (each.party, CPA)
        assert (result.body, route(result)) == (answer, (CPA, each.party))


@pytest.mark.conformance("CP-09")
@pytest.mark.parametrize("to", [None, HUB])
def test_an_update_to_nobody_goes_to_who_set_the_profile(
    asking: Asking, scsp: Asking, to: PartyRef | None
) -> None:
    """Nobody has: 4001. What was not accepted does not count, nor asking; the last one does."""
    cpo = asking.asked
    with cpo.answer("/receiver/chargingprofiles", in_envelope({"result": "TOO_OFTEN"})):
        _ask(asking, "PUT")
    with cpo.answer("/receiver/chargingprofiles", refuse(2001)):
        assert asking.profile("PUT").status_code == 2001
    _ask(asking, "GET")
    _ask(asking, "DELETE")
    refused = _update(cpo, to=to)
    assert (answered(refused), route(refused)) == ((200, 4001), (CPA, HUB))
    assert "S1" in str(refused.message)

    for each in (scsp, asking, scsp):
        forget(asking.asker, scsp.asker)
        _ask(each, "PUT")
        result = _update(cpo, "s1", to=to)

        assert (answered(result), route(result)) == ((200, 1000), (CPA, each.party))
        [seen] = _updates(each.asker)
        assert (seen.json, route(seen)) == (ACTIVE, (each.party, CPA))
        others = [one for one in (asking, scsp) if one is not each]
        assert all(_updates(one.asker) == [] for one in others if one.asker is not each.asker)


@pytest.mark.conformance("CP-09")
def test_only_the_cpo_of_the_profile_finds_who_set_it(asking: Asking, cast: Cast) -> None:
    """Another CPO's session of this id, also at the same platform, is another session."""
    other = joined(cast, "P4")
    _ask(asking, "PUT")

    for cpo, party in ((asking.asked, CPB), (other, MIX)):
        assert answered(_update(cpo, to=None, sender=party)) == (200, 4001)
    assert _updates(asking.asker) == []


@pytest.mark.conformance("CP-09")
def test_what_failed_on_the_way_set_nothing(asking: Asking) -> None:
    """A CPO that did not answer, or not in an envelope, has accepted nothing."""
    with asking.asked.answer("/receiver/chargingprofiles", say(200, b'{"result":"ACCEPTED"}')):
        assert answered(asking.profile("PUT")) == (200, 4000)

    assert answered(_update(asking.asked, to=None)) == (200, 4001)
