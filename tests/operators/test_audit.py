"""Every change to the configuration is written down: who, when, before and after."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import get_commands
from django.test import Client
from django.urls import reverse

from hub.models import DeadLetter
from operators.actor import acting, actor, at_the_command_line
from operators.groups import Role
from operators.models import Change
from parties.agreements import expire
from parties.models import Agreement
from tests.cast import Cast
from tests.console.test_parties import platform_form
from tests.factories import AgreementFactory, CredentialsFactory, PartyFactory, PlatformFactory
from tests.operators.staff import console, person
from tests.parties.commands import fails, run, run_json

pytestmark = pytest.mark.django_db


@pytest.fixture
def terminal() -> Iterator[None]:
    """Act as whoever is logged in to the machine, as manage.py does."""
    with acting(at_the_command_line(["agree", "NL-CPA"])):
        yield


@pytest.fixture
def olga() -> Client:
    """Sit an operator down at the console."""
    return console(person("olga", Role.OPERATOR))


CHANGING = {
    *("account", "agree", "announce_url", "break_glass", "change_platform", "discard", "endpoint"),
    *("erase_driver", "export_driver", "forget_platform"),
    "import_agreements",
    *("invite_platform", "quirks", "recount", "redrive", "reencrypt_credentials"),
    "register_platform",
    *("reset_two_factor", "resume_platform", "retry_platform", "reveal", "revoke_credentials"),
    *("rotate_credentials", "sessions", "suspend_platform", "unlock_login"),
}
READING = {
    *("audit", "dead_letters", "evse", "explain", "export", "export_agreements"),
    *("kept_cdrs", "log"),
    *("onboarding", "platforms", "pull", "pulls", "quarantine", "status", "subscriptions"),
    *("trace", "where"),
}


def test_every_command_is_known_to_change_or_only_to_read() -> None:
    """A command that is new is put here, and what it changes into the audit."""
    ours = {name for name, app in get_commands().items() if app in {"hub", "parties", "operators"}}
    assert ours == CHANGING | READING


def newest() -> Change:
    """Return the last change."""
    found = Change.objects.order_by("id").last()
    assert found is not None
    return found


def test_what_nobody_does_is_not_written_down() -> None:
    """Registrations by platforms are in the message log; the audit is about people."""
    PlatformFactory.create()
    assert actor() is None
    assert not Change.objects.exists()


def test_a_platform_changed_in_the_console(olga: Client) -> None:
    """Name and quirks, what they were and what they are, by whom and from where."""
    platform = PlatformFactory.create(name="P1")
    PartyFactory.create(platform=platform, party_id="CPA")
    new = [("EMSP", "DE", "MSA")]
    form = platform_form(platform, platform.allowed_parties.get(), name="P1 new", new=new)
    del form["quirk_patch_supported"]
    page = reverse("admin:parties_platform_change", args=[platform.pk])
    assert olga.post(page, form).status_code == 302
    changed = Change.objects.get(kind="parties.Platform")
    assert (changed.who, changed.channel, changed.address) == ("olga", "console", "127.0.0.1")
    assert (changed.action, changed.object_id) == ("changed", str(platform.pk))
    assert changed.before is not None
    assert changed.after is not None
    assert (changed.before["name"], changed.after["name"]) == ("P1", "P1 new")
    assert changed.before["quirks"]["patch_supported"] is True
    assert changed.after["quirks"]["patch_supported"] is False
    allowed = Change.objects.get(kind="parties.AllowedParty")
    assert (allowed.action, allowed.before) == ("created", None)
    assert allowed.after is not None
    assert allowed.after["party_id"] == "MSA"


def test_an_agreement_by_command(terminal: None) -> None:
    """Who is the operating-system user, the channel the command line."""
    PartyFactory.create(party_id="CPA")
    PartyFactory.create(role="EMSP", country_code="DE", party_id="MSA")
    run("agree", "NL-CPA", "DE-MSA")
    run("agree", "NL-CPA", "DE-MSA", "--suspend")
    changed = newest()
    assert changed.who == at_the_command_line([]).who
    assert (changed.channel, changed.doing) == ("command line", "manage.py agree")
    assert (changed.before, changed.after) == ({"state": "ACTIVE"}, {"state": "SUSPENDED"})


def test_a_quirk_by_command(terminal: None) -> None:
    """Which one, what it was and what it is."""
    PlatformFactory.create(name="P1")
    run("quirks", "P1", "patch=off")
    changed = newest()
    assert (changed.action, changed.subject) == ("changed", "P1")
    assert changed.before is not None
    assert changed.after is not None
    quirks = [facts["quirks"]["patch_supported"] for facts in (changed.before, changed.after)]
    assert quirks == [True, False]


def test_nothing_changed_is_no_change(terminal: None) -> None:
    """The same agreement once more leaves no row."""
    agreement = AgreementFactory.create()
    Change.objects.all().delete()
    agreement.save()
    assert not Change.objects.exists()


def test_an_invitation_is_one_change_without_the_token(terminal: None) -> None:
    """The audit knows the last four of a token and never the token."""
    answer = run_json("invite_platform", "P1", "--role", "CPO:NL:CPA")
    changed = Change.objects.get()
    assert (changed.action, changed.subject, changed.before) == ("invited", "P1", None)
    assert changed.after is not None
    assert changed.after["allowed parties"] == ["NL-CPA (CPO)"]
    assert changed.after["tokens"] == [f"token A IN …{answer['token_a'][-4:]}"]
    assert answer["token_a"] not in str(changed.after)


def test_a_suspension_says_what_was(olga: Client) -> None:
    """Status and tokens, before and after."""
    platform = PlatformFactory.create()
    CredentialsFactory.create(platform=platform)
    olga.post(reverse("admin:parties_platform_suspend", args=[platform.pk]))
    changed = Change.objects.get()
    assert changed.action == "suspended"
    assert changed.before is not None
    assert changed.after is not None
    assert (changed.before["status"], changed.after["status"]) == ("CONNECTED", "SUSPENDED")
    assert len(changed.before["tokens"]) == 1
    assert changed.after["tokens"] == []


def test_a_forgotten_platform_stays_in_the_audit(terminal: None) -> None:
    """What is gone is remembered as it was."""
    PlatformFactory.create(name="P1", planned=True)
    run("forget_platform", "P1", "--yes")
    changed = Change.objects.get(action="forgot")
    assert (changed.subject, changed.after) == ("P1", None)
    assert newest().action == "removed what was of"


def test_a_failed_change_that_left_nothing_is_not_told(terminal: None) -> None:
    """What was refused changed nothing."""
    PlatformFactory.create(name="P1")
    Change.objects.all().delete()
    fails("invite_platform", "P1")
    assert not Change.objects.exists()


def test_tokens_sealed_anew_are_written_down(terminal: None) -> None:
    """A new encryption key is a change of configuration too."""
    run("reencrypt_credentials")
    assert (newest().action, newest().subject) == ("sealed with the newest key", "0 tokens")


def test_an_agreement_that_ends_by_itself_is_the_hubs_doing() -> None:
    """No person did it, and still it is written down."""
    AgreementFactory.create(valid_from="2025-01-01T00:00:00Z", valid_until="2025-02-01T00:00:00Z")
    expire()
    assert (newest().who, newest().channel, newest().action) == ("hub", "hub", "expired")


def test_a_user_and_its_groups_without_the_password(admin_client: Client) -> None:
    """Accounts and roles are configuration; of a password only that it is another."""
    user = person("vera")
    groups = [str(Group.objects.get(name="viewer").pk)]
    form = {
        "username": "vera",
        "is_active": "on",
        "is_staff": "on",
        "groups": groups,
        "email": "vera@example.com",
        "date_joined_0": "2026-01-01",
        "date_joined_1": "00:00:00",
    }
    answer = admin_client.post(reverse("admin:auth_user_change", args=[user.pk]), form)
    assert answer.status_code == 302
    actions = {change.action: change for change in Change.objects.filter(subject="vera")}
    assert actions["gave"].after == {"groups": ["viewer"]}
    assert actions["changed"].after == {"email": "vera@example.com"}
    with acting(at_the_command_line(["changepassword"])):
        user.set_password("another long password")
        user.save()
    assert "password" in str(newest().after)
    assert User.objects.get(pk=user.pk).password not in str(newest().after)


def test_dead_letters_discarded_are_written_down(terminal: None) -> None:
    """How many, whose, and which; nothing of a driver."""
    run("discard", "dead_letters", "--all")
    assert not DeadLetter.objects.exists()
    assert (newest().action, newest().subject) == ("discarded", "0 dead letters")


def test_the_audit_in_the_console(olga: Client) -> None:
    """An operator reads it, list and page; nobody can change it."""
    agreement = AgreementFactory.create()
    page = reverse("admin:parties_agreement_change", args=[agreement.pk])
    olga.post(page, {"state": "SUSPENDED", "modules": []})
    changed = Change.objects.get(action="changed")
    html = olga.get(reverse("admin:operators_change_changelist")).content.decode()
    assert "olga (console, 127.0.0.1)" in html
    url = reverse("admin:operators_change_change", args=[changed.pk])
    html = olga.get(url).content.decode()
    assert "SUSPENDED" in html
    assert "ACTIVE" in html
    assert olga.post(url, {}).status_code == 403
    assert Agreement.objects.get().state == "SUSPENDED"


def test_the_audit_as_a_command(terminal: None) -> None:
    """Everything in JSON, one line each for people, narrowed by who, of what and since."""
    AgreementFactory.create()
    run("invite_platform", "P9", "--role", "CPO:FR:ABC")
    found: list[dict[str, Any]] = run_json("audit", "--of", "P9")
    assert [each["deed"] for each in found] == ["invited"]
    assert found[0]["after"]["name"] == "P9"
    assert "invited  parties.Platform P9" in run("audit", "--since", "10m")
    assert run("audit", "--who", "nobody") == "No such changes.\n"


def test_a_rotation_says_which_tokens_came_and_went(cast: Cast, terminal: None) -> None:
    """One change, with the last four of each token, also for a new public URL."""
    cast["P1"]
    Change.objects.all().delete()
    run("rotate_credentials", "P1")
    changed = newest()
    assert (changed.action, changed.subject, changed.channel) == ("rotated", "P1", "command line")
    assert changed.before is not None
    assert changed.after is not None
    assert len(set(changed.after["tokens"]) - set(changed.before["tokens"])) == 2
    run("announce_url", "--all")
    assert newest().pk > changed.pk
    assert (newest().action, newest().doing) == ("rotated", "manage.py agree")


@pytest.mark.security("S-21")
def test_each_row_is_a_line_of_the_process_log(
    olga: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """Who gets hold of the table changes no log that was shipped elsewhere; it names no row."""
    caplog.set_level("INFO")
    platform = PlatformFactory.create(name="P1 secret name")
    olga.post(reverse("admin:parties_platform_suspend", args=[platform.pk]))
    olga.get(reverse("admin:auth_user_changelist"))
    rows = list(Change.objects.order_by("id"))
    assert len(rows) >= 2
    said = [each.getMessage() for each in caplog.records if each.name == "operators.audit"]
    for row, line in zip(rows, said, strict=True):
        assert line.startswith(f"audit {row.pk}: olga (console, 127.0.0.1) {row.action} {row.kind}")
    assert "secret name" not in str(said)
