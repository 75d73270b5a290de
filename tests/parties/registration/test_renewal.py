"""Tokens that are renewed without anybody asking, and a new URL of the hub that everybody hears."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.utils import timezone

from parties.models import Credentials, Platform
from parties.outbound_auth import peer_of
from parties.registration import renewal
from sandbox import misbehaviour
from sandbox.platform import SandboxPlatform
from tests.cast import command
from tests.parties.wire import Wire, code


def grow_old(days: float) -> None:
    """Let all tokens be older."""
    Credentials.objects.update(valid_from=timezone.now() - timedelta(days=days))


def switch_renewal_on() -> Platform:
    """Switch renewal on for P1."""
    platform = Platform.objects.get()
    platform.quirks = platform.quirks.with_settings(["renew=on"])
    platform.save()
    return platform


@pytest.mark.conformance("CRED-33")
def test_tokens_are_renewed_monthly_where_switched_on(
    wire: Wire, registered: SandboxPlatform
) -> None:
    """Off by default; with the quirk both tokens are new before they are a month old."""
    grow_old(30)
    assert renewal.due() == []
    platform = switch_renewal_on()
    former = peer_of(platform.pk).token
    assert renewal.due() == [platform.pk]

    renewal.renew(platform.pk)

    assert peer_of(platform.pk).token != former
    assert code(wire.get(token=registered.hub.token)) == (200, 1000)
    assert renewal.due() == []


def test_young_tokens_are_left_alone(registered: SandboxPlatform, settings: LazySettings) -> None:
    """HUB_RENEWAL_DAYS is the age that counts, up to a fifth of it earlier."""
    switch_renewal_on()
    grow_old(10)
    assert renewal.due() == []
    settings.HUB_RENEWAL_DAYS = 10
    assert len(renewal.due()) == 1


def test_a_renewal_that_fails_is_tried_again_after_a_day(registered: SandboxPlatform) -> None:
    """No storm of attempts, and the present tokens stay good."""
    platform = switch_renewal_on()
    grow_old(31)
    with registered.answer("PUT", misbehaviour.html(500)):
        renewal.renew(platform.pk)
    assert renewal.due() == []
    Platform.objects.update(renewal_tried_at=timezone.now() - timedelta(hours=25))
    assert renewal.due() == [platform.pk]


@pytest.mark.conformance("CRED-34")
def test_a_new_public_url_is_announced_to_every_peer(
    registered: SandboxPlatform, settings: LazySettings
) -> None:
    """PUT of credentials with the new versions URL, once for each platform."""
    assert command("announce_url") == []
    registered.forget()
    settings.HUB_PUBLIC_URL = settings.HUB_PUBLIC_URL.replace("127.0.0.1", "localhost")

    assert command("announce_url") == [{"platform": "P1", "error": ""}]

    [put] = [seen for seen in registered.seen if seen.method == "PUT"]
    assert json.loads(put.body)["url"] == f"{settings.HUB_PUBLIC_URL}/ocpi/versions"
    assert command("announce_url") == []


def test_a_token_no_key_opens_stops_nobody(registered: SandboxPlatform) -> None:
    """Announcing and renewing say so of that platform, and go on."""
    platform = switch_renewal_on()
    grow_old(31)
    Credentials.objects.outbound(platform).update(sealed="sealed by a key that is gone")

    out = StringIO()
    with pytest.raises(SystemExit, match="1"):
        call_command("announce_url", "--all", "--json", stdout=out)
    [announced] = json.loads(out.getvalue())
    renewal.renew(platform.pk)

    assert "CREDENTIALS_KEYS" in announced["error"]


def test_quirks_of_a_registered_platform_are_changed(registered: SandboxPlatform) -> None:
    """By command as in the console, without touching its registration."""
    assert command("quirks", "P1", "renew=on")["renew"] is True
    assert command("quirks", "P1")["renew"] is True
    assert Platform.objects.get().is_registered
