"""Log-ins to the console: what happens there is in the audit, and it locks no operator out."""

import hashlib
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core import signing
from django.test import Client
from django.test.utils import override_settings
from django.utils import timezone

from database.redis_connection import connection
from hub.tasks.housekeeping import prune_logins
from operators import known_devices, login_events, login_throttle, second_factor
from operators.groups import Role
from operators.login_events import Event
from operators.models import Change, KnownNetwork
from tests.operators.staff import PASSWORD, console, person
from tests.operators.test_login import TWO_FACTOR, VERIFY, enrolled, few, log_in, shown_in
from tests.parties.commands import run, run_json

__all__ = ["few"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("few")]
STRANGER = "198.51.100.7"


@pytest.fixture
def olga() -> User:
    """Give an operator an account."""
    return person("olga", Role.OPERATOR)


def actions(**of: object) -> list[str]:
    """Return what the audit has, the oldest first."""
    return list(Change.objects.filter(**of).order_by("id").values_list("action", flat=True))


def assault(name: str, number: int, *, first: str = "198.51.100.", **headers: Any) -> None:
    """Fail from as many addresses."""
    for place in range(number):
        log_in(name, "wrong", REMOTE_ADDR=f"{first}{place + 1}", **headers)


@pytest.mark.security("S-21")
def test_a_log_in_and_a_log_out_are_told(olga: User) -> None:
    """Who, when, and from where."""
    browser = Client(REMOTE_ADDR="192.0.2.1")
    browser.post("/admin/login/", {"username": "olga", "password": PASSWORD})
    browser.post("/admin/logout/")
    entries = Change.objects.filter(object_id=str(olga.pk)).order_by("id")
    assert [(each.who, each.action, each.address) for each in entries] == [
        ("olga", "logged in", "192.0.2.1"),
        ("olga", "logged out", "192.0.2.1"),
    ]


@pytest.mark.security("S-21")
def test_failures_are_counted_in_one_row(olga: User, settings: LazySettings) -> None:
    """Of an account and a network in an hour; lock-outs in another row."""
    settings.HUB_LOGIN_FAILURES = 5
    for _ in range(7):
        log_in("olga", "wrong", REMOTE_ADDR=STRANGER)
    entries = Change.objects.filter(subject="olga").order_by("id")
    assert [(each.who, each.action, each.times) for each in entries] == [
        ("stranger", Event.LOG_IN_FAILED, 5),
        ("stranger", Event.LOCKED_OUT, 2),
    ]
    assert f"stranger (console, {STRANGER})  log-in failed (5 times)" in run("audit", "--log-ins")


@pytest.mark.security("S-21")
def test_a_name_that_no_account_has_is_not_written_down() -> None:
    """People type passwords into the field of the name."""
    log_in("my secret passphrase", "olga", REMOTE_ADDR=STRANGER)
    assert "secret" not in str(run_json("audit"))
    assert Change.objects.get().subject == login_events.UNKNOWN


@pytest.mark.security("S-21", "S-02")
def test_strangers_do_not_fill_the_audit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a bound all the rest of an hour is one row, which counts it."""
    monkeypatch.setattr(login_events, "MOST_FAILURES_AN_HOUR", 3)
    assault("nobody", 8)
    assert Change.objects.count() == 4
    assert sum(Change.objects.values_list("times", flat=True)) == 8


@pytest.mark.security("S-21")
def test_strangers_hide_nothing_of_people(olga: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much strangers try, what goes wrong behind a password is written down by name."""
    monkeypatch.setattr(login_events, "MOST_FAILURES_AN_HOUR", 3)
    enrolled(olga)
    assault("nobody", 8)
    console(olga).post(VERIFY, {"code": "123456"})
    assert Event.WRONG_CODE in actions(who="olga")


@pytest.mark.security("S-21")
def test_codes_are_told(olga: User) -> None:
    """Enrolment, recovery codes made and used, right codes and wrong ones."""
    _, codes, _ = enrolled(olga)
    console(olga).post(VERIFY, {"code": "123456"})
    console(olga).post(VERIFY, {"code": codes[0]})
    assert actions(who="olga") == [
        *(Event.ENROLLED, Event.MADE_CODES, Event.WRONG_CODE),
        *(Event.USED_RECOVERY_CODE, Event.GAVE_CODE),
    ]


@pytest.mark.security("S-21")
def test_what_goes_wrong_where_a_factor_is_changed_is_told(olga: User) -> None:
    """Codes and passwords, at enrolment and after it, and the lock-out that follows."""
    browser = console(olga)
    wrong = {"password": PASSWORD, "code": "wrong"}
    browser.post(TWO_FACTOR, wrong)
    browser.post(TWO_FACTOR, {**wrong, "code": shown_in(browser)})
    browser.post(TWO_FACTOR, {**wrong, "codes": ""})
    for _ in range(5):
        browser.post(TWO_FACTOR, {"codes": "", "password": "wrong"})
    counts = Change.objects.filter(who="olga").order_by("id").values_list("action", "times")
    assert list(counts) == [
        *((Event.WRONG_CODE, 2), (Event.ENROLLED, 1), (Event.MADE_CODES, 1)),
        *((Event.WRONG_PASSWORD, 3), (Event.LOCKED_OUT, 2)),
    ]


@pytest.mark.security("S-21")
def test_another_password_is_told(olga: User) -> None:
    """Not which one; and a wrong old one too."""
    browser = console(olga)
    form = {"new_password1": "quite another phrase", "new_password2": "quite another phrase"}
    browser.post("/admin/password_change/", {**form, "old_password": "wrong"})
    assert actions() == [Event.WRONG_PASSWORD]
    browser.post("/admin/password_change/", {**form, "old_password": PASSWORD})
    assert actions() == [Event.WRONG_PASSWORD, "changed"]
    assert "another phrase" not in str(run_json("audit"))


@pytest.mark.security("S-21")
def test_a_denied_page_is_told(olga: User) -> None:
    """Who tries what is not theirs is seen."""
    console(olga).get("/admin/auth/user/")
    entry = Change.objects.get()
    assert (entry.who, entry.action, entry.doing) == ("olga", Event.DENIED, "GET /admin/auth/user/")


@pytest.mark.security("S-21")
def test_who_logs_in_is_told_what_happened_meanwhile(olga: User) -> None:
    """When they were in before, from where, and what others tried, or changed, since."""
    log_in("olga", REMOTE_ADDR="192.0.2.1")
    assault("olga", 2)
    second_factor.recovery_codes(olga)
    browser = Client(REMOTE_ADDR="192.0.2.2")
    browser.post("/admin/login/", {"username": "olga", "password": PASSWORD})
    html = browser.get("/admin/").content.decode()
    assert "UTC from 192.0.2.1;" in html
    assert "log-in failed (2 times)" in html
    assert "made recovery codes (1 times)" in html


@pytest.mark.security("S-21")
def test_the_page_of_an_account_has_its_events(olga: User) -> None:
    """And so has the Audit page."""
    assault("olga", 2)
    anna = console(person("anna", Role.ADMINISTRATOR))
    assert "log-in failed" in anna.get(f"/admin/auth/user/{olga.pk}/change/").content.decode()
    listed = anna.get("/admin/operators/change/", {"action": Event.LOG_IN_FAILED}).content.decode()
    assert "198.51.100.1" in listed


@pytest.mark.security("S-21")
def test_events_are_kept_for_some_time_and_changes_for_good(settings: LazySettings) -> None:
    """The setting says how long."""
    settings.HUB_AUDIT_LOGIN_DAYS = 30
    old = timezone.now() - timedelta(days=31)
    log_in("nobody", "wrong")
    Change.objects.create(who="olga", action="changed", kind="parties.Platform", subject="P1")
    Change.objects.update(at=old)
    assert login_events.prune() == 1
    assert actions() == ["changed"]


@pytest.mark.security("S-22")
def test_a_stranger_locks_nobody_out_where_they_log_in(olga: User) -> None:
    """However often strangers fail, the operator's own network stays open, for any browser."""
    assert log_in("olga", REMOTE_ADDR="192.0.2.1").status_code == 302
    assault("olga", 12)
    assert "of this account" in log_in("olga", REMOTE_ADDR=STRANGER).content.decode()
    assert log_in("olga", REMOTE_ADDR="192.0.2.1").status_code == 302


@pytest.mark.security("S-22")
def test_a_browser_that_logged_in_is_known_elsewhere(olga: User) -> None:
    """A cookie of its own lets it try from an address that the hub has never seen."""
    browser = Client(REMOTE_ADDR="192.0.2.1")
    form = {"username": "olga", "password": PASSWORD}
    browser.post("/admin/login/", form)
    browser.post("/admin/logout/")
    assault("olga", 12)
    assert browser.post("/admin/login/", form, REMOTE_ADDR="203.0.113.9").status_code == 302


@pytest.mark.security("S-22")
def test_a_known_browser_is_judged_by_itself_alone(olga: User) -> None:
    """What strangers do behind its address holds it not up; what is done in it is bounded too."""
    browser = Client(REMOTE_ADDR=STRANGER)
    form = {"username": "olga", "password": PASSWORD}
    browser.post("/admin/login/", form)
    browser.post("/admin/logout/")
    for number in range(16):
        log_in(f"nobody-{number}", "wrong", REMOTE_ADDR=STRANGER)
    assert "of this address" in log_in("olga", REMOTE_ADDR=STRANGER).content.decode()
    assert browser.post("/admin/login/", form).status_code == 302
    browser.post("/admin/logout/")
    for _ in range(3):
        browser.post("/admin/login/", {**form, "password": "wrong"})
    assert "in this browser" in browser.post("/admin/login/", form).content.decode()


@pytest.mark.security("S-22")
def test_what_is_known_of_one_account_is_not_of_another(olga: User) -> None:
    """Neither network nor cookie of another operator opens a locked account."""
    person("vera", Role.VIEWER)
    browser = Client(REMOTE_ADDR="192.0.2.5")
    browser.post("/admin/login/", {"username": "vera", "password": PASSWORD})
    assault("olga", 3)
    answer = browser.post("/admin/login/", {"username": "olga", "password": PASSWORD})
    assert "of this account" in answer.content.decode()


@pytest.mark.security("S-22")
def test_where_an_account_is_known_guesses_are_few_as_well(olga: User) -> None:
    """Whoever sits there tries no more often than a stranger; the command ends that too."""
    log_in("olga", REMOTE_ADDR="192.0.2.1")
    for _ in range(3):
        log_in("olga", "wrong", REMOTE_ADDR="192.0.2.1")
    refused = log_in("olga", REMOTE_ADDR="192.0.2.1").content.decode()
    assert "of this account from here" in refused
    assert run_json("unlock_login", "olga")["had_failed"]
    assert log_in("olga", REMOTE_ADDR="192.0.2.1").status_code == 302


class Old(signing.TimestampSigner):
    """Signs as it would have done some time ago."""

    age = timedelta()

    def timestamp(self) -> str:
        return signing.b62_encode(int(time.time() - self.age.total_seconds()))


@pytest.mark.security("S-22")
@pytest.mark.parametrize("off", [-1, 1])
def test_what_was_not_used_for_long_is_known_no_more(olga: User, off: int) -> None:
    """A cookie of former years opens nothing, and beat forgets the network."""
    signer = Old(salt="operators.device")
    signer.age = timedelta(days=known_devices.MOST_DAYS_KNOWN + off)
    log_in("olga", REMOTE_ADDR="192.0.2.1")
    KnownNetwork.objects.update(at=timezone.now() - signer.age)
    prune_logins()
    assert KnownNetwork.objects.exists() is (off < 0)
    assault("olga", 3)
    browser = Client(REMOTE_ADDR="203.0.113.9")
    whose = hashlib.sha256(b"olga").hexdigest()[:16]
    browser.cookies["device"] = signer.sign_object((whose, "1"))
    answer = browser.post("/admin/login/", {"username": "olga", "password": PASSWORD})
    assert answer.status_code == (302 if off < 0 else 200)


@pytest.mark.security("S-22")
def test_a_forged_cookie_is_worth_nothing(olga: User) -> None:
    """It is signed."""
    assault("olga", 3)
    browser = Client(REMOTE_ADDR="203.0.113.9")
    browser.cookies["device"] = "WyJvbGdhIiwiMSJd:1abc:forged"
    answer = browser.post("/admin/login/", {"username": "olga", "password": PASSWORD})
    assert "of this account" in answer.content.decode()


@pytest.mark.security("S-22")
def test_without_redis_guesses_are_counted_by_the_process(olga: User) -> None:
    """A Redis that is down lets nobody in."""
    connection.cache_clear()
    login_throttle._counts_without_redis.clear()
    with override_settings(REDIS_URL="redis://127.0.0.1:1/0"):
        assault("olga", 3)
        assert "of this account" in log_in("olga", REMOTE_ADDR=STRANGER).content.decode()
    connection.cache_clear()
    login_throttle._counts_without_redis.clear()


@pytest.mark.security("S-22")
def test_an_account_that_is_not_there_costs_as_much(olga: User, settings: LazySettings) -> None:
    """Whether a name is right cannot be seen by the time an answer takes, nor by its words."""
    settings.HUB_LOGIN_FAILURES = 100
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    olga.set_password(PASSWORD)
    olga.save()
    spent, said = {}, {}
    for name in ("olga", "nemo"):
        begin = time.process_time()
        answer = log_in(name, "wrong", REMOTE_ADDR=STRANGER).content.decode()
        spent[name] = time.process_time() - begin
        said[name] = "Please enter the correct" in answer
    assert said == {"olga": True, "nemo": True}
    assert 1 / 3 < spent["olga"] / spent["nemo"] < 3


@pytest.mark.security("S-22")
def test_networks_remembered_are_bounded(olga: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest ones of an account; of IPv6 the half that a provider gives to one customer."""
    monkeypatch.setattr("operators.known_devices.MOST_NETWORKS", 2)
    for place in ("192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"):
        log_in("olga", REMOTE_ADDR=place)
    known = set(KnownNetwork.objects.values_list("network", flat=True))
    assert known == {"192.0.2.2", "2001:db8::"}


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    """Count for no other test."""
    login_throttle._counts_without_redis.clear()
    yield
    login_throttle._counts_without_redis.clear()
