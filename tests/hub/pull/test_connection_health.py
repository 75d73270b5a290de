"""What reading a platform's lists says of its connection."""

from datetime import timedelta

import pytest
from django.utils import timezone

from parties import connection_health
from parties.connection_status import ConnectionStatus
from parties.models import Platform
from parties.still_alive import ping_idle
from sandbox import SandboxPlatform, misbehaviour
from sandbox.server import Responder
from tests.hub.pull.workers import read

Pair = tuple[SandboxPlatform, SandboxPlatform]


def row() -> Platform:
    """Return P1 as the hub knows it now."""
    return Platform.objects.get(name="P1")


@pytest.mark.conformance("HCI-19")
def test_a_list_that_refuses_our_token_ends_in_an_alarm(pair: Pair) -> None:
    """A platform that is only read and goes on calling is pinged for it: OFFLINE with an alarm."""
    cpo, _ = pair
    cpo.answer("GET", misbehaviour.detail(401))

    read()

    assert ping_idle() == 1
    assert row().status == ConnectionStatus.OFFLINE
    assert "HTTP 401" in row().alarm


@pytest.mark.parametrize(
    "responder,doubted",
    [(misbehaviour.reset(), True), (misbehaviour.html(500), False)],
    ids=["no answer", "500"],
)
def test_a_list_nobody_serves_has_the_platform_asked(
    pair: Pair, responder: Responder, *, doubted: bool
) -> None:
    """No answer is a doubt; a list that fails is not."""
    cpo, _ = pair
    with cpo.answer("GET", responder):
        read()

    assert (ping_idle() == 1) is doubted


def test_a_page_is_a_sign_of_life(pair: Pair) -> None:
    """A platform that is read is not idle."""
    Platform.objects.update(last_seen_at=timezone.now() - timedelta(minutes=6))

    read()

    assert not connection_health.is_unseen(row().last_seen_at)
