"""What may help a platform is proposed when its messages show it, with the command to type."""

import shlex
from datetime import UTC, datetime

import pytest
from django.urls import reverse

from hub.models import Exchange
from hub.onboarding import read
from hub.onboarding.evidence import Facts
from hub.onboarding.proposals import propose
from ocpi.errors import NoMatchingEndpoints, OcpiError
from operators.groups import Role
from parties.models import Platform
from parties.registration.invitation import AllowedRole, Initiator, prepare
from parties.registration.outbound import register
from sandbox import SandboxPlatform
from sandbox.misbehaviour import detail, refuse, unauthorized
from sandbox.server import Responder
from tests.cast import CPA, HUB, MSA, Cast, a_location, push
from tests.hub.message_log.conftest import Logged
from tests.operators.staff import console, person
from tests.parties.commands import fails, run, run_json

LISTS = [AllowedRole.parse(text) for text in ("CPO:NL:CPA", "CPO:NL:CPB")]


@pytest.fixture(autouse=True)
def _log(logged: Logged) -> Logged:
    return logged


def proposed(logged: Logged, name: str = "P1") -> list[str]:
    """Return what is proposed to be typed for a platform, once the log is written."""
    logged()
    commands = [each.command for each in read(Platform.objects.get(name=name)).proposals]
    assert all(each.startswith(f"manage.py quirks {name} ") for each in commands)
    return [each.rpartition(" ")[2] for each in commands]


def follow(logged: Logged, name: str) -> None:
    """Type what is proposed."""
    run("quirks", name, *proposed(logged, name))


def test_nothing_is_proposed_for_who_does_well(cast: Cast, logged: Logged) -> None:
    """Neither before the handshake nor after it."""
    cast.token_a("P1")
    assert proposed(logged) == []
    cast["P2"]
    assert proposed(logged, "P2") == []


def hub_starts(cast: Cast, **options: object) -> tuple[SandboxPlatform, Platform]:
    """Return a platform with which the hub is to start the handshake."""
    return cast.start("P1", **options), prepare("P1", roles=LISTS)


@pytest.mark.parametrize("answer", [refuse(2001), unauthorized(), detail(401)])
def test_credentials_refused_speak_for_another_form_of_the_token(
    cast: Cast, logged: Logged, answer: Responder
) -> None:
    """The error says so too, and only for a first registration."""
    platform, row = hub_starts(cast)
    with platform.answer("POST", answer), pytest.raises(OcpiError, match="base64=off"):
        register(row, versions_url=platform.url, token_a=platform.invite())
    assert proposed(logged) == ["base64=off"]
    register(row, versions_url=platform.url, token_a=platform.invite())
    assert proposed(logged) == []


def test_a_platform_that_takes_raw_tokens_alone_is_reached(cast: Cast, logged: Logged) -> None:
    """By what is proposed after its 401; where that is wrong the way back is proposed."""
    platform, row = hub_starts(cast, accepts="raw")
    with pytest.raises(OcpiError, match="base64=off"):
        register(row, versions_url=platform.url, token_a=platform.invite())
    follow(logged, "P1")
    row.refresh_from_db()
    register(row, versions_url=platform.url, token_a=platform.invite())
    assert row.is_registered


def test_the_command_says_it(cast: Cast, logged: Logged) -> None:
    """Where the handshake is started at the terminal its error has what to try."""
    platform = cast.start("P1", accepts="raw")
    words = ("--versions-url", platform.url, "--role", "CPO:NL:CPA", "--token-a", platform.invite())
    assert "base64=off" in fails("register_platform", "P1", *words)
    del logged


def test_a_form_that_is_wrong_the_other_way_round(cast: Cast, logged: Logged) -> None:
    """With base64=off set and refused, Base64 is proposed."""
    platform, row = hub_starts(cast)
    run("quirks", "P1", "base64=off")
    row.refresh_from_db()
    with pytest.raises(OcpiError, match="base64=on"):
        register(row, versions_url=platform.url, token_a=platform.invite())
    assert proposed(logged) == ["base64=on"]


def test_who_looks_for_credentials_of_a_receiver(cast: Cast, logged: Logged) -> None:
    """It read the version details, and sent nothing: with what is proposed it registers."""
    platform, token = cast.start("P1", credentials_side="RECEIVER"), cast.token_a("P1")
    with pytest.raises(NoMatchingEndpoints):
        platform.register_with(cast.versions_url, token)
    assert proposed(logged) == ["credentials_role=receiver"]
    follow(logged, "P1")
    assert proposed(logged) == []
    platform.register_with(cast.versions_url, token)
    assert Platform.objects.get().is_registered


def test_who_looks_for_it_when_the_hub_starts(cast: Cast, logged: Logged) -> None:
    """It answers our POST with 3003 after it read our version details."""
    platform, row = hub_starts(cast, credentials_side="RECEIVER")
    with pytest.raises(OcpiError):
        register(row, versions_url=platform.url, token_a=platform.invite())
    assert proposed(logged) == ["credentials_role=receiver"]


def test_who_keeps_one_endpoint_a_module(cast: Cast, logged: Logged) -> None:
    """A CPO that asks for tokens where tokens are written; once set, nothing more is proposed."""
    platform = cast.join("P1", role_blind=True)
    platform.hub.get("tokens", "SENDER", sender=CPA)
    assert proposed(logged) == ["details=by-role"]
    follow(logged, "P1")
    assert proposed(logged) == []
    platform.rotate()
    assert platform.hub.get("tokens", "SENDER", sender=CPA).status_code == 1000


def test_a_mistake_on_the_right_side_says_nothing_of_roles(cast: Cast, logged: Logged) -> None:
    """404 for a wrong path of the interface that is the platform's to call is just that."""
    platform = cast["P1"]
    assert platform.hub.put("locations", "RECEIVER", "NL", {}, sender=CPA).http_status == 404
    assert proposed(logged) == []


def test_who_names_itself_as_the_receiver(cast: Cast, logged: Logged) -> None:
    """As the tool of the EVRoaming Foundation does."""
    platform = cast["P2"]
    platform.hub.get("locations", "SENDER", to=MSA, sender=MSA)
    assert proposed(logged, "P2") == ["to_self=on"]
    follow(logged, "P2")
    assert platform.hub.get("locations", "SENDER", to=MSA, sender=MSA).status_code == 1000


def test_who_leaves_its_name_out(cast: Cast, logged: Logged) -> None:
    """Of what it writes the owner is known; of what it reads nothing would say who asks."""
    platform = cast["P1"]
    assert platform.hub.get("tokens", "SENDER").status_code == 2001
    assert proposed(logged) == []
    body = a_location(CPA)
    path = f"NL/CPA/{body['id']}"
    assert platform.hub.put("locations", "RECEIVER", path, body, to=HUB).status_code == 2001
    assert proposed(logged) == ["owner_speaks=on"]
    follow(logged, "P1")
    assert platform.hub.put("locations", "RECEIVER", path, body, to=HUB).status_code == 1000


def test_who_takes_no_patch(cast: Cast, logged: Logged) -> None:
    """405 to a PATCH that was passed on."""
    cpo, emsp = cast["P1"], cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    push(cpo, a_location(), to=MSA)
    change = {"name": "another", "last_updated": "2030-01-01T00:00:00Z"}
    with emsp.answer("PATCH", detail(405)):
        path = f"NL/CPA/{a_location()['id']}"
        cpo.hub.patch("locations", "RECEIVER", path, change, to=MSA, sender=CPA)
    assert proposed(logged, "P2") == ["patch=off"]


def test_who_compares_ids_letter_by_letter(cast: Cast, logged: Logged) -> None:
    """It refused an object whose URL has other letters than the object; not any other."""
    cpo, emsp = cast["P1"], cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    with emsp.answer("PUT", refuse(2001)):
        push(cpo, a_location(), to=MSA)
        assert proposed(logged, "P2") == []
        path = f"nl/cpa/{a_location()['id'].lower()}"
        cpo.hub.put("locations", "RECEIVER", path, a_location(), to=MSA, sender=CPA)
    assert proposed(logged, "P2") == ["one_spelling=on"]


def test_page_and_command_propose(cast: Cast, logged: Logged) -> None:
    """In the same words, with what to type."""
    cast.join("P2").hub.get("locations", "SENDER", to=MSA, sender=MSA)
    logged()
    platform = Platform.objects.get()
    checklist = read(platform)
    code = 0 if checklist.is_complete else 1
    (shown,) = run_json("onboarding", "P2", code=code)["proposals"]
    assert shown == {"why": checklist.proposals[0].why, "command": "manage.py quirks P2 to_self=on"}
    olga = console(person("olga", Role.OPERATOR))
    page = reverse("admin:parties_platform_onboarding", args=[platform.pk])
    for asked in ({}, {"part": "checklist"}):
        assert shown["command"] in olga.get(page, asked).content.decode()


def test_a_name_is_quoted_for_the_shell() -> None:
    """A platform may be called anything."""
    refused = Exchange(direction="out", module="credentials", method="POST", http_status=401)
    facts = Facts(starts=Initiator.HUB, now=datetime.now(UTC), name="A 'B'", exchanges=[refused])
    (found,) = propose(facts)
    assert shlex.split(found.command) == ["manage.py", "quirks", "A 'B'", "base64=off"]
