"""How real platforms connect: tokens in every form, odd spelling, unusual URLs.

Seen at two Python platform libraries and a simulator written in Go.
"""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.db.models import Q

from parties.models import Endpoint, Platform
from sandbox import Answer, SandboxPlatform
from sandbox.misbehaviour import detail
from tests.cast import CPA, MSA, Cast, a_location, command, push, route
from tests.hub.charging_objects import answered, asked
from tests.hub.gateway.real_platforms import BARE, Pair, altered, joined

# --- tokens and spelling -------------------------------------------------------------------------


@pytest.mark.conformance("TF-60")
def test_raw_tokens_and_go_casing(cast: Cast) -> None:
    """A raw token, `Ocpi-From-Party-Id` and no ids, in either direction."""
    emsp = joined(cast, "P2", "base64=off", base64=False, accepts="raw", echo_ids=False)
    cast["P1"].own["locations"]["NL", "CPA", "L1"] = json.dumps(a_location())
    canonical = {
        "Ocpi-From-Party-Id": "MSA",
        "Ocpi-From-Country-Code": "DE",
        "Ocpi-To-Party-Id": "CPA",
        "Ocpi-To-Country-Code": "NL",
    }

    result = emsp.hub.get("locations", "SENDER", "L1", **canonical, **BARE)
    pushed = push(cast["P1"], a_location(), to=MSA)

    assert (answered(result), result.data) == ((200, 1000), a_location())
    assert route(cast["P1"].seen[0]) == (CPA, MSA)
    assert answered(pushed) == (201, 1000)
    [seen] = asked(emsp, "locations")
    assert seen.headers["Authorization"] in {f"Token {each}" for each in emsp.tokens.issued}


@pytest.mark.conformance("TF-63")
def test_go_casing_in_an_answer(pair: Pair) -> None:
    """Canonical spelling of the answer's headers: the requester gets OCPI's."""

    def canonical(answer: Answer) -> Answer:
        return replace(answer, headers={k.title(): v for k, v in answer.headers.items()})

    with pair[1].answer("", altered(canonical)):
        result = push(pair[0], a_location(), to=MSA)

    assert answered(result) == (201, 1000)
    assert route(result) == (CPA, MSA)
    assert "ocpi-from-party-id" in set(result.headers)


@pytest.mark.parametrize("status", [401, 403])
def test_a_used_token_a(cast: Cast, status: int) -> None:
    """401 or 403 to the hub's registration: the operator is told, and nothing is left behind."""
    with SandboxPlatform([("CPO", "NL", "OLD")]) as platform:
        token = platform.invite()
        platform.answer("", detail(status, "Forbidden"))
        arguments = ("--role=CPO:NL:OLD", f"--versions-url={platform.url}", f"--token-a={token}")

        with pytest.raises(SystemExit):
            command("register_platform", "old", *arguments)

    row = Platform.objects.get(name="old")
    assert "refused the token" in row.last_error
    assert (row.status, row.endpoints.count()) == ("PLANNED", 0)


@pytest.mark.conformance("ST-17")
def test_403_for_a_wrong_token(pair: Pair) -> None:
    """Not 401: the connection is flagged all the same, and the requester not blamed."""
    with pair[1].answer("", detail(403, "Not authenticated")):
        result = push(pair[0], a_location(), to=MSA)

    assert answered(result) == (200, 4003)
    assert "credentials" in Platform.objects.get(name="P2").last_error


# --- URLs ----------------------------------------------------------------------------------------


def test_trailing_slashes(cast: Cast, deliver_all: Callable[[], int]) -> None:
    """Advertised with one, joined by exactly one; lists are asked for as advertised (A-01)."""
    emsp = joined(cast, "P2", trailing_slash=True)
    cpo, path = cast["P1"], "/ocpi/2.2.1/receiver/locations/NL/CPA/L1"

    push(cpo, a_location(), to=MSA)
    push(cpo, a_location(name="all"))
    deliver_all()
    cpo.hub.get("tokens", "SENDER", "?limit=1", to=MSA, sender=CPA)
    cpo.hub.post("tokens", "SENDER", "T/authorize", to=MSA, sender=CPA)

    stored = Endpoint.objects.filter(~Q(module="credentials"), platform__name="P2")
    assert all(url.endswith("/") for url in stored.values_list("url", flat=True))
    assert [seen.path for seen in emsp.seen] == [
        path,
        path,
        "/ocpi/2.2.1/sender/tokens/?limit=1",
        "/ocpi/2.2.1/sender/tokens/T/authorize",
    ]


def test_endpoints_at_unusual_paths(cast: Cast) -> None:
    """Where a module is, only its advertised URL tells."""
    emsp = cast.start("P2")
    emsp.move("locations", "RECEIVER", "/hub/clientinfo/v1")
    emsp.register_with(cast.versions_url, cast.token_a("P2"))
    cpo = cast["P1"]
    cast.agree(("NL-CPA", "DE-MSA"))

    result = push(cpo, a_location(), to=MSA)

    assert answered(result) == (201, 1000)
    assert asked(emsp, "clientinfo")[-1].path == "/hub/clientinfo/v1/NL/CPA/L1"
