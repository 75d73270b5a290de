"""Making and changing roaming agreements between two parties.

Spec: none; architecture chapter 4.
"""

from collections.abc import Sequence

from ocpi.types import ModuleID, PartyRef
from parties.models import Agreement, AgreementState, Party
from parties.role_pairs import PARTNERS


class NoSuchAgreement(ValueError):
    """The two parties cannot have this agreement; the sentence says why."""


def agree(
    one: PartyRef,
    other: PartyRef,
    *,
    modules: Sequence[ModuleID] = (),
    state: AgreementState = AgreementState.ACTIVE,
) -> Agreement:
    """Set the agreement of a CPO-like and an eMSP-like party, named in either order."""
    cpo, emsp = _sides(one, other)
    agreement, _ = Agreement.objects.update_or_create(
        cpo=cpo,
        emsp=emsp,
        defaults={"state": state, "modules": [module.value for module in modules]},
    )
    return agreement


def suspend(one: PartyRef, other: PartyRef) -> Agreement:
    """Suspend an agreement and leave its modules as they are; in open access, refuse the pair."""
    cpo, emsp = _sides(one, other)
    agreement, _ = Agreement.objects.update_or_create(
        cpo=cpo, emsp=emsp, defaults={"state": AgreementState.SUSPENDED}
    )
    return agreement


def _sides(one: PartyRef, other: PartyRef) -> tuple[Party, Party]:
    """Find the two parties whose roles have something to exchange, the CPO-like first."""
    if one == other:
        message = f"{one} needs no agreement with itself"
        raise NoSuchAgreement(message)
    ones, others = _known(one), _known(other)
    for first, second in ((ones, others), (others, ones)):
        for cpo in first:
            for emsp in second:
                if (cpo.role, emsp.role) in PARTNERS and cpo.role in OWNERS:
                    return cpo, emsp
    message = (
        f"{one} ({_roles(ones)}) and {other} ({_roles(others)}) have nothing to exchange:"
        " one must be a CPO or NAP, the other an eMSP, NSP, NAP, SCSP or OTHER"
    )
    raise NoSuchAgreement(message)


OWNERS = frozenset({"CPO", "NAP"})


def _known(ref: PartyRef) -> list[Party]:
    """Return the party in all its roles, CPO first."""
    found = list(Party.objects.filter(key=str(ref)).order_by("role"))
    if not found:
        message = f"{ref} is not a party of this hub: invite its platform first"
        raise NoSuchAgreement(message)
    return found


def _roles(parties: list[Party]) -> str:
    return ", ".join(party.role for party in parties)
