"""Whether a silent platform is still there, and what follows when it is not."""

import logging
import time
from collections.abc import Callable

import pytest
from django.conf import LazySettings
from django.dispatch import receiver
from django.utils import timezone

from ocpi.transport.authorization import header
from parties import connection_health
from parties.connection_status import ConnectionStatus
from parties.models import Platform
from parties.operations import describe
from parties.outbound_auth import peer_of
from parties.signals import platform_returned
from parties.still_alive import ping_idle
from sandbox import misbehaviour
from sandbox.platform import SandboxPlatform
from tests.parties.conftest import Start
from tests.parties.silence import be_silent, retry_now, row
from tests.parties.wire import Wire, invited

ROUTING = ("OCPI-to-party-id", "OCPI-from-party-id", "OCPI-to-country-code")


@pytest.mark.conformance("HCI-09")
def test_a_silent_platform_is_asked_for_its_versions(silent: SandboxPlatform) -> None:
    """After five idle minutes GET of its versions URL, with our token and no routing headers."""
    token = peer_of(row().pk).token

    assert ping_idle() == 1

    [seen] = silent.seen
    assert str(seen) == "GET /ocpi/versions"
    assert seen.headers["Authorization"] == header(token)
    assert seen.headers["X-Request-ID"]
    assert seen.headers["X-Correlation-ID"]
    assert not [name for name in ROUTING if name in seen.headers]
    assert not connection_health.is_unseen(row().last_seen_at)
    assert ping_idle() == 0


@pytest.mark.conformance("HCI-10")
def test_a_busy_platform_is_not_asked(silent: SandboxPlatform, wire: Wire) -> None:
    """Any authenticated call shows that it is there, also one to a Configuration Module."""
    assert wire.get(token=silent.hub.token).status_code == 200

    assert ping_idle() == 0
    assert silent.seen == []


def test_the_idle_time_is_a_setting(silent: SandboxPlatform, settings: LazySettings) -> None:
    """HUB_IDLE_SECONDS says how long a platform may be silent."""
    settings.HUB_IDLE_SECONDS = 400
    assert ping_idle() == 0
    settings.HUB_IDLE_SECONDS = 100
    assert ping_idle() == 1


@pytest.mark.conformance("HCI-05")
def test_two_pings_in_vain_are_offline(silent: SandboxPlatform) -> None:
    """One failure is an incident; the second one in a row, after a pause, is OFFLINE."""
    silent.stop()

    ping_idle()
    assert (row().status, row().unreachable) == (ConnectionStatus.CONNECTED, 1)
    assert "not connected" in row().last_error
    assert ping_idle() == 0

    retry_now()
    ping_idle()
    assert row().status == ConnectionStatus.OFFLINE


@pytest.mark.conformance("HCI-04")
@pytest.mark.parametrize("calling", [True, False], ids=["call", "ping"])
def test_it_returns_with_its_next_call_or_answer(
    silent: SandboxPlatform, wire: Wire, *, calling: bool
) -> None:
    """OFFLINE becomes CONNECTED, no back-off remains, and the rest of the hub hears of it."""
    silent.stop()
    for _ in range(2):
        ping_idle()
        retry_now()
    assert row().status == ConnectionStatus.OFFLINE
    silent.start()
    heard = []

    @receiver(platform_returned)
    def _hear(platform_id: int, **_: object) -> None:
        heard.append(platform_id)

    if calling:
        wire.get(token=silent.hub.token)
    else:
        ping_idle()

    assert (row().status, row().failures) == (ConnectionStatus.CONNECTED, 0)
    assert (row().unreachable, row().next_attempt_at) == (0, None)
    assert heard == [row().pk]


@pytest.mark.conformance("HCI-19")
@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_is_offline_with_an_alarm(
    silent: SandboxPlatform, wire: Wire, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    """Broken credentials: OFFLINE at once, an alarm operators see, and an ERROR in the log."""
    rule = silent.answer("GET", misbehaviour.detail(status))

    ping_idle()

    assert row().status == ConnectionStatus.OFFLINE
    assert f"HTTP {status}" in row().alarm
    assert f"HTTP {status}" in describe(row())["alarm"]
    [alarm] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "P1: it refuses the hub's token" in alarm.getMessage()
    # Its own calls prove nothing about our token; the next answer to it does.
    assert wire.get(token=silent.hub.token).status_code == 200
    assert row().status == ConnectionStatus.OFFLINE
    rule.cancel()
    retry_now()
    ping_idle()
    assert (row().status, row().alarm) == (ConnectionStatus.CONNECTED, "")


def test_new_credentials_end_the_alarm(silent: SandboxPlatform) -> None:
    """A platform that exchanges credentials anew is connected, and nobody has to mend anything."""
    connection_health.refused(row().pk, "it refuses the hub's token")

    silent.rotate()

    assert (row().status, row().alarm) == (ConnectionStatus.CONNECTED, "")


def test_a_message_that_is_refused_has_the_platform_asked(silent: SandboxPlatform) -> None:
    """A 401 or 403 to one message may be about that message: the ping decides, at once."""
    Platform.objects.update(last_seen_at=timezone.now())
    assert ping_idle() == 0
    connection_health.doubt(row().pk)

    assert ping_idle() == 1
    assert row().status == ConnectionStatus.CONNECTED
    assert ping_idle() == 0


@pytest.mark.parametrize(
    "responder,alive",
    [
        (misbehaviour.refuse(3000), True),
        (misbehaviour.refuse(2001, http_status=404), True),
        (misbehaviour.html(502), False),
        (misbehaviour.detail(404), False),
        (misbehaviour.broken_json(), False),
        (misbehaviour.reset(), False),
        (misbehaviour.redirect("http://127.0.0.1:9/"), False),
    ],
    ids=["3000", "envelope with 404", "502", "404", "broken", "reset", "redirect"],
)
def test_any_envelope_is_life(
    silent: SandboxPlatform, responder: Callable[..., None], *, alive: bool
) -> None:
    """What it says does not matter, that it is OCPI does (A-117)."""
    silent.answer("GET", responder)

    ping_idle()

    assert (row().unreachable == 0) is alive


def test_one_that_hangs_delays_nobody(silent: SandboxPlatform, wire: Wire, start: Start) -> None:
    """All are pinged at once, and each answer is noted when it comes."""
    silent.hold(30, "GET")
    for number, party in enumerate(("MSA", "MSB", "MSC"), start=2):
        other = start(f"EMSP:DE:{party}")
        token = invited(f"EMSP:DE:{party}", name=f"P{number}").token
        other.register_with(wire.versions_url, token)
    be_silent()
    began = time.monotonic()

    assert ping_idle() == 4

    assert time.monotonic() - began < 5
    answered = {each.name for each in Platform.objects.all() if not each.unreachable}
    assert answered == {"P2", "P3", "P4"}


def test_a_platform_that_fails_on_messages_keeps_its_back_off(silent: SandboxPlatform) -> None:
    """A ping that is answered does not end the pause of messages that are answered with 500."""
    connection_health.failed(row().pk, "HTTP 500", answered=True)
    pause = row().next_attempt_at
    be_silent()
    Platform.objects.update(next_attempt_at=pause)
    connection_health.answered(row().pk)

    assert (row().failures, row().next_attempt_at) == (1, pause)


def test_failures_of_one_moment_are_one_incident(silent: SandboxPlatform) -> None:
    """Many messages that find nobody at the same time count as one attempt."""
    for _ in range(5):
        connection_health.failed(row().pk, "The receiver is not connected")

    assert (row().failures, row().status) == (1, ConnectionStatus.CONNECTED)


def test_an_unregistered_platform_is_left_in_peace(silent: SandboxPlatform, wire: Wire) -> None:
    """After DELETE of its credentials nothing is sent to a platform (CRED-22)."""
    silent.unregister()
    be_silent()
    silent.forget()

    assert ping_idle() == 0
    assert silent.seen == []
