"""Log-in by an identity provider: a real one, in a process of its own, and what it may not do."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client

from local import ports
from operators.groups import Role
from operators.login_events import UNKNOWN, Event
from operators.models import Change, ConsoleSession, Identity
from tests.operators.staff import PASSWORD, person
from tests.operators.test_login import few
from tests.parties.commands import fails, run_json

__all__ = ["few"]
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.security("S-21", "S-23"),
    pytest.mark.usefixtures("few"),
]
START, LOG_IN = "/admin/oidc/", "/admin/login/"
OLGA = {"sub": "olga-1", "email": "olga@example.com", "email_verified": True}
PEOPLE = (
    OLGA,
    {"sub": "olga-2", "email": "olga@example.com", "email_verified": True},
    {"sub": "mallory", "email": "olga@example.com", "email_verified": False},
    {"sub": "nameless"},
    {**OLGA, "sub": "boss", "email": "boss@example.com", "groups": ["hub-admins", "golf"]},
    {**OLGA, "sub": "guest", "email": "guest@example.com", "groups": ["golf"]},
    {**OLGA, "sub": "strong", "email": "strong@example.com", "amr": ["pwd", "otp"], "acr": "gold"},
)
_SECONDS = 30


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Show where it leads."""


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """Start the provider."""
    port = str(ports.free())
    people = [f"--user-claims={json.dumps(each)}" for each in PEOPLE]
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", port, "--require-nonce"]
    process = subprocess.Popen([*command, *people], stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    end = time.monotonic() + _SECONDS
    while not _answers(f"{url}/.well-known/openid-configuration"):
        assert time.monotonic() < end
        time.sleep(0.1)
    yield url
    process.kill()
    process.wait()


def _answers(url: str) -> bool:
    try:
        return bool(urllib.request.urlopen(url, timeout=5).read())  # noqa: S310 - of the test
    except OSError:
        return False


@pytest.fixture
def on(issuer: str, settings: LazySettings) -> LazySettings:
    """Let the hub know the provider."""
    settings.HUB_OIDC_ISSUER = issuer
    settings.HUB_OIDC_CLIENT_ID, settings.HUB_OIDC_CLIENT_SECRET = "hub", "secret"
    settings.AUTHENTICATION_BACKENDS = [
        *settings.AUTHENTICATION_BACKENDS,
        "operators.oidc.Backend",
    ]
    return settings


@pytest.fixture
def olga() -> User:
    """Give somebody of the provider an account."""
    user = person("olga", Role.OPERATOR)
    user.email = "Olga@example.com"
    user.save()
    return user


def begin(browser: Client, target: str = "/admin/") -> str:
    """Press the button; return where it leads."""
    answer: Any = browser.get(START, {"next": target})
    return str(answer.headers["Location"])


def authorize(url: str, sub: str) -> str:
    """Log in at the provider as somebody; return where it leads back to, without the host."""
    form = urllib.parse.urlencode({"sub": sub}).encode()
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        opener.open(url, form, timeout=10)
    except urllib.error.HTTPError as answer:
        back = urllib.parse.urlsplit(answer.headers["Location"])
        return f"{back.path}?{back.query}"
    raise AssertionError("the provider leads nowhere")


def log_in(sub: str, browser: Client | None = None, target: str = "/admin/") -> tuple[Client, Any]:
    """Go to the provider and come back."""
    browser = browser or Client()
    return browser, browser.get(authorize(begin(browser, target), sub))


def refused(sub: str) -> str:
    """Come back from the provider in vain; return what the log-in page says."""
    browser, answer = log_in(sub)
    assert answer.headers["Location"] == LOG_IN
    assert browser.get("/admin/").status_code == 302
    return browser.get(LOG_IN).content.decode()


def test_it_is_off_by_default() -> None:
    """Neither a button nor a page."""
    assert "identity provider" not in Client().get(LOG_IN).content.decode()
    for page in (START, f"{START}callback/?code=1&state=2"):
        assert Client().get(page).status_code == 404


def test_who_is_known_to_the_provider_is_let_in(on: LazySettings, olga: User) -> None:
    """By the button of the log-in page, to where they were going; no second factor is asked for."""
    on.HUB_CONSOLE_2FA = "required"
    browser = Client()
    assert f'href="{START}?next=' in browser.get(LOG_IN).content.decode()
    _, answer = log_in("olga-1", browser, "/admin/parties/platform/")
    assert answer.headers["Location"] == "/admin/parties/platform/"
    assert browser.get("/admin/parties/platform/").status_code == 200
    entry = Change.objects.filter(who="olga").get()
    assert (entry.action, entry.address) == (Event.LOGGED_IN_BY_PROVIDER, "127.0.0.1")
    assert Identity.objects.get(user=olga).subject == "olga-1"
    assert Change.objects.get(action=Event.LINKED).who == "identity provider"


def test_the_request_has_state_nonce_and_pkce(on: LazySettings) -> None:
    """And the console's own address, whatever Host the browser asked."""
    on.HUB_CONSOLE_URL = "https://console.example.com"
    browser = Client(HTTP_HOST="other.example.com")
    asked = urllib.parse.parse_qs(urllib.parse.urlsplit(begin(browser)).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert all(len(asked[name][0]) >= 32 for name in ("state", "nonce", "code_challenge"))
    assert asked["redirect_uri"] == ["https://console.example.com/admin/oidc/callback/"]


def test_a_code_is_taken_from_the_browser_that_asked_for_it(on: LazySettings, olga: User) -> None:
    """Once: neither another browser nor the same one again gets in by the address."""
    browser, other = Client(), Client()
    back = authorize(begin(browser), "olga-1")
    begin(other)
    assert other.get(back).headers["Location"] == LOG_IN
    assert browser.get(back).headers["Location"] == "/admin/"
    browser.post("/admin/logout/")
    assert browser.get(back).headers["Location"] == LOG_IN
    assert browser.get("/admin/").status_code == 302


def test_a_code_is_no_password(on: LazySettings, olga: User) -> None:
    """The form of names and passwords does not take one."""
    back = authorize(begin(Client()), "olga-1")
    query = back.partition("?")[2]
    browser = Client()
    browser.post(f"{LOG_IN}?{query}", {"username": "x", "password": "y"})
    assert browser.get("/admin/").status_code == 302


def test_a_session_gets_another_id(on: LazySettings, olga: User) -> None:
    """What was known before the log-in is worth nothing after."""
    browser = Client()
    url = begin(browser)
    before = browser.cookies["sessionid"].value
    browser.get(authorize(url, "olga-1"))
    assert browser.cookies["sessionid"].value != before
    assert ConsoleSession.objects.count() == 1


def test_a_link_logs_nobody_out(on: LazySettings, olga: User) -> None:
    """An error that a page of others sends does not end a session."""
    browser, _ = log_in("olga-1")
    browser.get(f"{START}callback/?error=access_denied")
    assert browser.get("/admin/").status_code == 200


def test_an_address_that_is_not_verified_is_nobodys(on: LazySettings, olga: User) -> None:
    """Else whoever may write any address at the provider takes an account over."""
    assert "not verified your e-mail address" in refused("mallory")
    assert "gives no e-mail address" in refused("nameless")
    entry = Change.objects.get(action=Event.PROVIDER_REFUSED)
    assert entry.times == 2


def test_an_account_stays_with_the_person_it_was_linked_to(on: LazySettings, olga: User) -> None:
    """Who gets the address of somebody who left does not get the account; a command ends that."""
    former, _ = log_in("olga-1")
    assert former.get("/admin/").status_code == 200
    assert "You have no account here" in refused("olga-2")
    assert run_json("account", "olga", "--unlink")["identity"] == ""
    assert former.get("/admin/").status_code == 302
    assert log_in("olga-2")[1].headers["Location"] == "/admin/"


def test_accounts_are_made_only_where_the_setting_says_so(on: LazySettings) -> None:
    """With the groups that the provider's stand for, and no password."""
    assert "ask an administrator" in refused("boss")
    on.HUB_OIDC_CREATE = True
    on.HUB_OIDC_GROUPS = {"hub-admins": "administrator"}
    browser, _ = log_in("boss")
    assert browser.get("/admin/auth/user/").status_code == 200
    boss = User.objects.get(username="boss@example.com")
    assert [group.name for group in boss.groups.all()] == ["administrator"]
    assert not boss.has_usable_password()
    assert "in no group that may log in" in refused("guest")
    assert Change.objects.filter(who="identity provider", action="created").exists()


def test_groups_are_brought_in_line_at_each_log_in(on: LazySettings) -> None:
    """Who lost one at the provider has lost it here."""
    on.HUB_OIDC_CREATE, on.HUB_OIDC_GROUPS = True, {"golf": "operator"}
    log_in("boss")
    on.HUB_OIDC_GROUPS = {"golf": "viewer"}
    log_in("boss")
    boss = User.objects.get(username="boss@example.com")
    assert [group.name for group in boss.groups.all()] == ["viewer"]
    entries = Change.objects.filter(action__in=("gave", "took away")).order_by("id")
    assert {each.who for each in entries} == {"identity provider"}
    assert [each.action for each in entries] == ["gave", "took away", "gave"]


def test_a_second_factor_can_be_insisted_on(on: LazySettings, olga: User) -> None:
    """The provider's word has to say that it was used."""
    on.HUB_OIDC_CREATE, on.HUB_OIDC_AMR, on.HUB_OIDC_ACR = True, ["otp", "hwk"], ["gold"]
    page = refused("olga-1")
    assert "does not say that a second factor was used" in page
    assert "authenticated well enough" in page
    assert "acr_values=gold" in begin(Client())
    assert log_in("strong")[1].headers["Location"] == "/admin/"


def test_only_some_domains_may_log_in(on: LazySettings, olga: User) -> None:
    """An address of another is refused, verified or not."""
    on.HUB_OIDC_DOMAINS = ["example.org"]
    assert "example.com" in refused("olga-1")
    on.HUB_OIDC_DOMAINS = ["example.com"]
    assert log_in("olga-1")[1].headers["Location"] == "/admin/"


def test_who_may_not_log_in_is_not_let_in(on: LazySettings, olga: User) -> None:
    """An account that was ended stays so, and its sessions end."""
    browser, _ = log_in("olga-1")
    User.objects.filter(pk=olga.pk).update(is_active=False)  # behind the back of what ends sessions
    for page in ("/admin/", "/admin/two-factor/"):
        assert browser.get(page).headers["Location"].startswith(LOG_IN)
    assert "may not log in" in refused("olga-1")


def test_a_provider_that_is_down_is_said(on: LazySettings, olga: User) -> None:
    """The password form is still there; and who is in stays in."""
    browser, _ = log_in("olga-1")
    on.HUB_OIDC_ISSUER = f"http://127.0.0.1:{ports.free()}"
    other = Client()
    assert other.get(START).headers["Location"] == LOG_IN
    html = other.get(LOG_IN).content.decode()
    assert "does not answer" in html
    assert "password" in html
    assert browser.get("/admin/").status_code == 200


def test_logging_out_leads_to_the_provider_where_that_is_wanted(
    on: LazySettings, olga: User
) -> None:
    """The session here is over first."""
    on.HUB_OIDC_LOGOUT = True
    browser, _ = log_in("olga-1")
    answer = browser.post("/admin/logout/")
    assert answer.headers["Location"].startswith(f"{on.HUB_OIDC_ISSUER}/oauth2/end_session?")
    assert browser.get("/admin/").status_code == 302
    assert Change.objects.filter(action=Event.LOGGED_OUT, who="olga").exists()


def test_passwords_can_be_ruled_out(on: LazySettings, olga: User) -> None:
    """No form, and none is taken; at the hub's machine the glass can be broken for one account."""
    on.HUB_OIDC_ONLY = True
    browser, form = Client(), {"username": "olga", "password": PASSWORD}
    assert 'name="password"' not in browser.get(LOG_IN).content.decode()
    assert browser.post(LOG_IN, form).status_code == 200
    assert browser.get("/admin/").status_code == 302
    assert Change.objects.get(action=Event.LOG_IN_FAILED).subject == "olga"
    assert "no active user nemo" in fails("break_glass", "nemo")
    url = run_json("break_glass", "olga")["url"]
    person("vera", Role.VIEWER)
    link = urllib.parse.urlsplit(url).path
    browser.get(link)
    assert 'name="password"' in browser.get(LOG_IN).content.decode()
    browser.post(LOG_IN, {**form, "username": "vera"})
    assert browser.get("/admin/").status_code == 302
    browser.post(LOG_IN, form)
    assert browser.get("/admin/").status_code == 200
    again = Client()
    again.get(link)
    assert 'name="password"' not in again.get(LOG_IN).content.decode()
    assert Change.objects.filter(action=Event.BROKE_GLASS, subject="olga").exists()


@pytest.mark.security("S-22")
def test_an_address_begins_a_bounded_number_of_log_ins(on: LazySettings, olga: User) -> None:
    """Each is a row of a session; those that succeed are not counted."""
    for _ in range(16):
        assert log_in("olga-1")[1].headers["Location"] == "/admin/"
    for _ in range(15):
        begin(Client())
    assert Client().get(START).headers["Location"] == LOG_IN
    assert Change.objects.get(action=Event.LOCKED_OUT).subject == UNKNOWN


@pytest.mark.security("S-22")
def test_a_page_of_others_uses_no_attempts_up(on: LazySettings, olga: User) -> None:
    """Nobody is locked out by a page that asks for the log-in fifty times as a picture."""
    on.HUB_LOGIN_FAILURES = 1
    for _ in range(6):
        assert Client().get(START, headers={"Sec-Fetch-Dest": "image"}).status_code == 404
    assert not ConsoleSession.objects.exists()
    assert log_in("olga-1")[1].headers["Location"] == "/admin/"


def test_a_session_of_a_provider_that_is_not_asked_any_more_is_over(
    on: LazySettings, olga: User
) -> None:
    """Switching it off is the end of what it let in."""
    browser, _ = log_in("olga-1")
    on.HUB_OIDC_ISSUER = ""
    assert browser.get("/admin/").status_code == 302
