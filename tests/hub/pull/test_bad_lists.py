"""Lists that are none: each ends with a sentence for the operator, and is left alone a while."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from hub.models import PullState
from hub.pull import leases
from sandbox import SandboxPlatform
from sandbox.misbehaviour import (
    broken_json,
    detail,
    hang,
    html,
    huge,
    refuse,
    reply,
    reset,
    say,
    truncated,
    unauthorized,
)
from sandbox.server import Responder
from tests.cast import CPA, CPB, Cast, a_location
from tests.hub.pull.workers import asked, offer, read, read_all, state

TINY = f'{{"status_code":1000,"data":[{"{}," * 100_000}{{}}]}}'.encode()
BAD: list[Any] = [
    (html(200), "no OCPI envelope (text/html): Something went wrong"),
    (html(502), "failed with HTTP 502"),
    (broken_json(), "no OCPI envelope (application/json)"),
    (reply({"id": "L1"}), '`data` is not a list of objects; it begins with: {"id"'),
    (reply("none"), "`data` is not a list"),
    (detail(404, "Not Found"), "HTTP 404 with no OCPI envelope"),
    (refuse(3000, "no database"), "status 3000: no database"),
    (unauthorized(), "refuses the hub's credentials (HTTP 401)"),
    (detail(403), "refuses the hub's credentials (HTTP 403)"),
    (huge(30_000_000), "page_limit"),
    pytest.param(
        say(200, TINY),
        "the page has more than 100,000 objects",
        marks=pytest.mark.security("S-04"),
    ),
    (hang(10), "did not answer in time"),
    (reset(), "no connection"),
    (truncated(), "broke off"),
]


@pytest.fixture
def cpo(cast: Cast) -> SandboxPlatform:
    """P1 with a location."""
    platform = cast["P1"]
    offer(platform, "locations", a_location(CPA, 1))
    return platform


@pytest.mark.parametrize("responder,sentence", BAD)
def test_what_is_no_list_is_told_and_backed_off(
    cpo: SandboxPlatform, responder: Responder, sentence: str
) -> None:
    """Nothing is stored; the next attempt is a minute or so away; then it heals."""
    with cpo.answer("GET /sender/locations", responder):
        failed = read()

    assert sentence in failed.last_error
    assert (failed.seen, failed.failures) == (0, 1)
    wait = failed.due_at - timezone.now()
    assert timedelta(seconds=40) < wait < timedelta(seconds=80)
    done = read()
    assert (done.stored, done.failures, done.last_error) == (1, 0, "")


def test_back_off_grows_and_has_an_end() -> None:
    """A minute, two, four, up to six hours and their jitter; as long as the platform asks."""
    pauses = [leases.backoff(failures, None).total_seconds() for failures in (1, 2, 5, 50)]
    assert pauses == sorted(pauses)
    assert 54 <= pauses[0] <= 66
    assert pauses[-1] <= 6.6 * 3600
    assert leases.backoff(1, 7200).total_seconds() == 7200
    assert leases.backoff(1, 1e9) <= timedelta(days=1)


def test_a_platform_that_throttles_is_left_alone(cpo: SandboxPlatform) -> None:
    """Retry-After holds for all its lists, and for whatever else would be sent."""
    throttle = say(429, b"", headers={"Retry-After": "900"})
    with cpo.answer("GET /sender/locations", throttle):
        failed = read()

    least = timezone.now() + timedelta(seconds=890)
    assert "left alone for 900 s" in failed.last_error
    assert failed.due_at > least
    assert state("locations", CPB).due_at > least
    assert failed.party.platform.next_attempt_at is not None
    assert failed.party.platform.next_attempt_at > least
    cpo.forget()
    assert read_all() == 0
    assert asked(cpo) == []


@pytest.mark.parametrize("responder", [hang(10), detail(403)])
def test_what_is_wrong_with_one_list_keeps_no_other_waiting(
    cpo: SandboxPlatform, responder: Responder
) -> None:
    """One that is slow, or forbidden, says nothing about its siblings."""
    read_all()
    before = state("tariffs").due_at
    PullState.objects.update(failures=4)

    with cpo.answer("GET /sender/locations", responder):
        failed = read()

    assert failed.due_at > timezone.now() + timedelta(minutes=10)
    PullState.objects.filter(module="tariffs").update(due_at=timezone.now())
    before = state("tariffs").due_at
    with cpo.answer("GET /sender/locations", responder):
        read()
    assert state("tariffs").due_at == before
