"""When a ping is sent, and what its answer still means when it comes."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone

from parties import connection_health
from parties.connection_status import ConnectionStatus
from parties.models import Credentials, Platform
from parties.still_alive import ping_idle
from sandbox import misbehaviour
from sandbox.platform import SandboxPlatform
from sandbox.server import Call
from tests.parties.silence import be_silent, forget_pings, row
from tests.parties.wire import Wire


def within(seconds: float) -> datetime:
    """Return a moment so many seconds from now."""
    return timezone.now() + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "trouble",
    [{"unreachable": 1}, {"status": ConnectionStatus.OFFLINE.value}, {"doubted": True}],
    ids=["failed", "offline", "doubted"],
)
def test_one_ping_at_a_time(
    silent: SandboxPlatform, settings: LazySettings, trouble: dict[str, object]
) -> None:
    """While one may be under way no other is sent, whatever is known of the platform."""
    settings.HUB_REQUEST_TIMEOUT = 10
    forget_pings(seconds=10)
    if trouble.pop("doubted", False):
        connection_health.doubt(row().pk)
    Platform.objects.update(**trouble)

    assert ping_idle() == 0
    forget_pings(seconds=13)
    if not trouble:
        connection_health.doubt(row().pk)
    assert ping_idle() == 1


@pytest.mark.conformance("HCI-10")
def test_a_busy_platform_is_not_asked_however_short_the_idle_time(
    silent: SandboxPlatform, wire: Wire, settings: LazySettings
) -> None:
    """With seconds of idle time, that it was seen is written down within half of them."""
    settings.HUB_IDLE_SECONDS = 4
    be_silent(seconds=3)

    assert wire.get(token=silent.hub.token).status_code == 200

    assert Platform.objects.filter(last_seen_at__gt=within(-1)).exists()


def replaced(respond: Callable[[Call], None]) -> Callable[[Call], None]:
    """Have the platform's token replaced while its answer to the former one is under way."""

    def run(call: Call) -> None:
        Credentials.objects.keep(row(), "a-token-of-today")
        connection.close()
        respond(call)

    return run


def in_exchange(respond: Callable[[Call], None]) -> Callable[[Call], None]:
    """Have a credentials exchange begin meanwhile."""

    def run(call: Call) -> None:
        Platform.objects.update(handshake_until=within(60))
        connection.close()
        respond(call)

    return run


@pytest.mark.parametrize("meanwhile", [replaced, in_exchange])
def test_a_former_token_that_is_refused_proves_nothing(
    silent: SandboxPlatform,
    caplog: pytest.LogCaptureFixture,
    meanwhile: Callable[[Callable[[Call], None]], Callable[[Call], None]],
) -> None:
    """A 401 to a token that was replaced meanwhile is no alarm: the next ping finds out."""
    silent.answer("GET", meanwhile(misbehaviour.detail(401)))

    ping_idle()

    assert (row().status, row().alarm) == (ConnectionStatus.CONNECTED, "")
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    Platform.objects.update(handshake_until=None)
    forget_pings()
    assert ping_idle() == 1


def test_nobody_is_pinged_in_the_middle_of_a_handshake(silent: SandboxPlatform) -> None:
    """Which token is good there, nobody knows: the ping comes when the exchange is over."""
    Platform.objects.update(handshake_until=within(60))
    assert ping_idle() == 0
    Platform.objects.update(handshake_until=within(-1))
    assert ping_idle() == 1


@pytest.mark.parametrize("answers", ["call", "answer"])
def test_a_pause_that_was_asked_for_outlasts_a_call(
    silent: SandboxPlatform, wire: Wire, answers: str
) -> None:
    """429 with Retry-After: the platform's own next call does not end it, nor an answer."""
    connection_health.failed(row().pk, "HTTP 500", answered=True)
    connection_health.failed(row().pk, "HTTP 429", answered=True, retry_after=200)
    pause = row().next_attempt_at

    if answers == "call":
        wire.get(token=silent.hub.token)
    else:
        connection_health.answered(row().pk, delivered=True)

    assert pause is not None
    assert pause > within(195)
    assert row().next_attempt_at == pause


def test_what_fails_meanwhile_does_not_shorten_that_pause(silent: SandboxPlatform) -> None:
    """Messages that were under way when the 429 came may fail in other ways."""
    connection_health.throttled(row().pk, 200)
    pause = row().next_attempt_at
    connection_health.failed(row().pk, "HTTP 500", answered=True)

    assert (row().failures, row().next_attempt_at) == (0, pause)


@pytest.mark.parametrize("has_envelope", [True, False])
def test_a_ping_that_is_throttled_is_no_silence(
    silent: SandboxPlatform, *, has_envelope: bool
) -> None:
    """A gateway's 429 says that somebody is there: nobody is OFFLINE, and it is left alone."""
    body = b'{"status_code":2000,"timestamp":"2026-01-01T00:00:00Z"}' if has_envelope else b""
    silent.answer("GET", misbehaviour.say(429, body, headers={"Retry-After": "200"}))
    for _ in range(3):
        be_silent()
        assert ping_idle() == 1
        forget_pings()

    assert (row().status, row().unreachable) == (ConnectionStatus.CONNECTED, 0)
    assert Platform.objects.filter(next_attempt_at__gt=within(190)).exists()
    assert ping_idle() == 0
