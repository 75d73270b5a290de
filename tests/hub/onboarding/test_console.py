"""Onboarding in the console: from a name to CONNECTED, either side starting."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from hub.models import PullState
from hub.pull import schedule
from operators.groups import Role
from operators.models import Change
from parties.connection_status import ConnectionStatus
from parties.models import Credentials, Platform
from parties.quirks import Quirks
from sandbox import SandboxPlatform
from tests.cast import Cast
from tests.console.test_parties import platform_form
from tests.factories import PlatformFactory
from tests.hub.message_log.conftest import Logged
from tests.operators.staff import console, person

pytestmark = pytest.mark.django_db
ADD = "/admin/parties/platform/add/"
PARTIES = [("CPO", "NL", "CPA"), ("CPO", "NL", "CPB")]


def page_of(platform: Platform, page: str = "onboarding") -> str:
    """Return the address of the second page, or of another."""
    return reverse(f"admin:parties_platform_{page}", args=[platform.pk])


def text(answer: Any) -> str:
    """Return a page that opened."""
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.fixture
def olga(logged: Logged) -> Client:
    """Sit an operator down at the console."""
    return console(person("olga", Role.OPERATOR))


def begin(client: Client, starts: str, **fields: Any) -> Any:
    """Fill in the first page."""
    return client.post(ADD, platform_form(None, new=PARTIES, starts=starts, **fields))


def test_the_wizard_leads_from_a_name_to_connected(
    olga: Client, cast: Cast, logged: Logged
) -> None:
    """Name, parties, quirks; token A once; the checklist until the platform is registered."""
    answer = begin(olga, "platform", quirk_page_limit=20)
    html, token = text(answer), answer.context["token"]
    assert html.count(token) >= 2
    assert "curl -X POST -H &#x27;Authorization: Token " in html
    assert "no-store" in answer.headers["Cache-Control"]
    platform = Platform.objects.get()
    assert platform.quirks == Quirks(page_limit=20)
    assert token not in text(olga.get(page_of(platform)))
    cast.start("P1").register_with(cast.versions_url, token)
    logged()
    html = text(olga.get(page_of(platform), {"part": "checklist"}))
    assert html.count("hub-step-done") == 9
    assert "POST" in html
    assert token not in html


def test_what_was_done_is_in_the_audit(olga: Client) -> None:
    """Who added the platform, and that it was invited, without the token."""
    token = begin(olga, "platform").context["token"]
    actions = Change.objects.filter(who="olga").values_list("action", flat=True)
    assert {"created", "invited"} <= set(actions)
    assert not [row for row in Change.objects.all() if token in str(vars(row))]


@pytest.fixture
def theirs(cast: Cast) -> SandboxPlatform:
    """A platform that waits for the hub."""
    return cast.start("P1")


def test_the_hub_starts_from_the_same_place(
    olga: Client, theirs: SandboxPlatform, logged: Logged
) -> None:
    """A wrong token fails with the form still filled; the right one connects."""
    answer = begin(olga, "hub")
    platform = Platform.objects.get()
    assert answer.headers["Location"] == f"{page_of(platform)}?starts=hub"
    assert "Its versions URL" in text(olga.get(answer.headers["Location"]))
    given = {"versions_url": theirs.url, "token_a": "wrong-token"}
    html = text(olga.post(page_of(platform), given))
    assert "The handshake failed" in html
    assert 'value="wrong-token"' in html
    logged()
    assert "hub-step-wrong" in text(olga.get(page_of(platform), {"starts": "hub"}))
    answer = olga.post(page_of(platform), {**given, "token_a": theirs.invite()})
    assert answer.headers["Location"] == page_of(platform)
    platform.refresh_from_db()
    assert platform.status == ConnectionStatus.CONNECTED
    assert Change.objects.filter(who="olga", action="registered with").exists()


def test_a_name_that_commands_could_not_write_is_refused(olga: Client) -> None:
    """A control character in a name is shown at its field."""
    answer = begin(olga, "platform", name="P\x071")
    assert "printable characters" in text(answer)
    assert not Platform.objects.exists()


def test_one_click_issues_another_token(olga: Client) -> None:
    """The button of the first step is sent to the action, which shows the new token."""
    first = begin(olga, "platform").context["token"]
    platform = Platform.objects.get()
    html = text(olga.get(page_of(platform)))
    assert f'form="retry" formaction="{page_of(platform, "invite")}"' in html
    answer = olga.post(page_of(platform, "invite"))
    assert answer.context["token"] != first
    assert Credentials.objects.inbound(platform).count() == 1


def test_one_click_reads_the_lists(
    admin_client: Client, cast: Cast, logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may have lists read does so from the step of the first pull."""
    cast["P1"]
    schedule.reconcile()
    PullState.objects.update(failures=1, last_error="HTTP 500", full_requested=False)
    monkeypatch.setattr("hub.tasks.pull.start_pulls.delay_on_commit", lambda: None)
    platform = Platform.objects.get()
    assert 'name="pull"' in text(admin_client.get(page_of(platform)))
    assert admin_client.post(page_of(platform), {"pull": "1"}).status_code == 302
    assert not PullState.objects.filter(full_requested=False).exists()


def test_a_viewer_watches_and_starts_nothing(logged: Logged) -> None:
    """The checklist is there to be seen; forms and buttons are not, and a POST is refused."""
    platform = PlatformFactory.create(planned=True)
    vera = console(person("vera", Role.VIEWER))
    html = text(vera.get(page_of(platform), {"starts": "hub"}))
    assert "hub-step-waiting" in html
    assert "formaction" not in html
    assert "token_a" not in html
    assert vera.post(page_of(platform), {"token_a": "x"}).status_code == 403
    assert vera.post(page_of(platform), {"pull": "1"}).status_code == 403
    assert vera.get(ADD).status_code == 403


def test_an_operator_has_lists_read(olga: Client) -> None:
    """As one who may onboard wants to, and as support may from the quarantine."""
    platform = PlatformFactory.create()
    assert olga.post(page_of(platform), {"pull": "1"}).status_code == 302


def test_the_page_goes_on_without_scripts(olga: Client) -> None:
    """It refreshes itself in a browser that runs none, but never takes away what is typed."""
    begin(olga, "platform")
    platform = Platform.objects.get()
    page = text(olga.get(page_of(platform)))
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page
    assert f'data-refresh="{page_of(platform)}?part=checklist&amp;starts=platform"' in page
    assert "http-equiv" not in text(olga.get(page_of(platform), {"starts": "hub"}))
    assert "http-equiv" not in text(olga.post(page_of(platform, "invite")))


def test_nothing_is_found_where_nothing_is(olga: Client) -> None:
    """An address of no platform is 404; words that mean nothing are passed over."""
    assert olga.get("/admin/parties/platform/999/onboarding/").status_code == 404
    assert olga.get("/admin/parties/platform/abc/onboarding/").status_code == 404
    platform = PlatformFactory.create(planned=True)
    assert olga.get(page_of(platform), {"starts": "nobody"}).status_code == 200


def test_few_queries(
    olga: Client, cast: Cast, logged: Logged, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    """The page and its part each ask the database at most twenty times."""
    cast["P1"]
    logged()
    for asked in ({}, {"part": "checklist"}):
        with django_assert_max_num_queries(20):
            text(olga.get(page_of(Platform.objects.get()), asked))


def test_the_way_there(olga: Client) -> None:
    """From the dashboard, the list of platforms and a platform's page."""
    platform = PlatformFactory.create(planned=True)
    assert f'href="{ADD}"' in text(olga.get("/admin/"))
    html = text(olga.get("/admin/parties/platform/"))
    assert "/admin/parties/platform/onboard/" in html
    assert page_of(platform) in html
    assert olga.get("/admin/parties/platform/onboard/").headers["Location"] == ADD
    assert page_of(platform) in text(olga.get(page_of(platform, "change")))
