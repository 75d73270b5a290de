"""Access: whether one party may send a module's messages to another. The only place that knows.

Spec: 2.2.1 transport and format ("opposite role"); A-24, A-28, A-30. A party is judged as it is
registered: its key, its role and its platform. One SQL text yields every pair with access; what an
eMSP may list and who receives a change are selections from it, `reach_sql` judges one message by
the same conditions. Views, delivery, GET-All and the console ask here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings

from database import sql
from ocpi.types import InterfaceRole, ModuleID, PartyRef, Role
from parties import sql as statements
from parties.agreements import outside_period
from parties.connection_status import ConnectionStatus
from parties.holders import Named, names, ref_of
from parties.models import Agreement, AgreementState, Party
from parties.role_pairs import SIDES, Pairs, pairs_of

Parameters = dict[str, Any]
_Way = tuple[str, str]
"""Whose objects, and who has them."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a message may pass, and in one sentence why."""

    allowed: bool
    why: str


def access_pairs_sql(module: ModuleID, *, roles: Pairs | None = None) -> tuple[str, Parameters]:
    """Return SQL with named parameters that yields (owner, receiver_party_id) of every pair.

    `owner` is the holder whose objects they are (`parties.holders`), `receiver_party_id` the id of
    a party that may have them. For composition: `JOIN (…) access ON access.owner = …`. `roles`
    leaves only pairs of parties in these roles.
    """
    agreed = settings.HUB_ACCESS == "agreement"
    return (statements.PAIRS_BY_AGREEMENT if agreed else statements.PAIRS_IN_OPEN_ACCESS), {
        "access_suspended": ConnectionStatus.SUSPENDED.value,
        "access_roles": _as_text(pairs_of(module) if roles is None else roles),
        **_by(module if agreed else None),
    }


def reach_sql(
    module: ModuleID, interface: InterfaceRole, *, sender: Named
) -> tuple[str, Parameters]:
    """Return SQL with named parameters that says who a party `p` is for a sender.

    One row for composition (`LATERAL (…)`): `is_known` when something lets the two exchange this
    module, whatever their roles make of it, `may_be_called` when the sender may call this
    interface of it, both however `p` is connected. An owner calls RECEIVER interfaces, a reader
    SENDER interfaces.
    """
    agreed = settings.HUB_ACCESS == "agreement"
    parameters = {
        "access_sender": str(sender),
        "access_owner_calls": interface is InterfaceRole.RECEIVER,
        "access_roles": _as_text(pairs_of(module)),
        **_by(module if agreed else None),
    }
    if agreed:
        return statements.REACH_BY_AGREEMENT, parameters
    return statements.REACH_IN_OPEN_ACCESS, {**parameters, "access_any_roles": _ANY_ROLES}


def contacts_sql() -> tuple[str, Parameters]:
    """Return SQL with named parameters that yields (party_id, platform_id) of every contact.

    The party with this id may exchange messages of some module with a party of this platform once
    both are connected, whatever the status of either is now.
    """
    agreed = settings.HUB_ACCESS == "agreement"
    text = statements.CONTACTS_BY_AGREEMENT if agreed else statements.CONTACTS_IN_OPEN_ACCESS
    in_force = {"access_active": AgreementState.ACTIVE.value}
    return text, {"access_roles": _ANY_ROLES, **(in_force if agreed else _by(None))}


def visible_owners(
    *, receiver: Named, module: ModuleID, roles: Pairs | None = None
) -> frozenset[str]:
    """Return the holders whose objects a holder may have."""
    pairs, parameters = access_pairs_sql(module, roles=roles)
    parameters["access_reader"] = str(receiver)
    return frozenset(owner for (owner,) in sql.rows(statements.visible_owners(pairs), parameters))


def receivers(module: ModuleID, *, owner: Named) -> tuple[int, ...]:
    """Return the ids of the parties that may have a holder's objects, in a stable order."""
    pairs, parameters = access_pairs_sql(module)
    parameters["access_owner"] = str(owner)
    return tuple(pk for (pk,) in sql.rows(statements.receivers(pairs), parameters))


def verdict(*, sender: Named, receiver: Named, module: ModuleID) -> Verdict:
    """Judge a message between two holders, whichever of them owns the objects it is about.

    For operators: it says more than senders may know.
    """
    one, other = str(sender), str(receiver)
    ways, roles = [(one, other), (other, one)], pairs_of(module)
    if not _is_allowed(ways, module):
        return Verdict(allowed=False, why=_why_not(ways, module, roles))
    reason = (
        "an active agreement" if settings.HUB_ACCESS == "agreement" else "the hub's open access"
    )
    both = f"{ref_of(one)} and {ref_of(other)}"
    return Verdict(allowed=True, why=f"{both} exchange {module} by {reason}")


def explain(one: PartyRef, other: PartyRef, module: ModuleID) -> Verdict:
    """Judge two parties by name, for operators: at each of the platforms they are registered at."""
    pairs = [(a, b) for a in names(one) for b in names(other) if a != b or one == other]
    found = [(a, b, verdict(sender=a, receiver=b, module=module)) for a, b in pairs]
    different = [each for each in found if each[0] != each[1]] or found
    if len(different) == 1:
        return different[0][2]
    reasons = [f"{a} with {b}: {each.why}" for a, b, each in different]
    return Verdict(any(each.allowed for _, _, each in different), "; ".join(reasons))


def _by(module: ModuleID | None) -> Parameters:
    """Name what decides: an agreement that covers a module, or without one that nobody refused."""
    if module is None:
        return {"access_refused": AgreementState.SUSPENDED.value}
    return {"access_active": AgreementState.ACTIVE.value, "access_module": module}


def _is_allowed(ways: Sequence[_Way], module: ModuleID) -> bool:
    pairs, parameters = access_pairs_sql(module)
    parameters["access_one"], parameters["access_other"] = ways[0]
    [(allowed,)] = sql.rows(statements.is_allowed(pairs), parameters)
    return bool(allowed)


@lru_cache(maxsize=128)
def _as_text(roles: Pairs) -> list[str]:
    return sorted(f"{owner} {reader}" for owner, reader in roles)


_ANY_ROLES = sorted({f"{a} {b}" for pair in SIDES for a, b in (pair, pair[::-1])})


def _why_not(ways: Sequence[_Way], module: ModuleID, roles: Pairs) -> str:
    """Explain a refusal; asked only after the SQL said no."""
    one, other = ways[0]
    if one == other:
        return f"{ref_of(one)} cannot send {module} to itself"
    sides = {
        holder: list(Party.objects.filter(holder=holder).select_related("platform"))
        for holder in (one, other)
    }
    for holder, found in sides.items():
        objection = _absence(holder, found)
        if objection is not None:
            return objection
    pairs = [(a, b) for owner, reader in ways for a in sides[owner] for b in sides[reader]]
    fitting = [(a, b) for a, b in pairs if (Role(a.role), Role(b.role)) in roles]
    if not fitting:
        both = f"{ref_of(one)} and {ref_of(other)}"
        return f"the roles of {both} have no {module} to exchange"
    return _missing_agreement(fitting, module)


def _absence(holder: str, found: list[Party]) -> str | None:
    if not found:
        return f"{ref_of(holder)} is not a party of this hub"
    if not any(
        party.is_active and party.platform.status != ConnectionStatus.SUSPENDED for party in found
    ):
        return f"{ref_of(holder)} is {found[0].status}"
    return None


def _missing_agreement(pairs: list[tuple[Party, Party]], module: ModuleID) -> str:
    for one, other in pairs:
        both = [one.pk, other.pk]
        for agreement in Agreement.objects.filter(cpo__in=both, emsp__in=both).select_related(
            "cpo", "emsp"
        ):
            return f"the agreement {agreement} {_shortcoming(agreement, module)}"
    return f"there is no agreement between {pairs[0][0].ref} and {pairs[0][1].ref}"


def _shortcoming(agreement: Agreement, module: ModuleID) -> str:
    if agreement.state != AgreementState.ACTIVE:
        return f"is {agreement.state}"
    return outside_period(agreement) or f"does not cover {module}"
