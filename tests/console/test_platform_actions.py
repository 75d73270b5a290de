"""Operations on a connection: offered where they are legal, done by POST, reported in words."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from console.platform_actions import ACTIONS
from parties.connection_status import ConnectionStatus
from parties.models import Credentials, Platform
from sandbox.platform import SandboxPlatform
from tests.cast import Cast
from tests.factories import CredentialsFactory, PlatformFactory

pytestmark = pytest.mark.django_db


def page_of(platform: Platform, action: str = "change") -> str:
    """Return the address of a platform's page or of an action."""
    return reverse(f"admin:parties_platform_{action}", args=[platform.pk])


@pytest.mark.parametrize(
    "status,offered",
    [
        (ConnectionStatus.PLANNED, {"invite", "suspend"}),
        (ConnectionStatus.CONNECTED, {"rotate", "reset", "suspend"}),
        (ConnectionStatus.OFFLINE, {"rotate", "reset", "suspend"}),
        (ConnectionStatus.SUSPENDED, {"resume"}),
    ],
)
def test_only_legal_deeds_are_offered_and_done(
    admin_client: Client, status: ConnectionStatus, offered: set[str]
) -> None:
    """A platform's page offers what its status allows; the address of anything else is idle."""
    platform = PlatformFactory.create(status=status)
    html = admin_client.get(page_of(platform)).content.decode()
    actions = set(ACTIONS)
    assert {
        action for action in actions if f'href="{page_of(platform, action)}"' in html
    } == offered
    for action in actions - offered:
        assert admin_client.post(page_of(platform, action)).status_code == 302
    for action in offered:
        assert admin_client.get(page_of(platform, action)).status_code == 200
    platform.refresh_from_db()
    assert platform.status == status
    assert not Credentials.objects.exists()


def test_suspending_ends_the_registration(admin_client: Client) -> None:
    """A suspended platform has no token in force; only POST suspends."""
    platform = PlatformFactory.create()
    CredentialsFactory.create(platform=platform)
    admin_client.post(page_of(platform, "suspend"))
    platform.refresh_from_db()
    assert platform.status == ConnectionStatus.SUSPENDED
    assert not Credentials.objects.inbound(platform).exists()


@pytest.mark.parametrize(
    "action,status", [("resume", ConnectionStatus.SUSPENDED), ("reset", ConnectionStatus.CONNECTED)]
)
def test_token_a_is_shown_once(admin_client: Client, action: str, status: ConnectionStatus) -> None:
    """The answer to the POST alone has token A, and no cache keeps it."""
    platform = PlatformFactory.create(status=status)
    answer: Any = admin_client.post(page_of(platform, action))
    token = answer.context["token"]
    platform.refresh_from_db()
    assert platform.status == ConnectionStatus.PLANNED
    assert token in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    assert token not in admin_client.get(page_of(platform)).content.decode()
    assert Credentials.objects.inbound(platform).get().kind == "A"


@pytest.fixture
def driver(cast: Cast) -> SandboxPlatform:
    """The registered platform of DE-MSA."""
    return cast["P2"]


def test_rotation_renews_the_tokens_at_the_platform(
    driver: SandboxPlatform, admin_client: Client
) -> None:
    """The hub calls the platform from the console, and says so when it has answered."""
    platform = Platform.objects.get()
    before = Credentials.objects.outbound(platform).get().token
    answer = admin_client.post(page_of(platform, "rotate"), follow=True)
    assert "has new tokens in both directions" in answer.content.decode()
    assert Credentials.objects.outbound(platform).get().token != before


def test_a_failed_rotation_is_a_message(driver: SandboxPlatform, admin_client: Client) -> None:
    """A platform that does not answer leaves everything as it was, and the page says why."""
    driver.stop()
    platform = Platform.objects.get()
    answer = admin_client.post(page_of(platform, "rotate"), follow=True)
    assert "Rotate credentials failed" in answer.content.decode()
    assert Credentials.objects.inbound(platform).count() == 1
