"""Which token is good for what, in which spelling."""

import base64
from datetime import timedelta

import pytest
from django.utils import timezone

from ocpi.errors import Unauthenticated
from ocpi.transport.authorization import header
from ocpi.types import PartyRef, Role
from parties.authentication import identify, is_known
from parties.caller import CallerParty
from parties.connection_status import ConnectionStatus
from parties.models import Credentials, Platform
from sandbox.platform import SandboxPlatform
from tests.factories import CredentialsFactory, PartyFactory, PlatformFactory
from tests.parties.conftest import Start
from tests.parties.wire import Wire, code, invited, said

PATHS = ["versions", "2.2.1", "2.2.1/credentials"]
TOKEN = "a-token-that-is-long-enough"


@pytest.mark.conformance("TF-01")
@pytest.mark.parametrize("path", [*PATHS, "2.2.1/sender/locations"])
def test_no_header_is_401_with_an_envelope(wire: Wire, path: str) -> None:
    """Every endpoint demands an Authorization header, and says how it is written."""
    response = wire.get(path)
    assert code(response) == (401, 2001)
    assert "data" not in response.json()
    assert "Token <Base64" in said(response)


@pytest.mark.conformance("TF-02")
@pytest.mark.parametrize("path", [*PATHS, "2.2.1/sender/locations"])
def test_an_unknown_token_is_401(wire: Wire, path: str) -> None:
    """A token that belongs to nobody opens nothing."""
    assert code(wire.get(path, token="nope")) == (401, 2001)


@pytest.mark.conformance("TF-04")
def test_an_unencoded_token_is_taken_unless_the_platform_is_strict(
    wire: Wire, registered: SandboxPlatform
) -> None:
    """Raw tokens are accepted by default (A-02), refused for a platform configured so."""
    raw = f"Token {registered.hub.token}"
    assert code(wire.send("GET", authorization=raw)) == (200, 1000)
    assert Credentials.objects.inbound(Platform.objects.get()).get().form == "RAW"
    platform = Platform.objects.get()
    platform.quirks = platform.quirks.with_settings(["raw_token=off"])
    platform.save()
    refused = wire.send("GET", authorization=raw)
    assert code(refused) == (401, 2001)
    assert "un-encoded" in said(refused)
    assert registered.hub.token not in refused.text


@pytest.mark.conformance("TF-05")
def test_odd_spellings_of_the_header_are_understood(
    wire: Wire, registered: SandboxPlatform
) -> None:
    """Scheme case, padding, alphabet and an encoded newline do not matter."""
    token = registered.hub.token
    encoded = header(token)[6:]
    spellings = [
        f"tOKEN {encoded}",
        f"Token {encoded.rstrip('=')}",
        f"Token  {base64.urlsafe_b64encode(token.encode()).decode()}",
        "Token " + base64.b64encode(f"{token}\n".encode()).decode(),
    ]
    for authorization in spellings:
        assert code(wire.send("GET", authorization=authorization)) == (200, 1000)


def test_an_unknown_token_that_looks_unencoded_is_told_so(wire: Wire) -> None:
    """The 401 says when the token is not Base64, without repeating it."""
    response = wire.send("GET", authorization="Token not_base64!")
    assert code(response) == (401, 2001)
    assert "un-encoded" in said(response)
    assert "not_base64" not in response.text


@pytest.mark.conformance("TF-06")
def test_token_a_opens_the_configuration_modules_only(wire: Wire) -> None:
    """Elsewhere token A is 401, and the answer says that it is one."""
    token = invited().token
    for path in PATHS:
        assert code(wire.get(path, token=token)) == (200, 1000)
    for path in ("2.2.1/sender/locations", "2.2.1/receiver/locations/NL/CPA/L1"):
        response = wire.get(path, token=token)
        assert code(response) == (401, 2001)
        assert "token A" in said(response)


@pytest.mark.conformance("TF-07", "CRED-01")
def test_issued_tokens_are_unique_short_and_printable(wire: Wire, start: Start) -> None:
    """Each platform gets tokens of its own, at most 64 printable characters, 256 random bits."""
    platforms = {"P1": start("CPO:NL:CPA"), "P2": start("EMSP:DE:MSA")}
    tokens = []
    for (name, platform), role in zip(
        platforms.items(), ("CPO:NL:CPA", "EMSP:DE:MSA"), strict=True
    ):
        token_a = invited(role, name=name).token
        platform.register_with(wire.versions_url, token_a)
        tokens += [token_a, platform.hub.token]
        assert identify(header(platform.hub.token), configuring=False).name == name
    assert len(set(tokens)) == 4
    for token in tokens:
        assert len(token) == 64
        assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@pytest.mark.conformance("TF-09")
def test_tokens_are_case_sensitive(wire: Wire, registered: SandboxPlatform) -> None:
    """Flipping the case of one letter makes another token."""
    token = registered.hub.token
    position = next(i for i, letter in enumerate(token) if letter.isalpha())
    flipped = token[:position] + token[position].swapcase() + token[position + 1 :]
    assert wire.get(token=flipped).status_code == 401


@pytest.mark.django_db
def test_a_caller_knows_its_platform_and_active_parties() -> None:
    """One look-up gives the platform, its parties in every role, and its quirks."""
    platform = PlatformFactory.create(name="mixed")
    cpo = PartyFactory.create(platform=platform, country_code="BE", party_id="MIX")
    emsp = PartyFactory.create(platform=platform, role="EMSP", country_code="BE", party_id="MIX")
    PartyFactory.create(platform=platform, is_active=False)
    row = CredentialsFactory.create(platform=platform, token=TOKEN)
    caller = identify(header(TOKEN), configuring=False)
    mix = PartyRef("BE", "MIX")
    assert caller.parties == (
        CallerParty(Role.CPO, mix, cpo.pk, "BE-MIX"),
        CallerParty(Role.EMSP, mix, emsp.pk, "BE-MIX"),
    )
    assert (caller.name, caller.version, caller.credentials_id) == ("mixed", "2.2.1", row.pk)
    assert caller.refs == {mix}
    assert caller.token_last_four == TOKEN[-4:]
    assert caller.presented_token == TOKEN
    assert TOKEN not in repr(caller)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "row,sentence",
    [
        ({"revoked_at": timezone.now()}, "replaced or withdrawn"),
        (
            {
                "valid_from": timezone.now() - timedelta(2),
                "valid_until": timezone.now() - timedelta(1),
            },
            "expired",
        ),
        ({"kind": "A", "revoked_at": timezone.now()}, "token A was used"),
        ({"platform__status": ConnectionStatus.SUSPENDED}, "not registered"),
    ],
)
@pytest.mark.parametrize("configuring", [True, False])
def test_a_token_that_ended_says_why(
    row: dict[str, object], sentence: str, *, configuring: bool
) -> None:
    """Revoked and expired tokens, and those of suspended platforms, are 401 everywhere."""
    CredentialsFactory.create(token=TOKEN, **row)
    with pytest.raises(Unauthenticated, match=sentence) as refused:
        identify(header(TOKEN), configuring=configuring)
    assert TOKEN not in str(refused.value)


@pytest.mark.django_db
@pytest.mark.security("S-08")
@pytest.mark.parametrize("ended", [{}, {"revoked_at": -1}, {"valid_from": -2, "valid_until": -1}])
def test_a_long_body_is_read_behind_a_token_that_is_good(ended: dict[str, int]) -> None:
    """Withdrawn and expired tokens count as none, like those nobody knows."""
    now = timezone.now()
    moments = {name: now + timedelta(days=days) for name, days in ended.items()}
    CredentialsFactory.create(token=TOKEN, **moments)

    assert is_known(header(TOKEN)) is not bool(ended)
    assert not is_known(header("another"))
    assert not is_known(None)


@pytest.mark.django_db
def test_any_call_ends_back_off_and_brings_the_platform_back() -> None:
    """A platform that calls is alive: OFFLINE becomes CONNECTED, nothing waits any longer."""
    platform = PlatformFactory.create(
        status=ConnectionStatus.OFFLINE,
        failures=7,
        next_attempt_at=timezone.now() + timedelta(hours=1),
    )
    CredentialsFactory.create(platform=platform, token=TOKEN)
    caller = identify(header(TOKEN), configuring=False)
    platform.refresh_from_db()
    assert caller.status is ConnectionStatus.CONNECTED
    assert platform.status == ConnectionStatus.CONNECTED
    assert (platform.failures, platform.next_attempt_at) == (0, None)


@pytest.mark.django_db
@pytest.mark.parametrize("age,noted", [(10, False), (31, True)])
def test_the_last_sign_of_life_is_noted_every_half_minute(age: int, *, noted: bool) -> None:
    """A busy platform does not cost a write per call."""
    before = timezone.now() - timedelta(seconds=age)
    platform = PlatformFactory.create(last_seen_at=before)
    CredentialsFactory.create(platform=platform, token=TOKEN)
    identify(header(TOKEN), configuring=False)
    platform.refresh_from_db()
    assert (platform.last_seen_at != before) is noted


@pytest.mark.django_db
def test_a_provisional_token_is_confirmed_by_functional_use_only() -> None:
    """While the hub renews tokens, versions calls with the new one do not end the old one."""
    platform = PlatformFactory.create()
    old = CredentialsFactory.create(platform=platform)
    new = CredentialsFactory.create(platform=platform, token=TOKEN, provisional=True)
    identify(header(TOKEN), configuring=True)
    old.refresh_from_db()
    assert old.revoked_at is None
    identify(header(TOKEN), configuring=False)
    old.refresh_from_db()
    new.refresh_from_db()
    assert old.revoked_at is not None
    assert new.provisional is False
