"""What another hub reports of the parties behind it makes them known and routable, or not."""

import json
from collections.abc import Iterator

import pytest
from django.dispatch import receiver

from hub.client_info import other_hubs
from parties.models import Party, Platform
from parties.registration.invitation import AllowedRole, allow
from parties.signals import platform_changed
from sandbox import Result, SandboxPlatform
from sandbox.misbehaviour import reply
from tests.cast import CPA, MSA, Cast, command
from tests.hub.second_hub import LISTED, XXX

Report = dict[str, object]


@pytest.fixture
def other(cast: Cast) -> Iterator[SandboxPlatform]:
    """NL-HB2, which carries FR-XXX and reports it; DE-MSA has an agreement with that."""
    with SandboxPlatform([("HUB", "NL", "HB2")], client_info=True) as platform:
        answer = command("invite_platform", "HB2", *[f"--role={role}" for role in LISTED])
        platform.register_with(cast.versions_url, answer["token_a"])
        cast["P2"]
        cast.agree(("FR-XXX", "DE-MSA"))
        yield platform


def info(party: str = "XXX", status: str = "CONNECTED", **changes: str) -> Report:
    """Return a ClientInfo of a CPO."""
    value = {"country_code": "FR", "party_id": party, "role": "CPO", "status": status}
    return {**value, "last_updated": "2026-01-01T00:00:00Z", **changes}


def report(other: SandboxPlatform, value: Report) -> Result:
    """PUT a ClientInfo."""
    path = f"{value['country_code']}/{value['party_id']}"
    return other.hub.put("hubclientinfo", "RECEIVER", path, value)


def asked(cast: Cast) -> int | None:
    """Ask the party behind the other hub for its locations."""
    return cast["P2"].hub.get("locations", "SENDER", to=XXX, sender=MSA).status_code


@pytest.mark.conformance("HCI-18")
def test_its_parties_are_routable_as_far_as_it_says(cast: Cast, other: SandboxPlatform) -> None:
    """OFFLINE behind the other hub is 4003 here; CONNECTED is passed on again."""
    assert asked(cast) == 1000
    assert report(other, info(status="OFFLINE")).status_code == 1000
    assert asked(cast) == 4003
    assert other.hub.get("hubclientinfo", "RECEIVER", "FR/XXX").data == info(status="OFFLINE")
    report(other, info(last_updated="2026-01-02T00:00:00Z"))
    assert asked(cast) == 1000


@pytest.mark.conformance("HCI-18")
def test_a_party_named_later_is_known_when_it_is_listed(cast: Cast, other: SandboxPlatform) -> None:
    """The operator lists FR-ZZZ after the registration: client info makes it active."""
    assert report(other, info("ZZZ")).status_code == 2001
    allow(
        Platform.objects.get(name="HB2"),
        [AllowedRole.parse(role) for role in (*LISTED, "CPO:FR:ZZZ")],
    )
    assert not Party.objects.get(key="FR-ZZZ").is_active
    assert report(other, info("ZZZ")).status_code == 1000
    assert Party.objects.get(key="FR-ZZZ").is_active


@pytest.mark.conformance("HCI-18")
def test_a_trusted_hub_names_its_parties_itself(cast: Cast, other: SandboxPlatform) -> None:
    """With the quirk `announces` a party nobody has becomes known; one of others never."""
    platform = Platform.objects.get(name="HB2")
    platform.quirks = platform.quirks.with_settings(["announces=on"])
    platform.save()
    cast["P1"]

    assert report(other, info("ZZZ")).status_code == 1000
    assert Party.objects.get(key="FR-ZZZ").platform_id == platform.pk
    taken = info("CPA", country_code="NL")
    assert report(other, taken).status_code == 2001
    assert Party.objects.get(key=str(CPA)).platform.name == "P1"


def test_an_older_word_changes_nothing(cast: Cast, other: SandboxPlatform) -> None:
    """Messages may overtake each other: the newest last_updated counts."""
    report(other, info(last_updated="2026-01-02T00:00:00Z"))
    report(other, info(status="OFFLINE"))
    assert Party.objects.get(key="FR-XXX").reported_status == "CONNECTED"


def test_the_whole_list_of_another_hub_is_read(cast: Cast, other: SandboxPlatform) -> None:
    """Page by page; what this hub may not take over is passed over."""
    other.clients.listed += [info(f"Z{number:02}") for number in range(60)]
    other.clients.listed.append(info(status="OFFLINE"))

    assert other_hubs.take_over_all(Platform.objects.get(name="HB2").pk) == 1
    assert Party.objects.get(key="FR-XXX").reported_status == "OFFLINE"


@pytest.mark.security("S-04")
def test_a_list_without_end_is_left(
    cast: Cast, other: SandboxPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many pages of the size that was asked for, however large they come."""
    monkeypatch.setattr(other_hubs, "MOST_PAGES", 3)
    other.forget()
    with other.answer("GET /sender/hubclientinfo", reply([info("ZZZ")] * 150)):
        other_hubs.take_over_all(Platform.objects.get(name="HB2").pk)

    assert len([seen for seen in other.seen if "hubclientinfo" in seen.path]) == 2


def test_a_list_is_announced_once(cast: Cast, other: SandboxPlatform) -> None:
    """However many parties changed: each announcement has all workers look for what is due."""
    other.clients.listed += [info(status="OFFLINE"), info("YYY", "OFFLINE", role="EMSP")]
    platform_id = Platform.objects.get(name="HB2").pk
    heard = []

    @receiver(platform_changed)
    def _hear(platform_id: int, **_: object) -> None:
        heard.append(platform_id)

    assert other_hubs.take_over_all(platform_id) == 2
    assert heard == [platform_id]
    other_hubs.take_over_all(platform_id)
    assert heard == [platform_id]


def test_a_hub_with_a_party_of_its_own_keeps_those_it_carries(cast: Cast) -> None:
    """Its credentials name the hub and its own party; a renewal takes no other one away."""
    own = ("CPO", "NL", "HBC")
    with SandboxPlatform([("HUB", "NL", "HB2"), own], client_info=True) as platform:
        roles = [*LISTED, ":".join(own)]
        answer = command("invite_platform", "HB2", *[f"--role={role}" for role in roles])
        platform.register_with(cast.versions_url, answer["token_a"])
        platform.rotate()

        active = Party.objects.filter(is_active=True).values_list("key", flat=True)
        assert sorted(active) == ["FR-XXX", "FR-YYY", "NL-HB2", "NL-HBC"]


def test_only_a_hub_tells(cast: Cast, other: SandboxPlatform) -> None:
    """The RECEIVER interface is announced to hubs and is 404 for anybody else."""
    assert ("hubclientinfo", "RECEIVER") in other.hub.connected.endpoints
    emsp = cast["P2"].hub
    assert ("hubclientinfo", "RECEIVER") not in emsp.connected.endpoints
    url = other.hub.endpoint("hubclientinfo", "RECEIVER")
    assert emsp.call("PUT", f"{url}/FR/XXX", info()).http_status == 404


def test_a_body_about_another_party_is_refused(cast: Cast, other: SandboxPlatform) -> None:
    """URL and body name the same party, with a status there is."""
    path = ("hubclientinfo", "RECEIVER", "FR/YYY")
    assert other.hub.put(*path, info()).status_code == 2001
    assert report(other, info(status="ASLEEP")).status_code == 2001


@pytest.mark.security("S-09")
def test_a_member_said_twice_is_refused(cast: Cast, other: SandboxPlatform) -> None:
    """What another hub tells is read like every other body: nobody takes the last one."""
    said = json.dumps(info(status="OFFLINE"))[:-1] + ',"st\\u0061tus":"CONNECTED"}'
    refused = other.hub.put("hubclientinfo", "RECEIVER", "FR/XXX", said.encode())
    assert refused.status_code == 2001
    assert "status: stands more than once" in str(refused.message)
