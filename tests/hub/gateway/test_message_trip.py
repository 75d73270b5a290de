"""How short the trip of a message through the hub is, and that it stays so.

A running hub, on a socket, answers one message of each kind after some that warmed it up; the
profiler of the threads that answer tells which of the project's files it enters (`hub`, `parties`,
`operators`, `ocpi`, `database`, `settings`), and how often it hops from one into another. Counted
is the whole request, from the exchange or the first middleware to the last header, and of it the
way to the answer, from where the message is read or the view is called: then it is known who calls.
What the hub does in other threads is no part of the trip, nor
is the message log, which is off here as in all tests but its own.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from sandbox import Result, SandboxPlatform
from tests.cast import CPA, HUB, MSA, Cast, a_location
from tests.hub.gateway.message_trip import Followed, Trip, followed
from tests.hub.gateway.realtime_authorization import AT, info, says
from tests.hub.raw_http import send

IDS = b"X-Request-ID: 1\r\nX-Correlation-ID: 2\r\n"
WARMED_UP = 4
"""The fifth request of a platform is within a lease of 1, 2, 4 … of its rate: it asks no Redis."""


@dataclass(frozen=True, slots=True)
class Bound:
    """Files and hops of the way to the answer, and of the whole request."""

    answer: tuple[int, int]
    whole: tuple[int, int]


PUT = Bound(answer=(30, 63), whole=(36, 77))
PATCH = Bound(answer=(24, 48), whole=(30, 62))
AUTHORIZE = Bound(answer=(39, 81), whole=(44, 98))
CREDENTIALS = Bound(answer=(48, 165), whole=(55, 183))

Judge = Callable[[str, Followed, Bound], None]


@pytest.fixture
def judge(capsys: pytest.CaptureFixture[str]) -> Judge:
    """Print how long a trip was, and compare it with its bound."""

    def compare(what: str, found: Followed, bound: Bound) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{what}: {found.answer}; the whole request: {found.whole}\n")
        _compare(found.answer, bound.answer)
        _compare(found.whole, bound.whole)

    return compare


def _compare(trip: Trip, bound: tuple[int, int]) -> None:
    hops = "\n".join(f"{n:4} {one} > {other}" for (one, other), n in sorted(trip.hops.items()))
    assert len(trip.files) <= bound[0], hops
    assert trip.hops.total() <= bound[1], hops


def of(request: Callable[[], Result]) -> Followed:
    """Follow one request, which has to succeed."""
    with followed() as found:
        result = request()
    assert result.status_code == 1000, str(result)
    return found


def put(cpo: SandboxPlatform, number: int) -> Result:
    """PUT a Location to the hub."""
    body = a_location(CPA, number)
    path = f"receiver/locations/NL/CPA/{body['id']}".encode()
    return send(cpo, "PUT", path, json.dumps(body).encode(), to=HUB, headers=IDS)


def patch(cpo: SandboxPlatform, status: str) -> Result:
    """PATCH the status of an EVSE, to the hub."""
    body = a_location(CPA, 1)
    path = f"receiver/locations/NL/CPA/{body['id']}/{body['evses'][0]['uid']}".encode()
    change = {"status": status, "last_updated": "2027-01-01T00:00:00Z"}
    return send(cpo, "PATCH", path, json.dumps(change).encode(), to=HUB, headers=IDS)


def authorize(cpo: SandboxPlatform) -> Result:
    """Ask an eMSP, through the hub, whether a driver may charge."""
    path = b"sender/tokens/TOKEN-1/authorize"
    return send(cpo, "POST", path, json.dumps(AT).encode(), to=MSA, headers=IDS)


def post_credentials(cast: Cast, name: str) -> Result:
    """Register a platform of the cast."""
    platform = cast.start(name)
    token_a, token = cast.token_a(name), platform.tokens.issue()
    url = cast.versions_url.replace("versions", "2.2.1/credentials")
    return platform.hub.call("POST", url, platform.credentials(token), token=token_a)


@pytest.mark.parametrize(
    "request_of", [lambda cpo: put(cpo, 7), authorize], ids=["kept", "passed on"]
)
def test_each_fact_is_computed_once(
    pair: tuple[SandboxPlatform, SandboxPlatform], request_of: Callable[[SandboxPlatform], Result]
) -> None:
    """The path is taken apart, the headers are read and the body is decoded once, whoever asks."""
    pair[1].answer("POST", says(info()))

    calls = of(lambda: request_of(pair[0])).calls

    for fact in (
        "ocpi/transport/paths.py:segments",
        "ocpi/transport/routing_headers.py:read",
        "ocpi/validation.py:decode",
        "hub/store/identity.py:object_key",
    ):
        assert calls[fact] == 1, fact


def test_a_put_of_a_location(pair: tuple[SandboxPlatform, SandboxPlatform], judge: Judge) -> None:
    """A PUT enters no more files, and hops no more often between them, than it needs."""
    for number in range(1, 1 + WARMED_UP):
        put(pair[0], number)

    judge("PUT of a Location", of(lambda: put(pair[0], 7)), PUT)


def test_a_patch_of_an_evse(pair: tuple[SandboxPlatform, SandboxPlatform], judge: Judge) -> None:
    """A PATCH, which reads what is stored, enters a few files more."""
    put(pair[0], 1)
    for status in ("CHARGING", "AVAILABLE", "CHARGING", "BLOCKED"):
        patch(pair[0], status)

    judge("PATCH of an EVSE", of(lambda: patch(pair[0], "AVAILABLE")), PATCH)


def test_a_relayed_authorize(pair: tuple[SandboxPlatform, SandboxPlatform], judge: Judge) -> None:
    """What is passed on asks for its receiver, and looks at the answer."""
    pair[1].answer("POST", says(info()))
    for _ in range(WARMED_UP):
        authorize(pair[0])

    judge("relayed authorize", of(lambda: authorize(pair[0])), AUTHORIZE)


def test_a_post_of_credentials(cast: Cast, judge: Judge) -> None:
    """A registration calls back for versions and details, and stores what they say."""
    for name in ("P1", "P2", "P5"):
        post_credentials(cast, name)

    judge("POST of credentials", of(lambda: post_credentials(cast, "P3")), CREDENTIALS)
