"""Who may exchange what with whom."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from ocpi.types import InterfaceRole, ModuleID, PartyRef, Role
from parties import access
from parties.connection_status import ConnectionStatus
from parties.models import Agreement, AgreementState, Party
from parties.role_pairs import implements
from tests.factories import AgreementFactory, PartyFactory, PlatformFactory

pytestmark = pytest.mark.django_db

LOCATIONS, TOKENS = ModuleID.LOCATIONS, ModuleID.TOKENS
CPA, MSA, MIX = PartyRef("NL", "CPA"), PartyRef("DE", "MSA"), PartyRef("BE", "MIX")


def _party(key: str, role: str = "CPO", **values: Any) -> Party:
    country_code, party_id = key.split("-")
    party: Party = PartyFactory.create(
        country_code=country_code, party_id=party_id, role=role, **values
    )
    return party


@pytest.fixture
def pair() -> Agreement:
    """Make an active agreement of NL-CPA with DE-MSA."""
    agreement: Agreement = AgreementFactory.create(
        cpo=_party("NL-CPA"), emsp=_party("DE-MSA", "EMSP")
    )
    return agreement


def _allowed(module: ModuleID = LOCATIONS) -> access.Verdict:
    verdict = access.verdict(sender=CPA, receiver=MSA, module=module)
    assert verdict.allowed == access.verdict(sender=MSA, receiver=CPA, module=module).allowed
    return verdict


def test_without_an_agreement_nothing_passes() -> None:
    """The default is to deny, and the verdict says what is missing."""
    _party("NL-CPA")
    _party("DE-MSA", "EMSP")
    verdict = _allowed()
    assert verdict == access.Verdict(
        allowed=False, why="there is no agreement between NL-CPA and DE-MSA"
    )
    assert access.visible_owners(receiver=MSA, module=LOCATIONS) == frozenset()


def test_an_agreement_opens_each_module_in_its_own_direction(pair: Agreement) -> None:
    """Locations are the CPO's for the eMSP to see, tokens the eMSP's for the CPO."""
    assert _allowed().allowed
    assert access.visible_owners(receiver=MSA, module=LOCATIONS) == {"NL-CPA"}
    assert access.visible_owners(receiver=CPA, module=LOCATIONS) == frozenset()
    assert access.visible_owners(receiver=CPA, module=TOKENS) == {"DE-MSA"}
    assert access.receivers(LOCATIONS, owner=CPA) == (pair.emsp_id,)
    assert access.receivers(TOKENS, owner=MSA) == (pair.cpo_id,)
    assert access.receivers(LOCATIONS, owner=MSA) == ()


@pytest.mark.parametrize(
    "changes,sentence",
    [
        ({"state": AgreementState.SUSPENDED}, "is SUSPENDED"),
        ({"state": AgreementState.DRAFT}, "is DRAFT"),
        ({"state": AgreementState.EXPIRED}, "is EXPIRED"),
        ({"modules": ["tariffs"]}, "does not cover locations"),
        ({"valid_from": timezone.now() + timedelta(days=1)}, "begins on"),
        ({"valid_until": timezone.now() - timedelta(days=1)}, "ended on"),
    ],
)
def test_an_agreement_counts_while_it_is_active_and_covers_the_module(
    pair: Agreement, changes: dict[str, Any], sentence: str
) -> None:
    """State, validity and modules all matter, and the verdict names which one did."""
    Agreement.objects.update(**changes)
    verdict = _allowed()
    assert not verdict.allowed
    assert sentence in verdict.why
    assert access.visible_owners(receiver=MSA, module=LOCATIONS) == frozenset()
    assert access.receivers(LOCATIONS, owner=CPA) == ()


def test_a_listed_module_passes_within_the_validity(pair: Agreement) -> None:
    """Inside its limits an agreement is as good as an unlimited one."""
    now = timezone.now()
    Agreement.objects.update(
        modules=["locations"],
        valid_from=now - timedelta(days=1),
        valid_until=now + timedelta(days=1),
    )
    assert _allowed().allowed
    assert not _allowed(ModuleID.TARIFFS).allowed


def test_inactive_parties_and_suspended_platforms_are_out(pair: Agreement) -> None:
    """A party its platform no longer names, or whose platform left, exchanges nothing."""
    Party.objects.filter(pk=pair.cpo_id).update(is_active=False)
    assert _allowed().why == "NL-CPA is SUSPENDED"
    Party.objects.filter(pk=pair.cpo_id).update(is_active=True)
    pair.emsp.platform.move_to(ConnectionStatus.SUSPENDED)
    assert _allowed().why == "DE-MSA is SUSPENDED"


def test_all_that_is_in_the_way_is_said_at_once(pair: Agreement) -> None:
    """How both stand, that the agreement is none, and all that is wrong with one."""
    Party.objects.filter(pk=pair.cpo_id).update(is_active=False)
    pair.emsp.platform.move_to(ConnectionStatus.SUSPENDED)
    Agreement.objects.update(
        state=AgreementState.SUSPENDED, modules=["tariffs"], valid_until="2020-01-01T00:00Z"
    )
    assert _allowed().why == (
        "NL-CPA is SUSPENDED; DE-MSA is SUSPENDED; the agreement NL-CPA - DE-MSA is SUSPENDED and"
        " ended on 2020-01-01 and does not cover locations"
    )
    pair.delete()
    assert _allowed().why == (
        "NL-CPA is SUSPENDED; DE-MSA is SUSPENDED; there is no agreement between NL-CPA and DE-MSA"
    )


def test_an_offline_owner_stays_visible(pair: Agreement) -> None:
    """What the hub keeps of a party does not vanish because it does not answer (A-37)."""
    pair.cpo.platform.move_to(ConnectionStatus.OFFLINE)
    assert access.visible_owners(receiver=MSA, module=LOCATIONS) == {"NL-CPA"}


@pytest.mark.parametrize(
    "sender,receiver,sentence",
    [
        (CPA, CPA, "cannot send locations to itself"),
        (CPA, PartyRef("XX", "ZZZ"), "XX-ZZZ is not a party of this hub"),
        (CPA, PartyRef("NL", "CPB"), "have no locations to exchange"),
    ],
)
def test_says_why_two_parties_have_nothing_to_exchange(
    sender: PartyRef, receiver: PartyRef, sentence: str
) -> None:
    """Itself, strangers and equal roles are refused each in its own words."""
    _party("NL-CPA")
    _party("NL-CPB")
    verdict = access.verdict(sender=sender, receiver=receiver, module=LOCATIONS)
    assert not verdict.allowed
    assert sentence in verdict.why


def test_open_access_is_every_opposite_role(settings: LazySettings) -> None:
    """CPO to EMSP, NSP, NAP and OTHER; NAP to EMSP, NSP and OTHER; not SCSP (A-28)."""
    settings.HUB_ACCESS = "open"
    ids = {
        role: _party(f"NL-{role[:3]}", role).pk
        for role in ("CPO", "EMSP", "NSP", "NAP", "OTHER", "SCSP")
    }
    cpo, nap = PartyRef("NL", "CPO"), PartyRef("NL", "NAP")
    expected = {ids[role] for role in ("EMSP", "NSP", "NAP", "OTHER")}
    assert set(access.receivers(LOCATIONS, owner=cpo)) == expected
    assert set(access.receivers(LOCATIONS, owner=nap)) == expected - {ids["NAP"]}
    assert access.receivers(TOKENS, owner=PartyRef("NL", "EMS")) == (ids["CPO"],)
    assert access.receivers(TOKENS, owner=PartyRef("NL", "OTH")) == (ids["CPO"],)
    assert access.receivers(TOKENS, owner=PartyRef("NL", "NSP")) == ()
    assert access.visible_owners(receiver=PartyRef("NL", "NSP"), module=LOCATIONS) == {
        "NL-CPO",
        "NL-NAP",
    }


def test_a_suspended_agreement_closes_a_pair_in_open_access(
    pair: Agreement, settings: LazySettings
) -> None:
    """Open access is what an operator may still take away."""
    settings.HUB_ACCESS = "open"
    Agreement.objects.update(modules=["tariffs"])
    assert _allowed().allowed
    Agreement.objects.update(state=AgreementState.SUSPENDED)
    assert not _allowed().allowed


@pytest.mark.parametrize("mode", ["agreement", "open"])
def test_a_party_never_exchanges_with_itself_but_may_with_its_neighbours(
    settings: LazySettings, mode: str
) -> None:
    """BE-MIX as CPO does not reach BE-MIX as eMSP; another party of its platform is reached."""
    settings.HUB_ACCESS = mode
    platform = PlatformFactory.create()
    cpo = _party("BE-MIX", platform=platform)
    own = _party("BE-MIX", "EMSP", platform=platform)
    neighbour = _party("BE-MSP", "EMSP", platform=platform)
    AgreementFactory.create(cpo=cpo, emsp=own)
    AgreementFactory.create(cpo=cpo, emsp=neighbour)
    assert access.receivers(LOCATIONS, owner=MIX) == (neighbour.pk,)
    assert not access.verdict(sender=MIX, receiver=MIX, module=LOCATIONS).allowed


def test_two_agreements_of_one_name_yield_one_pair() -> None:
    """An owner that is CPO and NAP under one name appears once per receiver."""
    emsp = _party("DE-MSA", "EMSP")
    for role in ("CPO", "NAP"):
        AgreementFactory.create(cpo=_party("NL-CPA", role), emsp=emsp)
    assert access.receivers(LOCATIONS, owner=CPA) == (emsp.pk,)


def test_modules_without_parties_on_both_sides_have_no_pairs(settings: LazySettings) -> None:
    """Nobody owns client info but the hub."""
    settings.HUB_ACCESS = "open"
    _party("NL-CPA")
    _party("DE-MSA", "EMSP")
    assert access.receivers(ModuleID.HUBCLIENTINFO, owner=CPA) == ()


@pytest.mark.parametrize(
    "role,module,interface,expected",
    [
        (Role.CPO, LOCATIONS, InterfaceRole.SENDER, True),
        (Role.CPO, LOCATIONS, InterfaceRole.RECEIVER, False),
        (Role.NAP, LOCATIONS, InterfaceRole.RECEIVER, True),
        (Role.SCSP, LOCATIONS, InterfaceRole.RECEIVER, False),
        (Role.EMSP, TOKENS, InterfaceRole.SENDER, True),
        (Role.HUB, TOKENS, InterfaceRole.RECEIVER, True),
        (Role.CPO, ModuleID.HUBCLIENTINFO, InterfaceRole.RECEIVER, True),
        (Role.CPO, ModuleID.HUBCLIENTINFO, InterfaceRole.SENDER, False),
    ],
)
def test_a_role_implements_what_it_has_a_use_for(
    role: Role, module: ModuleID, interface: InterfaceRole, *, expected: bool
) -> None:
    """Which interface a role offers follows from who owns and who reads a module's objects."""
    assert implements(role, module, interface) is expected
