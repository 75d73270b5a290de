"""What operators do at the terminal, and what scripts read."""

import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ocpi.transport.authorization import header
from parties.authentication import identify
from parties.connection_status import ConnectionStatus
from parties.management.command import secret_from
from parties.models import Agreement, AllowedParty, Party, Platform
from sandbox import misbehaviour
from tests.factories import CredentialsFactory, PartyFactory, PlatformFactory
from tests.parties.commands import fails, run, run_json
from tests.parties.conftest import Start
from tests.parties.wire import CPO, Wire

pytestmark = pytest.mark.django_db


def invite(*words: str) -> Any:
    """Invite P1 as a CPO."""
    return run_json("invite_platform", "P1", "--role", CPO, *words)


def test_an_invitation_shows_token_a_once() -> None:
    """Token, versions URL and parties are all a platform needs."""
    answer = invite(
        "--role", "EMSP:de:msa", "--quirk", "base64=off", "--quirk", "authorize_seconds=1.5"
    )
    assert answer["parties"] == ["DE-MSA (EMSP)", "NL-CPA (CPO)"]
    assert answer["versions_url"].endswith("/ocpi/versions")
    caller = identify(header(answer["token_a"]), configuring=True)
    assert (caller.name, caller.quirks.base64_out) == ("P1", False)
    assert caller.quirks.authorize_seconds == 1.5
    assert answer["token_a"] not in run("platforms")
    assert answer["token_a"] not in json.dumps(run_json("platforms"))


def test_an_invitation_can_be_read_by_people() -> None:
    """Plain words, and a letter to send."""
    shown = run("invite_platform", "P1", "--role", CPO)
    assert "P1 may register NL-CPA (CPO)." in shown
    assert "Versions URL  http" in shown
    assert "curl -X POST -H 'Authorization: Token " in shown


@pytest.mark.parametrize(
    "role, module", [(CPO, "tokens"), ("EMSP:DE:MSA", "locations"), ("NAP:NL:NDW", "locations")]
)
def test_an_invitation_says_how_to_begin(role: str, module: str) -> None:
    """By reading the list that the party is after; what `date_from` means, and the way out."""
    shown = run("invite_platform", "P1", "--role", role)
    begin = shown[shown.index("\n4. ") :]
    assert f"/ocpi/2.2.1/sender/{module}\n" in begin
    assert "date_from is about last_updated" in begin
    assert "by_arrival" in begin


def test_inviting_again_replaces_the_list_and_keeps_agreements() -> None:
    """A party that stays on the list stays the same row."""
    invite("--role", "CPO:NL:OLD")
    invited_party = Party.objects.get(party_id="CPA").pk
    run_json("invite_platform", "P2", "--role", "EMSP:DE:MSA")
    run_json("agree", "NL-CPA", "DE-MSA")
    invite("--role", "CPO:NL:NEW")
    assert {row.party_id for row in AllowedParty.objects.filter(platform__name="P1")} == {
        "CPA",
        "NEW",
    }
    assert {row.party_id for row in Party.objects.filter(platform__name="P1")} == {"CPA", "NEW"}
    assert Party.objects.get(party_id="CPA").pk == invited_party
    assert Agreement.objects.exists()
    run_json("invite_platform", "P1")
    assert AllowedParty.objects.filter(platform__name="P1").count() == 2


@pytest.mark.parametrize(
    "words,sentence",
    [
        (["P1"], "name at least one party"),
        ([" ", "--role", CPO], "a platform needs a name"),
        (["P" * 101, "--role", CPO], "at most 100 printable characters"),
        (["P\0", "--role", CPO], "at most 100 printable characters"),
        (["P1", "--role", "CPO-NL-CPA"], "write ROLE:COUNTRY:PARTY like CPO:NL:CPA"),
        (["P1", "--role", "BOSS:NL:CPA"], "roles are CPO"),
        (["P1", "--role", "CPO:NLD:CPA"], "write ROLE:COUNTRY:PARTY"),
        (["P1", "--role", "CPO:NL:HUB"], "is the hub itself"),
        (["P1", "--role", "CPO:NL:TKN"], "belongs to the platform taken"),
        (["P1", "--role", CPO, "--quirk", "base64=maybe"], "neither on nor off"),
        (["P1", "--role", CPO, "--quirk", "authorize_seconds=soon"], "no number from 0 to 60"),
        (["P1", "--role", CPO, "--quirk", "authorize_seconds=61"], "no number from 0 to 60"),
        (["taken", "--role", CPO], "--reset ends that registration"),
    ],
)
def test_a_wrong_invitation_is_one_sentence_and_changes_nothing(
    words: list[str], sentence: str
) -> None:
    """No traceback, nothing half done."""
    PartyFactory.create(party_id="TKN", platform__name="taken")
    assert sentence in fails("invite_platform", *words)
    assert [platform.name for platform in Platform.objects.all()] == ["taken"]
    assert [row.party_id for row in AllowedParty.objects.all()] == ["TKN"]


def test_who_invites_a_party_of_a_suspended_platform_is_told_the_way_out() -> None:
    """Which commands invite that platform again, or free the party."""
    party = PartyFactory.create(party_id="TKN", platform__name="Gone with Wind")
    party.platform.move_to(ConnectionStatus.SUSPENDED)

    said = fails("invite_platform", "P1", "--role", "CPO:NL:TKN")

    assert "belongs to the platform Gone with Wind, which is SUSPENDED" in said
    assert "resume_platform 'Gone with Wind'" in said
    assert "change_platform 'Gone with Wind'" in said
    assert "forget_platform 'Gone with Wind'" in said


def test_a_reset_starts_over() -> None:
    """The old tokens end and a new token A is issued."""
    platform = PartyFactory.create(platform__name="P1").platform
    CredentialsFactory.create(platform=platform, token="the-token-before-reset")
    token_a = run_json("invite_platform", "P1", "--reset")["token_a"]
    assert identify(header(token_a), configuring=True).status == "PLANNED"


def test_agreements_are_made_in_either_order_and_suspended() -> None:
    """The CPO is found by its role; suspending keeps the modules."""
    PartyFactory.create(country_code="NL", party_id="CPA")
    PartyFactory.create(country_code="DE", party_id="MSA", role="EMSP")
    expected = {
        "cpo": "NL-CPA",
        "emsp": "DE-MSA",
        "state": "ACTIVE",
        "modules": ["locations"],
        "outside_period": None,
    }
    assert run_json("agree", "DE-MSA", "NL-CPA", "--module", "locations") == expected
    suspended = run_json("agree", "NL-CPA", "DE-MSA", "--suspend")
    assert suspended == {**expected, "state": "SUSPENDED"}
    assert run("agree", "NL-CPA", "DE-MSA") == "NL-CPA and DE-MSA: ACTIVE for locations.\n"
    assert Agreement.objects.count() == 1


@pytest.mark.parametrize("order", [("DE-AAA", "DE-BBB"), ("DE-BBB", "DE-AAA")])
def test_an_owners_own_role_comes_first(order: tuple[str, str]) -> None:
    """DE-BBB is CPO and SCSP: an agreement with an eMSP is the CPO's, however it is written."""
    PartyFactory.create(country_code="DE", party_id="AAA", role="EMSP")
    for role in ("SCSP", "CPO"):
        PartyFactory.create(country_code="DE", party_id="BBB", role=role)
    run("agree", *order)
    [made] = Agreement.objects.all()
    assert (str(made.cpo), str(made.emsp)) == ("DE-BBB (CPO)", "DE-AAA (EMSP)")


def test_an_agreement_says_when_its_period_is_over() -> None:
    """ACTIVE alone would be a promise; a new one without modules is about all."""
    PartyFactory.create(country_code="NL", party_id="CPA")
    PartyFactory.create(country_code="DE", party_id="MSA", role="EMSP")
    assert run("agree", "NL-CPA", "DE-MSA") == "NL-CPA and DE-MSA: ACTIVE for all modules.\n"
    Agreement.objects.update(valid_until=datetime(2026, 1, 2, tzinfo=UTC))
    shown = run("agree", "NL-CPA", "DE-MSA")
    assert "Nothing passes: the agreement NL-CPA - DE-MSA ended on 2026-01-02." in shown


def test_a_module_the_roles_never_exchange_is_refused() -> None:
    """A navigation service reads locations, no CDRs; the console says it in the same words."""
    PartyFactory.create(country_code="NL", party_id="CPA")
    PartyFactory.create(country_code="DE", party_id="MSA", role="NSP")
    sentence = fails("agree", "NL-CPA", "DE-MSA", "--module", "cdrs")
    assert "cannot exchange cdrs: it is not for CPO and NSP" in sentence
    assert not Agreement.objects.exists()


@pytest.mark.parametrize(
    "one,other,sentence",
    [
        ("NL-CPA", "NL-CPA", "no agreement with itself"),
        ("NL-CPA", "XX-ZZZ", "XX-ZZZ is not a party of this hub"),
        ("NL-CPA", "NL-CPB", "have nothing to exchange"),
        ("NLCPA", "NL-CPB", "'NLCPA' is not a party like NL-CPA"),
    ],
)
def test_an_impossible_agreement_is_one_sentence(one: str, other: str, sentence: str) -> None:
    """It says which of the two is the problem."""
    PartyFactory.create(country_code="NL", party_id="CPA")
    PartyFactory.create(country_code="NL", party_id="CPB")
    assert sentence in fails("agree", one, other)


def test_platforms_are_listed() -> None:
    """A table for people, everything but secrets for scripts."""
    assert "No platforms yet" in run("platforms")
    assert run_json("platforms") == []
    PartyFactory.create(
        party_id="CPA", platform=PlatformFactory.create(name="P1", last_error="it broke")
    )
    shown = run("platforms")
    assert shown.splitlines()[0].split()[:3] == ["name", "status", "version"]
    assert "P1    CONNECTED  2.2.1    NL-CPA (CPO)  never" in shown
    [listed] = run_json("platforms")
    assert listed["parties"] == listed["allowed_parties"] == ["NL-CPA (CPO)"]
    assert listed["quirks"]["base64_out"] is True


def test_forgetting_needs_a_yes() -> None:
    """What cannot be undone is confirmed."""
    PlatformFactory.create(name="P1")
    assert "confirm with --yes" in fails("forget_platform", "P1")
    assert run("forget_platform", "P1", "--yes").endswith("\nP1 is forgotten.\n")
    assert "there are none yet" in fails("forget_platform", "P1", "--yes")


def test_what_the_database_cannot_hold_is_a_sentence() -> None:
    """No command ends in a traceback for what somebody typed."""
    assert fails("rotate_credentials", "P\0")


def test_credentials_are_sealed_anew() -> None:
    """The command says how many."""
    CredentialsFactory.create(outbound=True)
    assert run_json("reencrypt_credentials") == {"reencrypted": 1}
    assert "1 tokens are sealed" in run("reencrypt_credentials")


@pytest.mark.django_db(transaction=True)
def test_the_hub_registers_and_rotates_from_the_terminal(wire: Wire, start: Start) -> None:
    """The whole handshake by two commands."""
    platform = start(CPO)
    words = ["register_platform", "P1", "--versions-url", platform.url, "--role", CPO]
    with platform.answer("GET /ocpi/versions", misbehaviour.html()):
        assert "HTTP 500 without an OCPI envelope" in fails(*words, "--token-a", platform.invite())
    connected = run_json(*words, "--token-a", platform.invite())
    assert (connected["status"], connected["version"]) == ("CONNECTED", "2.2.1")
    assert connected["parties"] == ["NL-CPA (CPO)"]
    before = platform.hub.token
    assert run("rotate_credentials", "P1") == "P1 has new tokens in both directions.\n"
    assert platform.hub.token != before
    assert run_json("forget_platform", "P1", "--yes")["forgotten"] == "P1"
    assert platform.hub.connection is None


def test_a_platform_is_renamed_and_may_have_other_parties() -> None:
    """Registered or not; what is not named stays as it is."""
    invite()
    PlatformFactory.create(name="P2")
    assert run_json("change_platform", "P1", "--rename", "Charge Co") == {
        "platform": "Charge Co",
        "parties": ["NL-CPA (CPO)"],
    }
    changed = run_json("change_platform", "Charge Co", "--role", CPO, "--role", "EMSP:DE:MSA")
    assert changed["parties"] == ["DE-MSA (EMSP)", "NL-CPA (CPO)"]
    assert "another platform is called P2" in fails(
        "change_platform", "Charge Co", "--rename", "P2"
    )
    assert "may register" in run("change_platform", "Charge Co", "--role", CPO)
    assert AllowedParty.objects.filter(platform__name="Charge Co").count() == 1


@pytest.mark.security("S-23")
@pytest.mark.django_db(transaction=True)
def test_a_token_is_no_argument(
    wire: Wire, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes by standard input or from a file, unseen by others; or there is a warning."""
    platform = start(CPO)
    words = ["register_platform", "P1", "--versions-url", platform.url, "--role", CPO]
    monkeypatch.setattr("sys.stdin", StringIO("\n"))
    assert "Token A is empty" in fails(*words)
    assert "cannot be read" in fails(*words, f"--token-a-file={tmp_path / 'none'}")
    (tmp_path / "token").write_text("from a file\n")
    assert secret_from(str(tmp_path / "token"), prompt="Token A: ") == "from a file"
    warned = StringIO()
    with pytest.raises(CommandError):
        call_command(*words, "--token-a=wrong", stdout=StringIO(), stderr=warned)
    assert "use --token-a-file" in warned.getvalue()
    monkeypatch.setattr("sys.stdin", StringIO(f"{platform.invite()}\n"))
    assert "P1 is connected" in run(*words, "--token-a-file=-")
