"""Roaming agreements between two parties: made, changed, suspended and expired."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from django.utils import timezone

from ocpi.types import ModuleID, PartyRef, Role
from operators.audit import record
from parties.models import Agreement, AgreementState, Party
from parties.role_pairs import AGREEING_ROLES, all_pairs
from parties.signals import agreement_changed, announce

__all__ = [
    "NoSuchAgreement",
    "agree",
    "between",
    "expire",
    "has_begun",
    "has_ended",
    "objections",
    "outside_period",
    "set_state",
    "suspend",
]


class NoSuchAgreement(ValueError):
    """The two parties cannot have this agreement; the sentence says why."""


def agree(
    one: PartyRef,
    other: PartyRef,
    *,
    modules: Sequence[ModuleID] = (),
    state: AgreementState = AgreementState.ACTIVE,
) -> Agreement:
    """Set the agreement of a CPO-like and an eMSP-like party, named in either order.

    Without modules a new agreement is about all of them; one that exists keeps those it has.
    """
    cpo, emsp = between(one, other, modules=modules)
    named = {"modules": list(modules)} if modules else {}
    agreement, _ = Agreement.objects.update_or_create(
        cpo=cpo, emsp=emsp, defaults={"state": state, **named}
    )
    return agreement


def between(
    one: PartyRef,
    other: PartyRef,
    *,
    modules: Iterable[ModuleID] = (),
    roles: tuple[str, str] = ("", ""),
) -> tuple[Party, Party]:
    """Return the two sides, the CPO-like first; `NoSuchAgreement` says why they cannot agree.

    A party with several roles takes part in the first that fits, or in the one of `roles`.
    """
    cpo, emsp = _sides(one, other, roles)
    _require_possible(cpo, emsp, modules)
    return cpo, emsp


def suspend(one: PartyRef, other: PartyRef) -> Agreement:
    """Suspend an agreement and leave its modules as they are; in open access, refuse the pair."""
    cpo, emsp = _sides(one, other)
    agreement, _ = Agreement.objects.update_or_create(
        cpo=cpo, emsp=emsp, defaults={"state": AgreementState.SUSPENDED}
    )
    return agreement


def set_state(cpo: Party, emsp: Party, *, state: AgreementState) -> Agreement:
    """Put the agreement of two parties in a state; one that exists keeps its modules and period."""
    _require_possible(cpo, emsp, ())
    agreement, _ = Agreement.objects.update_or_create(cpo=cpo, emsp=emsp, defaults={"state": state})
    return agreement


def expire() -> list[Agreement]:
    """Turn active agreements whose period is over into EXPIRED ones, and announce each.

    Nothing passes by them since their period ended; now their state says so too.
    """
    over = Agreement.objects.filter(
        state=AgreementState.ACTIVE, valid_until__lte=timezone.now()
    ).select_related("cpo", "emsp")
    return [agreement for agreement in over if _expired(agreement)]


def _expired(agreement: Agreement) -> bool:
    """Expire one; return False if somebody changed it meanwhile."""
    still = Agreement.objects.filter(
        pk=agreement.pk, state=AgreementState.ACTIVE, valid_until=agreement.valid_until
    )
    if not still.update(state=AgreementState.EXPIRED):
        return False
    agreement.state = AgreementState.EXPIRED.value
    was, now = {"state": AgreementState.ACTIVE.value}, {"state": agreement.state}
    record("expired", agreement, before=was, after=now)
    announce(agreement_changed, Agreement, agreement_id=agreement.pk)
    return True


def objections(cpo: Party, emsp: Party, modules: Iterable[str]) -> Iterator[str]:
    """Yield sentences that say why two parties cannot agree on these modules."""
    if cpo.ref == emsp.ref and cpo.platform_id == emsp.platform_id:
        yield f"{cpo.ref} needs no agreement with itself."
        return
    pair = (Role(cpo.role), Role(emsp.role))
    if pair not in AGREEING_ROLES:
        roles = f"{pair[0]} and {pair[1]}"
        yield f"{cpo} and {emsp} have nothing to exchange: no module is for {roles}."
        return
    for name in modules:
        if not {pair, pair[::-1]} & all_pairs(ModuleID(name)):
            yield f"{cpo} and {emsp} cannot exchange {name}: it is not for {pair[0]} and {pair[1]}."


def _require_possible(cpo: Party, emsp: Party, modules: Iterable[str]) -> None:
    objection = next(objections(cpo, emsp, modules), None)
    if objection is not None:
        raise NoSuchAgreement(objection)


def has_begun(agreement: Agreement) -> bool:
    """Return whether its period has begun."""
    return agreement.valid_from is None or agreement.valid_from <= timezone.now()


def has_ended(agreement: Agreement) -> bool:
    """Return whether its period is over."""
    return agreement.valid_until is not None and agreement.valid_until <= timezone.now()


def outside_period(agreement: Agreement) -> str | None:
    """Return why an agreement has no effect now, if its period is the reason."""
    if not has_begun(agreement):
        return f"begins on {agreement.valid_from:%Y-%m-%d}"
    return f"ended on {agreement.valid_until:%Y-%m-%d}" if has_ended(agreement) else None


def _sides(
    one: PartyRef, other: PartyRef, roles: tuple[str, str] = ("", "")
) -> tuple[Party, Party]:
    """Find the two parties whose roles have something to exchange, the CPO-like first."""
    ones, others = _known(one, roles[0]), _known(other, roles[1])
    both = [*product(ones, others), *product(others, ones)]
    if one == other and len({party.platform_id for party in ones}) == 1:
        message = f"{one} needs no agreement with itself"
        raise NoSuchAgreement(message)
    found = [
        (a, b)
        for a, b in both
        if (Role(a.role), Role(b.role)) in AGREEING_ROLES
        and (one != other or a.platform_id != b.platform_id)
    ]
    if found:  # a CPO or NAP before an eMSP in a CPO's place
        return min(found, key=lambda pair: pair[0].role == Role.EMSP)
    message = (
        f"{one} ({_roles(ones)}) and {other} ({_roles(others)}) have nothing to exchange:"
        " one must be a CPO or NAP, the other an eMSP, NSP, NAP, SCSP or OTHER;"
        " or one an eMSP, the other its SCSP"
    )
    raise NoSuchAgreement(message)


def _known(ref: PartyRef, role: str) -> list[Party]:
    """Return the party in all its roles, CPO first, or in the one that is named."""
    found = list(Party.objects.filter(key=str(ref)).order_by("role"))
    if not found:
        message = f"{ref} is not a party of this hub: invite its platform first"
        raise NoSuchAgreement(message)
    named = [party for party in found if role in {"", party.role}]
    if not named:
        message = f"{ref} has no role {role} at this hub, it is {_roles(found)}"
        raise NoSuchAgreement(message)
    return named


def _roles(parties: list[Party]) -> str:
    return ", ".join(party.role for party in parties)
