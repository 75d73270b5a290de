"""Logging in: bounded attempts, counted for all processes, and a second factor."""

import time
from base64 import b32decode
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from django.test.utils import override_settings
from django_otp.oath import hotp, totp
from django_otp.plugins.otp_static.models import StaticToken

from database.redis_connection import connection
from operators import login_throttle, second_factor
from operators.groups import Role
from operators.models import Authenticator, Change
from tests.operators.staff import PASSWORD, console, person
from tests.parties.commands import fails, run, run_json

pytestmark = pytest.mark.django_db
LOG_IN, TWO_FACTOR, VERIFY = "/admin/login/", "/admin/two-factor/", "/admin/two-factor/verify/"


@pytest.fixture(autouse=True)
def few(settings: LazySettings) -> Iterator[None]:
    """Allow three failures, and forget all attempts before and after."""
    settings.HUB_LOGIN_FAILURES = 3
    for key in connection().scan_iter("hub:log-in:*"):
        connection().delete(key)
    yield
    for key in connection().scan_iter("hub:log-in:*"):
        connection().delete(key)


def log_in(name: str, password: str = PASSWORD, **headers: Any) -> Any:
    """Fill in the log-in form in a browser of its own."""
    form = {"username": name, "password": password, "next": "/admin/"}
    return Client(**headers).post(LOG_IN, form)


def code_of(device: Authenticator, *, ahead: int = 0) -> str:
    """Return the code that was taken last, or the one some steps after it, whatever the clock says.

    The clock may pass to its next half minute between two lines of a test: counted from it, the
    code that was taken could be that of the step before, and the one shown now a new one.
    """
    device.refresh_from_db()
    return f"{hotp(device.bin_key, device.last_t + ahead, device.digits):06}"


def enrolled(user: User) -> tuple[Client, list[str], Authenticator]:
    """Enrol an app as a person does; return the browser, the recovery codes and the app."""
    browser = console(user)
    answer: Any = browser.post(TWO_FACTOR, {"password": PASSWORD, "code": shown_in(browser)})
    return browser, answer.context["codes"], Authenticator.objects.get(user=user)


def shown_in(browser: Client) -> str:
    """Read the page as an app does; return the code it shows."""
    answer: Any = browser.get(TWO_FACTOR)
    return f"{totp(b32decode(answer.context['text'])):06}"


@pytest.mark.security("S-22")
def test_too_many_failures_of_an_account_are_refused() -> None:
    """Also with the right password, from any address, with a sentence that says how long."""
    person("olga", Role.OPERATOR)
    for number in range(3):
        answer = log_in("olga", "wrong", REMOTE_ADDR=f"192.0.2.{number}")
        assert "Please enter the correct" in answer.content.decode()
    answer = log_in("OLGA", REMOTE_ADDR="192.0.2.9")
    assert "Too many failed log-ins of this account. Try again in 15 min." in (
        answer.content.decode()
    )
    assert log_in("olga").status_code == 200


def test_what_another_process_counted_counts() -> None:
    """Attempts are in Redis and not in a process."""
    person("olga", Role.OPERATOR)
    for _ in range(3):
        assert login_throttle.refusal("olga", "198.51.100.1") is None
    connection.cache_clear()
    assert log_in("olga").status_code == 200


@pytest.mark.security("S-22")
def test_an_address_is_refused_whatever_accounts_it_tries() -> None:
    """Five times as many failures as an account may have; others are let in."""
    person("olga", Role.OPERATOR)
    for number in range(15):
        log_in(f"nobody-{number}", "wrong", REMOTE_ADDR="2001:db8::1")
    answer = log_in("olga", REMOTE_ADDR="2001:db8::2")
    assert "of this address" in answer.content.decode()
    assert log_in("olga", REMOTE_ADDR="2001:db9::1").status_code == 302


@pytest.mark.security("S-22")
def test_the_address_is_the_one_our_proxy_saw(settings: LazySettings) -> None:
    """What a client says itself about its address is ignored."""
    settings.HUB_PROXIES = 1
    for number in range(15):
        claimed = f"203.0.113.{number}, 192.0.2.1"
        log_in(f"nobody-{number}", "wrong", HTTP_X_FORWARDED_FOR=claimed)
    answer = log_in("nobody", HTTP_X_FORWARDED_FOR="203.0.113.99, 192.0.2.1")
    assert "of this address" in answer.content.decode()
    answer = log_in("nobody", HTTP_X_FORWARDED_FOR="192.0.2.1, 203.0.113.1")
    assert "of this address" not in answer.content.decode()


@pytest.mark.security("S-22")
def test_a_success_forgets_the_failures() -> None:
    """Who mistypes now and then is never kept out."""
    person("olga", Role.OPERATOR)
    for _ in range(3):
        log_in("olga", "wrong")
        assert log_in("olga").status_code == 302


@pytest.mark.security("S-21", "S-22")
def test_an_account_is_unlocked_by_command() -> None:
    """An administrator need not wait."""
    person("olga", Role.OPERATOR)
    for _ in range(4):
        log_in("olga", "wrong")
    assert run_json("unlock_login", "olga") == {"user": "olga", "had_failed": True}
    assert log_in("olga").status_code == 302
    run("unlock_login", "olga")
    assert Change.objects.filter(action="unlocked the log-in", subject="olga").count() == 2


@pytest.mark.security("S-22")
def test_without_redis_people_can_log_in() -> None:
    """Redis down is when the console is needed; a warning says that nothing is counted."""
    person("olga", Role.OPERATOR)
    connection.cache_clear()
    with override_settings(REDIS_URL="redis://127.0.0.1:1/0"):
        assert log_in("olga").status_code == 302
    connection.cache_clear()


def test_without_a_second_factor_the_password_opens_the_console() -> None:
    """It is optional unless the setting says otherwise."""
    assert console(person("vera", Role.VIEWER)).get("/admin/").status_code == 200


@pytest.mark.security("S-23")
def test_required_means_that_enrolment_comes_first(settings: LazySettings) -> None:
    """Nothing but the enrolment page opens; after the first code everything does."""
    settings.HUB_CONSOLE_2FA = "required"
    user = person("olga", Role.OPERATOR)
    browser = console(user)
    for page in ("/admin/", "/admin/parties/platform/", "/admin/parties/agreement/add/"):
        answer = browser.get(page)
        assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (
            302,
            TWO_FACTOR,
        )
    assert browser.post("/admin/parties/agreement/add/", {}).status_code == 302
    html = browser.get(TWO_FACTOR).content.decode()
    assert "<svg" in html
    assert browser.post(TWO_FACTOR, {"password": PASSWORD, "code": "000000"}).status_code == 200
    assert browser.get("/admin/").status_code == 302
    answer = browser.post(TWO_FACTOR, {"password": PASSWORD, "code": shown_in(browser)})
    assert len(answer.context["codes"]) == 10
    assert browser.get("/admin/").status_code == 200


@pytest.mark.security("S-23")
def test_who_enrolled_is_asked_at_the_next_log_in() -> None:
    """The password alone opens nothing; the code leads to where the person was going."""
    user = person("olga", Role.OPERATOR)
    _, _, device = enrolled(user)
    browser = console(user)
    answer = browser.get("/admin/parties/platform/")
    assert answer.headers["Location"] == f"{VERIFY}?next=%2Fadmin%2Fparties%2Fplatform%2F"
    answer = browser.post(answer.headers["Location"], {"code": code_of(device, ahead=1)})
    assert answer.headers["Location"] == "/admin/parties/platform/"
    assert browser.get("/admin/parties/platform/").status_code == 200


@pytest.mark.security("S-23")
def test_a_code_is_good_once_and_guessing_is_slowed() -> None:
    """The code that enrolled opens nothing more; behind a wrong one the right one has to wait."""
    user = person("olga", Role.OPERATOR)
    _, _, device = enrolled(user)
    browser = console(user)
    assert browser.post(VERIFY, {"code": code_of(device)}).status_code == 200
    assert browser.post(VERIFY, {"code": code_of(device, ahead=1)}).status_code == 200
    time.sleep(1.1)
    assert browser.post(VERIFY, {"code": code_of(device, ahead=1)}).status_code == 302


@pytest.mark.security("S-21", "S-23")
def test_a_recovery_code_lets_in_once_and_is_kept_as_a_hash() -> None:
    """The table does not have it, and it is written down that it was used."""
    user = person("olga", Role.OPERATOR)
    _, codes, _ = enrolled(user)
    kept = StaticToken.objects.values_list("token", flat=True)
    bare = [code.replace("-", "") for code in codes]
    assert not any(token.lower() in code for token in kept for code in bare)
    assert console(user).post(VERIFY, {"code": codes[0].upper()}).status_code == 302
    assert Change.objects.filter(action="used a recovery code", who="olga").exists()
    assert console(user).post(VERIFY, {"code": codes[0]}).status_code == 200
    assert console(user).get("/admin/").status_code == 302


@pytest.mark.security("S-23")
def test_new_recovery_codes_void_the_old_and_the_factor_can_be_removed() -> None:
    """Both only by who gave a code in this session, and gives a fresh one for it."""
    user = person("olga", Role.OPERATOR)
    browser, codes, device = enrolled(user)
    assert console(user).post(TWO_FACTOR, {"remove": ""}).headers["Location"] == VERIFY
    given = {"password": PASSWORD}
    for action in ("codes", "remove"):
        assert (
            "This code is not right"
            in browser.post(TWO_FACTOR, {action: "", **given}).content.decode()
        )
    answer: Any = browser.post(TWO_FACTOR, {"codes": "", "code": code_of(device, ahead=1), **given})
    new = answer.context["codes"]
    assert not set(codes) & set(new)
    second_factor.forgive("olga")
    refused = browser.post(TWO_FACTOR, {"remove": "", "code": codes[0], **given})
    assert "This code is not right" in refused.content.decode()
    assert console(user).get("/admin/").status_code == 302
    second_factor.forgive("olga")
    browser.post(TWO_FACTOR, {"remove": "", "code": new[0], **given})
    assert console(user).get("/admin/").status_code == 200


@pytest.mark.security("S-23")
def test_where_it_is_required_it_cannot_be_removed(settings: LazySettings) -> None:
    """The setting is the operator's word."""
    user = person("olga", Role.OPERATOR)
    browser, codes, _ = enrolled(user)
    settings.HUB_CONSOLE_2FA = "required"
    browser.post(TWO_FACTOR, {"remove": "", "code": codes[0], "password": PASSWORD})
    assert Authenticator.objects.filter(user=user).exists()


@pytest.mark.security("S-21", "S-23")
def test_an_administrator_resets_it() -> None:
    """By command or in the console, and it is written down."""
    user = person("olga", Role.OPERATOR)
    enrolled(user)
    assert run_json("reset_two_factor", "olga") == {"user": "olga", "had_one": True}
    assert "there is no user nemo" in fails("reset_two_factor", "nemo")
    enrolled(user)
    anna = console(person("anna", Role.ADMINISTRATOR))
    chosen = {"action": "reset_two_factor", "_selected_action": [str(user.pk)]}
    anna.post("/admin/auth/user/", chosen)
    assert console(user).get("/admin/").status_code == 200
    assert Change.objects.filter(action="reset the second factor", who="anna").exists()


def test_accounts_are_made_and_ended_by_command() -> None:
    """Whoever is new gets a group, and a password by Django's own command."""
    made = run_json("account", "nora", "--group", "support")
    assert made == {"user": "nora", "group": "support", "active": True, "has_password": False}
    assert not User.objects.get(username="nora").is_superuser
    assert run_json("account", "nora", "--group", "viewer", "--no-active") == {
        **made,
        "group": "viewer",
        "active": False,
    }
    assert "nora" in run("account", "nora")
    assert "there is no user nemo: name a group to make one" in fails("account", "nemo")
    boss = User.objects.create_superuser("boss", password=PASSWORD)
    run("account", "boss", "--group", "viewer")
    boss.refresh_from_db()
    assert not boss.is_superuser


@pytest.mark.security("S-24")
def test_the_way_on_is_a_page_of_ours() -> None:
    """Nobody is led elsewhere by a link."""
    user = person("olga", Role.OPERATOR)
    _, codes, _ = enrolled(user)
    answer = console(user).post(f"{VERIFY}?next=https://evil.example.com/", {"code": codes[0]})
    assert answer.headers["Location"] == "/admin/"


def test_strangers_are_led_to_the_log_in() -> None:
    """The pages of the second factor say nothing to who gave no password."""
    for page in (TWO_FACTOR, VERIFY):
        assert Client().get(page).headers["Location"].startswith(LOG_IN)


def test_redis_is_asked_with_a_bound_in_time() -> None:
    """A Redis that hangs holds a log-in for a second at most."""
    options = connection().connection_pool.connection_kwargs
    assert options["socket_timeout"] == options["socket_connect_timeout"] == 1
    assert isinstance(connection(), redis.Redis)
