"""An endpoint that a platform has and does not advertise is added by hand, and stays."""

import pytest
from django.urls import reverse

from ocpi.errors import OcpiError
from operators.groups import Role
from operators.models import Change
from parties.connection_status import ConnectionStatus
from parties.models import Endpoint, Platform
from parties.registration.inbound import disconnect
from parties.registration.invitation import AllowedRole, invite, prepare
from parties.registration.outbound import register, renew_tokens
from sandbox import SandboxPlatform
from tests.cast import MSA, Cast, a_location, push
from tests.operators.staff import console, person
from tests.parties.commands import fails, run, run_json

LOCATIONS = ("locations", "RECEIVER")


@pytest.fixture
def emsp(cast: Cast) -> SandboxPlatform:
    """An eMSP that takes Locations and does not say so."""
    platform = cast.start("P2")
    platform.hide(*LOCATIONS)
    platform.register_with(cast.versions_url, cast.token_a("P2"))
    return platform


def kept() -> list[str]:
    """Return the URLs that the hub has for Locations of the eMSP."""
    found = Endpoint.objects.filter(platform__name="P2", module="locations", role="RECEIVER")
    return list(found.values_list("url", flat=True))


def test_what_is_added_is_used(cast: Cast, emsp: SandboxPlatform) -> None:
    """A message to the party finds the interface; without it, it is 4000."""
    cpo = cast["P1"]
    cast.agree(("NL-CPA", "DE-MSA"))
    assert push(cpo, a_location(), to=MSA).status_code == 4000
    shown = run_json("endpoint", "P2", *LOCATIONS, emsp.endpoint(*LOCATIONS))
    (added,) = [each for each in shown["endpoints"] if each["by_hand"]]
    assert added["url"] == emsp.endpoint(*LOCATIONS)
    assert push(cpo, a_location(), to=MSA).status_code == 1000
    assert emsp.wait_for("PUT")


def test_it_stays_when_the_details_are_read_again(cast: Cast, emsp: SandboxPlatform) -> None:
    """Whoever asks for that, and whatever is advertised by then; all else is as advertised."""
    url = emsp.endpoint(*LOCATIONS)
    run("endpoint", "P2", *LOCATIONS, url)
    emsp.rotate()
    assert kept() == [url]
    emsp.addresses.unlisted.clear()
    emsp.move(*LOCATIONS, "/elsewhere")
    emsp.move("tokens", "SENDER", "/new/tokens")
    renew_tokens(Platform.objects.get())
    assert kept() == [url]
    tokens = Endpoint.objects.get(module="tokens", role="SENDER")
    assert (tokens.url, tokens.by_hand) == (emsp.endpoint("tokens", "SENDER"), False)


def test_it_stays_when_the_platform_registers_anew(cast: Cast, emsp: SandboxPlatform) -> None:
    """Meanwhile nothing of it is used, as nothing is sent to a platform that is not registered."""
    cpo, url = cast["P1"], emsp.endpoint(*LOCATIONS)
    run("endpoint", "P2", *LOCATIONS, url)
    cast.agree(("NL-CPA", "DE-MSA"))
    disconnect(Platform.objects.get(name="P2"), status=ConnectionStatus.SUSPENDED)
    assert Endpoint.objects.filter(platform__name="P2").count() == 1
    assert push(cpo, a_location(), to=MSA).status_code == 4003
    emsp.register_with(cast.versions_url, invite("P2", roles=(), reset=True).token)
    assert kept() == [url]
    assert push(cpo, a_location(), to=MSA).status_code == 1000


def test_removed_it_is_as_advertised_again(emsp: SandboxPlatform) -> None:
    """With the next reading of the details."""
    run("endpoint", "P2", *LOCATIONS, f"{emsp.endpoint(*LOCATIONS)}/other")
    run("endpoint", "P2", *LOCATIONS, "--remove")
    assert kept() == []
    emsp.addresses.unlisted.clear()
    emsp.rotate()
    assert kept() == [emsp.endpoint(*LOCATIONS)]


def test_it_counts_in_the_handshake(cast: Cast) -> None:
    """A platform that advertises nothing of use, nor credentials, registers by what was added."""
    platform = cast.start("P2", modules={"locations": ["RECEIVER"]})
    platform.hide(*LOCATIONS)
    platform.hide("credentials", "SENDER")
    row = prepare("P2", roles=[AllowedRole.parse("EMSP:DE:MSA")])
    with pytest.raises(OcpiError, match="need at least one of"):
        register(row, versions_url=platform.url, token_a=platform.invite())
    run("endpoint", "P2", *LOCATIONS, platform.endpoint(*LOCATIONS))
    run("endpoint", "P2", "credentials", "RECEIVER", platform.endpoint("credentials", "SENDER"))
    register(row, versions_url=platform.url, token_a=platform.invite())
    assert row.is_registered


@pytest.mark.parametrize(
    "words,sentence",
    [
        (("nothing", "SENDER", "https://a.example"), "no module that the hub knows"),
        (("locations", "OWNER", "https://a.example"), "no role of an interface"),
        (("locations", "SENDER", "ftp://a.example"), "cannot be used"),
        (("locations", "SENDER", f"https://a.example/{'a' * 255}"), "1 to 255 characters"),
        (("locations", "SENDER"), "write the URL"),
        (("locations", "SENDER", "https://a.example", "--remove"), "write the URL"),
        (("locations", "SENDER", "--remove"), "no locations SENDER that was added by hand"),
    ],
)
def test_what_cannot_be_is_refused(cast: Cast, words: tuple[str, ...], sentence: str) -> None:
    """With a sentence that says what is wrong; nothing changes."""
    cast.token_a("P2")
    assert sentence in fails("endpoint", "P2", *words)
    assert not Endpoint.objects.filter(by_hand=True).exists()


def test_the_hub_itself_is_no_endpoint_of_a_platform(cast: Cast) -> None:
    """Messages would go round."""
    cast.token_a("P2")
    assert fails("endpoint", "P2", *LOCATIONS, cast.versions_url)


def test_the_console_adds_and_removes_it(cast: Cast, emsp: SandboxPlatform) -> None:
    """By who may change platforms, and the audit has it; a viewer may not."""
    page = reverse("admin:parties_platform_add_endpoint", args=[Platform.objects.get(name="P2").pk])
    olga, victor = console(person("olga", Role.OPERATOR)), console(person("victor", Role.VIEWER))
    given = {"module": "locations", "role": "RECEIVER", "url": emsp.endpoint(*LOCATIONS)}
    assert victor.post(page, given).status_code == 403
    assert olga.get(page).status_code == 200
    assert "cannot be used" in olga.post(page, {**given, "url": "ftp://x"}).content.decode()
    assert kept() == []
    assert olga.post(page, given).status_code == 302
    assert kept() == [given["url"]]
    assert given["url"] in olga.get(page).content.decode()
    change = Change.objects.get(action="added an endpoint")
    assert change.who == "olga"
    assert change.after == {"endpoints by hand": [f"locations RECEIVER at {given['url']}"]}
    assert olga.post(page, {**given, "url": ""}).status_code == 302
    assert kept() == []
    del cast
