"""What the tables refuse, how a status changes, and how tokens and quirks are kept."""

from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.conf import LazySettings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from ocpi.types import PartyRef
from parties import operations, signals, tokens
from parties.connection_status import (
    BY_REGISTRATION,
    TRANSITIONS,
    ConnectionStatus,
    IllegalTransition,
    origins,
)
from parties.models import Agreement, Credentials, Endpoint, Party, Platform, QuirksField
from parties.quirks import Quirks
from tests.factories import (
    AgreementFactory,
    CredentialsFactory,
    EndpointFactory,
    PartyFactory,
    PlatformFactory,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("registering", [False, True])
@pytest.mark.parametrize("origin", list(ConnectionStatus))
@pytest.mark.parametrize("target", list(ConnectionStatus))
def test_a_status_changes_as_the_table_says(
    origin: ConnectionStatus, target: ConnectionStatus, *, registering: bool
) -> None:
    """A declared change happens, staying is nothing, anything else is refused."""
    platform = PlatformFactory.create(status=origin)
    declared = target in TRANSITIONS[origin] or (registering and target in BY_REGISTRATION[origin])
    if declared:
        assert platform.move_to(target, registering=registering) is True
    elif origin is target:
        assert platform.move_to(target, registering=registering) is False
    else:
        with pytest.raises(IllegalTransition, match=f"is {origin} and cannot become {target}"):
            platform.move_to(target, registering=registering)
    platform.refresh_from_db()
    assert platform.status == (target if declared else origin)


def test_only_a_registration_leaves_suspended_for_connected() -> None:
    """SUSPENDED becomes CONNECTED by the handshake alone."""
    suspended = ConnectionStatus.SUSPENDED
    assert suspended not in origins(ConnectionStatus.CONNECTED, registering=False)
    assert suspended in origins(ConnectionStatus.CONNECTED, registering=True)


def test_a_status_another_process_changed_is_not_changed_twice() -> None:
    """The update is conditional: whoever comes second finds the work done."""
    platform = PlatformFactory.create()
    stale = Platform.objects.get(pk=platform.pk)
    assert platform.move_to(ConnectionStatus.OFFLINE)
    assert stale.move_to(ConnectionStatus.OFFLINE) is False
    assert stale.status == ConnectionStatus.OFFLINE


def _with_itself() -> None:
    party = PartyFactory.create()
    AgreementFactory.create(cpo=party, emsp=party)


@pytest.mark.parametrize(
    "rows",
    [
        lambda: PlatformFactory.create(name=""),
        lambda: PlatformFactory.create(status="GONE"),
        lambda: PlatformFactory.create(version=""),
        lambda: [PlatformFactory.create(name="twice") for _ in "12"],
        lambda: PartyFactory.create(role="BOSS"),
        lambda: PartyFactory.create(country_code="nl"),
        lambda: PartyFactory.create(party_id="AB"),
        lambda: PartyFactory.create(claimed_at=None),
        lambda: [PartyFactory.create(party_id="TWO") for _ in "12"],
        lambda: EndpointFactory.create(module="no name"),
        lambda: EndpointFactory.create(module=""),
        lambda: EndpointFactory.create(role="BOTH"),
        lambda: EndpointFactory.create(url=""),
        lambda: [
            EndpointFactory.create(platform=Platform.objects.first() or PlatformFactory.create())
            for _ in "12"
        ],
        lambda: CredentialsFactory.create(direction="UP"),
        lambda: CredentialsFactory.create(kind="Z"),
        lambda: CredentialsFactory.create(digest=None),
        lambda: CredentialsFactory.create(sealed="x"),
        lambda: CredentialsFactory.create(outbound=True, kind="A"),
        lambda: [CredentialsFactory.create(token="same") for _ in "12"],
        lambda: CredentialsFactory.create(valid_until=timezone.now() - timedelta(days=1)),
        lambda: AgreementFactory.create(state="MAYBE"),
        lambda: AgreementFactory.create(modules=["tokens", "no name"]),
        lambda: AgreementFactory.create(modules=["tokens", ""]),
        lambda: AgreementFactory.create(modules=["tokens,cdrs"]),
        lambda: AgreementFactory.create(modules=[None]),
        _with_itself,
        lambda: AgreementFactory.create(
            valid_from=timezone.now(), valid_until=timezone.now() - timedelta(1)
        ),
    ],
)
def test_the_database_refuses_what_would_break_an_invariant(rows: Any) -> None:
    """Constraints hold whoever writes: console, command or a future bug."""
    with pytest.raises(IntegrityError), transaction.atomic():
        rows()


@pytest.mark.parametrize("row", [{"kind": "A"}, {"outbound": True}])
def test_a_platform_has_one_token_a_and_one_outbound_token(row: dict[str, Any]) -> None:
    """There is never a question which one is meant."""
    platform = PlatformFactory.create()
    CredentialsFactory.create(platform=platform, **row)
    with pytest.raises(IntegrityError), transaction.atomic():
        CredentialsFactory.create(platform=platform, **row)


def test_a_pair_of_parties_has_one_agreement() -> None:
    """A second agreement of the same two is refused."""
    agreement = AgreementFactory.create()
    with pytest.raises(IntegrityError), transaction.atomic():
        AgreementFactory.create(cpo=agreement.cpo, emsp=agreement.emsp)


def test_a_party_is_found_by_its_key() -> None:
    """The key is what routing headers and stored objects name."""
    party = PartyFactory.create(country_code="NL", party_id="CPA")
    assert party.key == "NL-CPA"
    assert Party.objects.get(key="NL-CPA").ref == PartyRef("nl", "cpa")
    assert str(party) == "NL-CPA (CPO)"


def test_names_of_rows_show_no_secret() -> None:
    """Whatever is printed about credentials ends with four characters at most."""
    inbound = CredentialsFactory.create(token="a-token-that-is-long-enough")
    assert repr(inbound) == f"<Credentials {inbound.pk} token C IN …ough>"
    assert CredentialsFactory.create(token="short", outbound=True).last_four == ""
    with pytest.raises(ValueError, match="hash only"):
        _ = inbound.token
    assert str(EndpointFactory.create(url="https://x/")) == "locations RECEIVER at https://x/"
    agreement = AgreementFactory.create()
    assert str(agreement) == f"{agreement.cpo.ref} - {agreement.emsp.ref}"


def test_outbound_tokens_survive_a_change_of_keys(settings: LazySettings) -> None:
    """A new key is put in front, everything is sealed anew, then the old key may go."""
    row = CredentialsFactory.create(token="secret-of-a-platform", outbound=True)
    assert "secret" not in str(row.sealed)
    old = settings.CREDENTIALS_KEYS
    new = [Fernet.generate_key().decode()]
    settings.CREDENTIALS_KEYS = new + old
    assert row.token == "secret-of-a-platform"
    assert operations.reencrypt() == 1
    settings.CREDENTIALS_KEYS = new
    assert Credentials.objects.get().token == "secret-of-a-platform"
    settings.CREDENTIALS_KEYS = old
    with pytest.raises(tokens.Undecryptable, match="removed too early"):
        _ = Credentials.objects.get().token


def test_an_agreement_that_changes_is_announced(django_capture_on_commit_callbacks: Any) -> None:
    """Whoever saves or deletes it, the hub hears of it after commit."""
    heard: list[int] = []

    def hear(agreement_id: int, **_: Any) -> None:
        heard.append(agreement_id)

    signals.agreement_changed.connect(hear)
    with django_capture_on_commit_callbacks(execute=True):
        agreement = AgreementFactory.create()
        pk = agreement.pk
        agreement.save()
        agreement.delete()
    signals.agreement_changed.disconnect(hear)
    assert heard == [pk, pk, pk]
    assert not Agreement.objects.exists()


def test_quirks_are_typed_in_the_table() -> None:
    """The column reads as a value with names, stored values of other releases do no harm."""
    platform = PlatformFactory.create(quirks=Quirks(base64_out=False))
    platform.refresh_from_db()
    assert platform.quirks == Quirks(base64_out=False)
    stored = '{"patch_supported": false, "page_limit": 7, "of_the_future": 1}'
    assert Quirks.from_json(stored) == Quirks(patch_supported=False, page_limit=7)
    field = QuirksField()
    assert field.to_python({"base64_out": False}) == Quirks(base64_out=False)
    with pytest.raises(ValidationError, match="patch_supported"):
        field.to_python({"patch_supported": "many"})
    with pytest.raises(ValidationError, match="page_limit"):
        field.to_python({"page_limit": True})


@pytest.mark.parametrize(
    "settings,expected",
    [
        (["base64=off"], Quirks(base64_out=False)),
        (["raw_token=FALSE", "patch=no"], Quirks(accept_raw_token=False, patch_supported=False)),
        (["base64=off", "base64=ON"], Quirks()),
        (["page_limit=20", "pull=off"], Quirks(page_limit=20, pull=False)),
    ],
)
def test_quirks_are_written_as_people_write_them(settings: list[str], expected: Quirks) -> None:
    """`--quirk base64=off` and the like."""
    assert Quirks().with_settings(settings) == expected


@pytest.mark.parametrize(
    "setting,sentence",
    [
        ("base64", "write NAME=VALUE"),
        ("colour=blue", "write NAME=VALUE with one of .*patch"),
        ("base64=perhaps", "neither on nor off"),
        ("patch=0", "neither on nor off"),
        ("page_limit=many", "no number from 0 to 10000"),
        ("page_limit=10001", "no number from 0 to 10000"),
    ],
)
def test_a_wrong_quirk_says_what_would_be_right(setting: str, sentence: str) -> None:
    """One sentence, naming the setting."""
    with pytest.raises(ValueError, match=sentence):
        Quirks().with_settings([setting])


def test_forgetting_a_platform_takes_everything_with_it() -> None:
    """Parties, tokens, endpoints and agreements go; the partner's rows stay."""
    agreement = AgreementFactory.create()
    platform = agreement.cpo.platform
    CredentialsFactory.create(platform=platform)
    EndpointFactory.create(platform=platform)
    operations.delete_platform(platform)
    assert not Agreement.objects.exists()
    assert not Credentials.objects.exists()
    assert not Endpoint.objects.exists()
    assert [party.pk for party in Party.objects.all()] == [agreement.emsp.pk]
