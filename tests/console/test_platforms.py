"""The page of a platform: how it stands in all its parts, and what may be done about it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from hub.models import Exchange
from operators.groups import Role
from operators.models import Change
from parties import tokens
from parties.connection_status import ConnectionStatus
from parties.models import Credentials, Platform
from tests.factories import CredentialsFactory, PlatformFactory
from tests.operators.staff import console, person
from tests.parties.commands import fails, run, run_json

pytestmark = pytest.mark.django_db


def page_of(platform: Platform, page: str = "change") -> str:
    """Return the address of a platform's page or of an action."""
    return reverse(f"admin:parties_platform_{page}", args=[platform.pk])


def text(client: Client, url: str) -> str:
    """Open a page that must open."""
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


def exchanged(platform: str, number: int) -> None:
    """Write messages of a platform into the log."""
    texts = ("sender", "receiver", "version", "interface", "endpoint", "object_key", "route")
    words = ("status_message", "request_body", "response_body")
    plain = dict.fromkeys((*texts, *words), "")
    Exchange.objects.bulk_create(
        Exchange(
            **plain,
            at=timezone.now() - timedelta(minutes=place),
            direction="in",
            platform=platform,
            module="locations",
            method="PUT",
            path=f"path-{place}",
            http_status=200,
            status_code=1000,
            milliseconds=1.5,
            request_id=f"r{place}",
            correlation_id=f"journey-{place}",
        )
        for place in range(number)
    )


def test_the_last_twenty_messages_lead_to_their_journeys(admin_client: Client) -> None:
    """The newest of this platform alone."""
    platform = PlatformFactory.create(name="P1")
    exchanged("P1", 22)
    exchanged("P2", 1)
    html = text(admin_client, page_of(platform))
    shown = [place for place in range(22) if f"locations/path-{place}<" in html]
    assert shown == list(range(20))
    assert "timeline?correlation_id=journey-0" in html.replace("timeline/", "timeline")


def test_messages_are_for_whom_may_see_messages() -> None:
    """Who sees platforms and no messages does not see a platform's."""
    platform = PlatformFactory.create(name="P1")
    exchanged("P1", 1)
    user = person("paul")
    user.user_permissions.add(Permission.objects.get(codename="view_platform"))
    assert "path-0" not in text(console(user), page_of(platform))
    assert "path-0" not in text(console(user), page_of(platform, "onboarding"))


@pytest.mark.parametrize(
    "fields,words",
    [
        ({}, "closed"),
        ({"unanswered": 3}, "3 messages in a row without an answer; 5 open it"),
        ({"circuit_until": timedelta(seconds=9)}, "messages for it are refused at once (4003)"),
    ],
)
def test_the_circuit_is_shown(admin_client: Client, fields: dict[str, Any], words: str) -> None:
    """Whether relayed messages reach it, and how near the circuit is to opening."""
    until = fields.pop("circuit_until", None)
    platform = PlatformFactory.create(
        **fields, circuit_until=timezone.now() + until if until else None
    )
    html = text(admin_client, page_of(platform))
    assert "Circuit of relayed messages" in html
    assert words in html


def spared() -> Platform:
    """Return a platform in a pause, its circuit open."""
    soon = timezone.now() + timedelta(minutes=5)
    made: Platform = PlatformFactory.create(
        name="P1", failures=3, next_attempt_at=soon, unanswered=5, circuit_until=soon
    )
    return made


def test_trying_again_ends_the_pause_and_closes_the_circuit(admin_client: Client) -> None:
    """The next ping is due at once; of a platform that is well it is not offered."""
    platform = spared()
    assert page_of(platform, "retry") in text(admin_client, page_of(platform))
    admin_client.post(page_of(platform, "retry"))
    platform.refresh_from_db()
    assert (platform.failures, platform.next_attempt_at, platform.circuit_until) == (0, None, None)
    assert platform.doubted_at is not None
    assert Change.objects.get().action == "tries again"
    assert page_of(platform, "retry") not in text(admin_client, page_of(platform))


def test_retry_platform_does_the_same() -> None:
    """By command."""
    spared()
    assert run_json("retry_platform", "P1")["failures"] == 0
    assert "is asked within seconds" in run("retry_platform", "P1")


@pytest.fixture
def rotated() -> Platform:
    """A platform whose former token is still good, and that never used a token A."""
    platform: Platform = PlatformFactory.create(name="P1")
    for kind, ending in (("C", "0001"), ("C", "0002"), ("A", "000a")):
        CredentialsFactory.create(platform=platform, kind=kind, token=f"token-of-a-test-{ending}")
    return platform


def in_force(platform: Platform) -> list[str]:
    """Return the last four of what opens a door."""
    found = Credentials.objects.inbound(platform).order_by("pk")
    return list(found.values_list("last_four", flat=True))


def test_revoking_leaves_the_token_in_force(admin_client: Client, rotated: Platform) -> None:
    """What was replaced and what was never used ends; it is asked for, and audited."""
    assert "Revoke tokens" in text(admin_client, page_of(rotated, "revoke"))
    assert in_force(rotated) == ["0001", "0002", "000a"]
    admin_client.post(page_of(rotated, "revoke"))
    assert in_force(rotated) == [tokens.last_four("token-of-a-test-0002")]
    change = Change.objects.get(action="revoked tokens")
    assert change.after == {"tokens": ["token C IN …0002"]}
    assert page_of(rotated, "revoke") not in text(admin_client, page_of(rotated))


def test_revoke_credentials_does_the_same(rotated: Platform) -> None:
    """By command; a second time there is nothing left."""
    assert run_json("revoke_credentials", "P1") == {"name": "P1", "revoked": ["0001", "000a"]}
    assert run("revoke_credentials", "P1") == "P1: revoked nothing.\n"
    assert in_force(rotated) == ["0002"]


def test_suspended_and_resumed_by_command(rotated: Platform) -> None:
    """Suspending asks for a confirmation; resuming hands out a token A with its letter."""
    assert "--yes" in fails("suspend_platform", "P1")
    assert run_json("suspend_platform", "P1", "--yes")["status"] == "SUSPENDED"
    assert in_force(rotated) == []
    answer = run_json("resume_platform", "P1")
    assert answer["token_a"] in answer["instructions"]
    rotated.refresh_from_db()
    assert rotated.status == ConnectionStatus.PLANNED
    assert "is PLANNED, not SUSPENDED" in fails("resume_platform", "P1")


def test_platforms_tells_tokens_by_their_last_four(rotated: Platform) -> None:
    """Kind, direction, form and age of what is in force; and until when the circuit is open."""
    [shown_platform] = run_json("platforms")
    assert [token["last_four"] for token in shown_platform["credentials"]] == [
        "000a",
        "0002",
        "0001",
    ]
    assert shown_platform["circuit_until"] is None


@pytest.mark.parametrize("action", ["retry", "revoke", "resume"])
def test_actions_are_the_operators(rotated: Platform, action: str) -> None:
    """Support sees the page, without the action."""
    Platform.objects.update(failures=1)
    sam = console(person("sam", Role.SUPPORT))
    assert page_of(rotated, action) not in text(sam, page_of(rotated))
    assert sam.post(page_of(rotated, action)).status_code == 403
    assert len(in_force(rotated)) == 3


def test_a_page_with_everything_asks_few_queries(
    admin_client: Client,
    rotated: Platform,
    django_assert_max_num_queries: Callable[..., Any],
) -> None:
    """Its last messages and its tokens cost no query each."""
    exchanged("P1", 20)
    with django_assert_max_num_queries(20):
        text(admin_client, page_of(rotated))
