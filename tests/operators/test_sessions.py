"""Sessions of the console end by themselves, by their person, and with a password or a right."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from hub.tasks.housekeeping import prune_logins
from operators.groups import Role
from operators.models import Change, ConsoleSession
from tests.operators.staff import PASSWORD, console, person
from tests.operators.test_login import VERIFY, code_of, enrolled
from tests.parties.commands import fails, run, run_json

pytestmark = [pytest.mark.django_db, pytest.mark.security("S-23")]
LISTED = "/admin/operators/consolesession/"


@pytest.fixture
def olga() -> User:
    """Give an operator an account."""
    return person("olga", Role.OPERATOR)


def is_in(browser: Client) -> bool:
    """Tell whether the console opens."""
    return browser.get("/admin/").status_code == 200


def aged(minutes: float, *column: str) -> None:
    """Let time pass for the sessions."""
    past = timezone.now() - timedelta(minutes=minutes)
    ConsoleSession.objects.update(**dict.fromkeys(column, past))


def test_a_session_that_is_not_used_ends(olga: User, settings: LazySettings) -> None:
    """After so many minutes; each use begins them anew."""
    settings.HUB_CONSOLE_IDLE_MINUTES = 10
    browser = console(olga)
    aged(9, "seen")
    assert is_in(browser)
    assert ConsoleSession.objects.get().seen > timezone.now() - timedelta(minutes=1)
    aged(10.1, "seen")
    answer = browser.get("/admin/parties/platform/")
    assert answer.headers["Location"] == "/admin/login/?next=/admin/parties/platform/"


def test_what_a_page_asks_by_itself_is_no_use(olga: User, settings: LazySettings) -> None:
    """A page that was left open and keeps itself up to date holds no session open."""
    settings.HUB_CONSOLE_IDLE_MINUTES = 10
    browser = console(olga)
    aged(9, "seen")
    assert browser.get("/admin/", headers={"X-Console-Refresh": "1"}).status_code == 200
    assert ConsoleSession.objects.get().seen < timezone.now() - timedelta(minutes=8)
    aged(10.1, "seen")
    assert not is_in(browser)


def test_a_session_ends_after_hours_whatever_is_done_in_it(
    olga: User, settings: LazySettings
) -> None:
    """What is written into it does not make it longer."""
    settings.HUB_CONSOLE_HOURS = 2
    browser = console(olga)
    kept = browser.session
    kept["anything"] = 1
    kept.save()
    row = ConsoleSession.objects.get()
    assert row.expire_date - row.since == timedelta(hours=2)
    aged(1, "expire_date")
    assert not is_in(browser)


def test_the_table_opens_no_door(olga: User) -> None:
    """It has a hash of a session's id, and not the id."""
    browser = console(olga)
    cookie = browser.cookies["sessionid"].value
    row = ConsoleSession.objects.get()
    assert cookie not in (row.session_key, row.session_data)
    thief = Client()
    thief.cookies["sessionid"] = row.session_key
    assert not is_in(thief)


def test_a_log_in_and_a_code_give_a_session_another_id(olga: User) -> None:
    """An id that somebody knew before is worth nothing after."""
    _, _, device = enrolled(olga)
    browser = Client()
    seen = [str(browser.session.session_key)]
    form = {"username": "olga", "password": PASSWORD}
    for page, given in (("/admin/login/", form), (VERIFY, {"code": code_of(device, ahead=1)})):
        browser.post(page, given)
        seen.append(browser.cookies["sessionid"].value)
    assert len(set(seen)) == 3
    assert is_in(browser)
    for known in seen[:2]:
        thief = Client()
        thief.cookies["sessionid"] = known
        assert not is_in(thief)


def test_sessions_are_listed_and_ended_by_their_person(olga: User) -> None:
    """Where, since when, by which browser; those of others are not shown."""
    console(person("vera", Role.VIEWER))
    here, there = Client(), Client(REMOTE_ADDR="203.0.113.9", HTTP_USER_AGENT="Lynx/2.9")
    for browser in (here, there):
        browser.post("/admin/login/", {"username": "olga", "password": PASSWORD})
    html = here.get(LISTED).content.decode()
    assert "203.0.113.9" in html
    assert "Lynx/2.9" in html
    assert "vera" not in html
    row = ConsoleSession.objects.get(address="203.0.113.9")
    here.post(LISTED, {"action": "end", "_selected_action": [row.pk]})
    assert not is_in(there)
    assert is_in(here)
    assert Change.objects.filter(action="ended sessions", who="olga").exists()


def test_what_a_session_keeps_is_on_no_page(olga: User) -> None:
    """Its page says where and since when; that of somebody else's is not there."""
    browser = console(olga)
    row = ConsoleSession.objects.get()
    html = browser.get(f"{LISTED}{row.pk}/change/").content.decode()
    assert row.session_data[:40] not in html
    vera = console(person("vera", Role.VIEWER))
    assert vera.get(f"{LISTED}{row.pk}/change/").status_code == 302


def test_nobody_ends_sessions_of_others_but_administrators(olga: User) -> None:
    """They see all of them, and end them on the page of users too."""
    theirs = console(olga)
    row = ConsoleSession.objects.get()
    vera = console(person("vera", Role.VIEWER))
    vera.post(LISTED, {"action": "end", "_selected_action": [row.pk]})
    assert is_in(theirs)
    anna = console(person("anna", Role.ADMINISTRATOR))
    assert "olga" in anna.get(LISTED).content.decode()
    anna.post("/admin/auth/user/", {"action": "end_sessions", "_selected_action": [str(olga.pk)]})
    assert not is_in(theirs)


def test_sessions_are_listed_and_ended_by_command(olga: User) -> None:
    """One by its id, those of a person, or all."""
    first, second = console(olga), console(olga)
    vera = console(person("vera", Role.VIEWER))
    listed = run_json("sessions", "--user", "olga")
    assert {each["user"] for each in listed} == {"olga"}
    assert "olga" in run("sessions")
    assert "--user, --id or --all" in fails("sessions", "--end")
    assert len(run_json("sessions", "--id", listed[0]["id"], "--end")) == 1
    assert [is_in(first), is_in(second)].count(True) == 1
    run("sessions", "--user", "olga", "--end")
    assert not is_in(first)
    assert not is_in(second)
    assert is_in(vera)
    assert Change.objects.filter(action="ended sessions", subject="olga").count() == 2


def test_another_password_ends_all_other_sessions(olga: User) -> None:
    """The one in which it was given goes on."""
    here, there = console(olga), console(olga)
    new = "quite another phrase"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert here.post("/admin/password_change/", form).status_code == 302
    assert ConsoleSession.objects.filter(user=olga).count() == 1
    assert is_in(here)
    assert not is_in(there)


def test_who_may_do_something_else_logs_in_anew(olga: User) -> None:
    """Another group, another flag, or no log-in at any more: sessions of before are over."""
    changes = (_another_group, _no_group_any_more, _every_right, _not_of_the_staff, _no_log_in)
    for change in changes:
        browser = console(olga)
        change(olga)
        assert not ConsoleSession.objects.filter(user=olga).exists()
        assert not is_in(browser)


def _another_group(user: User) -> None:
    user.groups.set([Group.objects.get(name="viewer")])


def _no_group_any_more(user: User) -> None:
    user.groups.add(Group.objects.create(name="fleet"))
    console(user)
    Group.objects.get(name="fleet").delete()


def _every_right(user: User) -> None:
    user.is_superuser = True
    user.save()


def _not_of_the_staff(user: User) -> None:
    user.is_staff = False
    user.save()


def _no_log_in(user: User) -> None:
    user.is_active = False
    user.save()


@pytest.mark.security("S-22")
def test_a_password_is_guessed_a_few_times_in_a_session(olga: User, settings: LazySettings) -> None:
    """Whoever took a browser over does not find it out, and locks nobody out elsewhere."""
    settings.HUB_LOGIN_FAILURES = 3
    taken: Any = console(olga)
    form = {"new_password1": "quite another phrase", "new_password2": "quite another phrase"}
    for _ in range(4):
        answer = taken.post("/admin/password_change/", {**form, "old_password": "wrong"})
    assert "Too many failed log-ins" in answer.content.decode()
    answer = Client().post("/admin/login/", {"username": "olga", "password": PASSWORD})
    assert answer.status_code == 302


def test_an_administrator_gives_the_old_password_for_another_own_one() -> None:
    """The page that changes other people's is not for one's own."""
    anna = person("anna", Role.ADMINISTRATOR)
    answer = console(anna).get(f"/admin/auth/user/{anna.pk}/password/")
    assert answer.headers["Location"] == "/admin/password_change/"


def test_beat_removes_what_is_over(olga: User, settings: LazySettings) -> None:
    """Be it by its hours or by idleness: the table does not grow."""
    console(olga)
    aged(1, "expire_date")
    console(olga)
    ConsoleSession.objects.filter(expire_date__gt=timezone.now()).update(
        seen=timezone.now() - timedelta(minutes=settings.HUB_CONSOLE_IDLE_MINUTES + 1)
    )
    console(olga)
    prune_logins()
    assert ConsoleSession.objects.count() == 1
