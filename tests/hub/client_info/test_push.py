"""Every platform hears how the parties stand that it may exchange messages with."""

from collections.abc import Callable

import pytest
from django.conf import LazySettings

from hub.client_info import verification
from hub.models import ClientInfo
from ocpi.transport.routing_headers import RoutingHeaders
from parties import connection_health
from parties.connection_status import ConnectionStatus
from parties.models import Party, Platform
from sandbox import SandboxPlatform, misbehaviour
from tests.cast import CPA, CPB, MSA, Cast

Tell = Callable[[], None]


def row(name: str) -> Platform:
    """Return a platform as the hub knows it now."""
    return Platform.objects.get(name=name)


def statuses(platform: SandboxPlatform) -> dict[str, str]:
    """Return what a platform was sent."""
    return platform.clients.statuses()


@pytest.fixture
def emsp(cast: Cast, tell_all: Tell) -> SandboxPlatform:
    """DE-MSA, with agreements with both CPOs of P1, and sent so."""
    for name in ("P1", "P2"):
        cast[name]  # registers
    cast.agree(("NL-CPA", "DE-MSA"), ("NL-CPB", "DE-MSA"))
    tell_all()
    return cast["P2"]


@pytest.mark.conformance("HCI-02", "HCI-03", "HCI-04")
def test_a_new_party_is_told_to_whoever_may_have_to_do_with_it(
    cast: Cast, emsp: SandboxPlatform, tell_all: Tell
) -> None:
    """P3 registers: P1 sees PUT FR/MSB CONNECTED, with message ids and no routing headers."""
    cast.token_a("P3")
    cast.agree(("NL-CPA", "FR-MSB"))
    tell_all()
    cpo = cast["P1"]
    assert statuses(cpo)["FR-MSB EMSP"] == "PLANNED"
    cpo.forget()

    newcomer = cast.start("P3")
    newcomer.register_with(cast.versions_url, cast.token_a("P3"))
    tell_all()

    [seen] = cpo.seen
    assert (seen.method, seen.path.endswith("/receiver/hubclientinfo/FR/MSB")) == ("PUT", True)
    assert set(seen.json) == {"party_id", "country_code", "role", "status", "last_updated"}
    assert seen.json["status"] == "CONNECTED"
    assert RoutingHeaders.read(seen.headers) == RoutingHeaders()
    assert seen.headers["X-Request-ID"]
    assert seen.headers["X-Correlation-ID"]
    assert statuses(newcomer) == {"NL-CPA CPO": "CONNECTED"}


@pytest.mark.conformance("HCI-05")
def test_an_unreachable_party_is_offline_for_everybody(
    cast: Cast, emsp: SandboxPlatform, tell_all: Tell
) -> None:
    """Its peers see OFFLINE; back again they see CONNECTED."""
    row("P1").move_to(ConnectionStatus.OFFLINE)
    tell_all()
    assert statuses(emsp) == {"NL-CPA CPO": "OFFLINE", "NL-CPB CPO": "OFFLINE"}

    connection_health.called(row("P1").pk)
    tell_all()
    assert set(statuses(emsp).values()) == {"CONNECTED"}


@pytest.mark.conformance("CRED-21")
def test_a_party_its_platform_no_longer_names_is_suspended(
    cast: Cast, emsp: SandboxPlatform, tell_all: Tell
) -> None:
    """PUT of credentials without NL-CPB: it is routed no longer, and others see SUSPENDED."""
    cpo = cast["P1"]
    cpo.roles = [role for role in cpo.roles if role[1] == CPA]
    cpo.rotate()
    tell_all()

    assert statuses(emsp) == {"NL-CPA CPO": "CONNECTED", "NL-CPB CPO": "SUSPENDED"}
    assert emsp.hub.get("locations", "SENDER", to=CPB, sender=MSA).status_code == 4003


@pytest.mark.conformance("CRED-22", "HCI-07")
def test_an_unregistered_platform_is_suspended_and_stays_listed(
    cast: Cast, emsp: SandboxPlatform, tell_all: Tell
) -> None:
    """DELETE of credentials: SUSPENDED for the others, whose entries stay."""
    cast["P1"].unregister()
    cast["P1"].forget()
    tell_all()

    assert statuses(emsp) == {"NL-CPA CPO": "SUSPENDED", "NL-CPB CPO": "SUSPENDED"}
    listed = emsp.hub.get("hubclientinfo", "SENDER").data
    assert [each["status"] for each in listed] == ["SUSPENDED"] * 2
    assert cast["P1"].seen == []
    assert emsp.hub.get("locations", "SENDER", to=CPA, sender=MSA).status_code == 4003


@pytest.mark.conformance("HCI-07")
def test_a_forgotten_party_stays_listed(cast: Cast, emsp: SandboxPlatform, tell_all: Tell) -> None:
    """Even with its rows gone, whoever knew it is sent that it is SUSPENDED."""
    row("P1").delete()
    tell_all()
    assert set(statuses(emsp).values()) == {"SUSPENDED"}


@pytest.mark.conformance("HCI-13")
def test_a_party_with_two_roles_is_told_twice(
    cast: Cast, tell_all: Tell, settings: LazySettings
) -> None:
    """BE-MIX is CPO and EMSP: a NAP, which has to do with both, gets two objects, CPO first."""
    settings.HUB_ACCESS = "open"
    cast["P4"]  # registers
    nap = cast["P6"]
    nap.forget()
    tell_all()

    sent = [seen for seen in nap.seen if seen.path.endswith("/BE/MIX")]
    assert [seen.json["role"] for seen in sent] == ["CPO", "EMSP"]
    assert statuses(nap) == {"BE-MIX CPO": "CONNECTED", "BE-MIX EMSP": "CONNECTED"}


@pytest.mark.conformance("HCI-12")
def test_flapping_is_damped(
    cast: Cast, emsp: SandboxPlatform, tell_all: Tell, settings: LazySettings
) -> None:
    """However often a party comes and goes, a platform hears of it once in an interval."""
    settings.HUB_CLIENT_INFO_SECONDS = 30
    emsp.forget()
    ClientInfo.objects.update(sent_at=None)
    for _ in range(4):
        row("P1").move_to(ConnectionStatus.OFFLINE)
        tell_all()
        row("P1").move_to(ConnectionStatus.CONNECTED)
        tell_all()

    paths = [seen.path for seen in emsp.seen]
    assert len(paths) == len(set(paths)) == 2


def test_what_nobody_took_is_told_again(cast: Cast, emsp: SandboxPlatform, tell_all: Tell) -> None:
    """A platform that cannot be reached hears what it missed once it is back."""
    with emsp.answer("PUT", misbehaviour.reset()):
        row("P1").move_to(ConnectionStatus.OFFLINE)
        tell_all()
    assert set(statuses(emsp).values()) == {"CONNECTED"}

    connection_health.called(row("P2").pk)
    tell_all()
    assert set(statuses(emsp).values()) == {"OFFLINE"}


@pytest.mark.conformance("HCI-16")
def test_a_copy_that_is_wrong_is_told_again(
    cast: Cast, emsp: SandboxPlatform, tell_all: Tell
) -> None:
    """The hub GETs the platform's copies, and sends again what it lacks or has wrong."""
    emsp.clients.received[CPA, "CPO"]["status"] = "OFFLINE"
    del emsp.clients.received[CPB, "CPO"]

    assert verification.verify(row("P2").pk) == 2
    tell_all()

    assert set(statuses(emsp).values()) == {"CONNECTED"}
    assert len(statuses(emsp)) == 2
    assert verification.verify(row("P2").pk) == 0


@pytest.mark.parametrize("status", [404, 405])
def test_a_platform_that_shows_no_copies_is_asked_once_a_day(
    cast: Cast, emsp: SandboxPlatform, status: int
) -> None:
    """An interface without GET is an answer: each row is looked at, and left alone for a day."""
    emsp.answer("GET", misbehaviour.detail(status))
    emsp.forget()

    assert verification.verify(row("P2").pk) == 0

    assert len(emsp.seen) == 2
    assert row("P2").pk not in verification.unverified()
    assert set(ClientInfo.objects.values_list("sent_status", flat=True)) == {"CONNECTED"}


def test_copies_are_not_read_while_a_platform_wants_to_be_left_alone(
    cast: Cast, emsp: SandboxPlatform
) -> None:
    """After a 429 nothing more is asked, until its pause is over."""
    with emsp.answer("GET", misbehaviour.say(429, b"", headers={"Retry-After": "200"})):
        emsp.forget()
        verification.verify(row("P2").pk)

    assert len(emsp.seen) == 1
    assert row("P2").pk not in verification.unverified()
    Platform.objects.update(next_attempt_at=None)
    assert row("P2").pk in verification.unverified()


@pytest.mark.conformance("HCI-14")
def test_nobody_is_told_of_a_party_that_became_its_own(
    cast: Cast, emsp: SandboxPlatform, tell_all: Tell
) -> None:
    """NL-CPA moves to the platform of DE-MSA, which knew it: no entry, and no PUT."""
    Party.objects.filter(key=str(CPA)).update(platform=row("P2"))
    emsp.forget()

    tell_all()

    listed = emsp.hub.get("hubclientinfo", "SENDER").data
    assert [each["party_id"] for each in listed] == ["CPB"]
    assert not [seen for seen in emsp.seen if seen.path.endswith("/NL/CPA")]
