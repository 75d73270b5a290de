"""Access: whether one party may send a module's messages to another; decided here and nowhere else.

Spec: 2.2.1 transport and format ("opposite role"); A-24, A-28, A-30. A party is judged as it is
registered: its key, its role and its platform. One SQL text yields every pair with access. What an
eMSP may list and who receives a change are selections from it; `reach_sql` judges one message by
the same conditions. Views, delivery, GET-All and the console ask here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from typing import Any

from django.conf import settings

from database import sql
from ocpi.types import InterfaceRole, ModuleID, PartyRef, Role
from parties import directory
from parties import sql as statements
from parties.agreements import outside_period
from parties.connection_status import ConnectionStatus
from parties.directory import Question
from parties.epoch import Epoch
from parties.holders import HolderName, names, ref_of
from parties.models import Agreement, AgreementState, Party
from parties.role_pairs import AGREEING_ROLES, Pairs, all_pairs

Parameters = dict[str, Any]
_OwnerAndReader = tuple[str, str]
"""Two holders' names: whose the objects are, and who reads them."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a message may pass, and in one sentence why."""

    allowed: bool
    why: str


def access_pairs_sql(module: ModuleID, *, roles: Pairs | None = None) -> tuple[str, Parameters]:
    """Return SQL with named parameters that yields (owner, receiver_party_id) of every pair.

    `owner` is the holder whose objects they are (`parties.holders`), `receiver_party_id` the id of
    a party that may have them. To be embedded: `JOIN (…) access ON access.owner = …`. `roles`
    leaves only pairs of parties in these roles.
    """
    agreed = settings.HUB_ACCESS == "agreement"
    return (statements.PAIRS_BY_AGREEMENT if agreed else statements.PAIRS_IN_OPEN_ACCESS), {
        "access_suspended": ConnectionStatus.SUSPENDED.value,
        "access_roles": _roles_as_text(all_pairs(module) if roles is None else roles),
        **_deciding(module if agreed else None),
    }


def reach_sql(
    module: ModuleID, interface: InterfaceRole, *, sender: HolderName
) -> tuple[str, Parameters]:
    """Return SQL with named parameters that says what a party `p` is to a sender, in one row.

    To be embedded: `LATERAL (…)`. `is_known`: an agreement on this module, or open access, joins
    the two, whatever the module allows their roles. `may_be_called`: the sender may call this
    interface of `p`: an owner calls RECEIVER interfaces, a reader SENDER interfaces. Neither
    depends on how `p` is connected.
    """
    agreed = settings.HUB_ACCESS == "agreement"
    parameters = {
        "access_sender": str(sender),
        "access_owner_calls": interface is InterfaceRole.RECEIVER,
        "access_roles": _roles_as_text(all_pairs(module)),
        **_deciding(module if agreed else None),
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
    return text, {"access_roles": _ANY_ROLES, **(in_force if agreed else _deciding(None))}


def mode() -> str:
    """Return by what access is given; a part of each question about it."""
    access: str = settings.HUB_ACCESS
    return access


@dataclass(frozen=True, slots=True)
class _VisibleOwners(Question[frozenset[str]]):
    receiver: str
    module: ModuleID
    roles: Pairs | None
    mode: str = field(default_factory=mode)

    def ask(self) -> frozenset[str]:
        """Select the owners of the pairs with access that this is the reader of."""
        pairs, parameters = access_pairs_sql(self.module, roles=self.roles)
        parameters["access_reader"] = self.receiver
        found = sql.rows(statements.visible_owners(pairs), parameters)
        return frozenset(owner for (owner,) in found)

    def is_kept(self, answer: frozenset[str]) -> bool:
        """Keep that there is none as well: each platform has few holders that can ask."""
        del answer
        return True


def visible_owners(
    *,
    receiver: HolderName,
    module: ModuleID,
    roles: Pairs | None = None,
    epoch: Epoch | None = None,
) -> frozenset[str]:
    """Return the holders whose objects a holder may have.

    What is remembered of the epoch is not asked for again; without one the database is.
    """
    return directory.answer(_VisibleOwners(str(receiver), module, roles), epoch)


def receivers(module: ModuleID, *, owner: HolderName) -> tuple[int, ...]:
    """Return the ids of the parties that may have a holder's objects, in a stable order."""
    pairs, parameters = access_pairs_sql(module)
    parameters["access_owner"] = str(owner)
    return tuple(pk for (pk,) in sql.rows(statements.receivers(pairs), parameters))


def verdict(*, sender: HolderName, receiver: HolderName, module: ModuleID) -> Verdict:
    """Judge a message between two holders, whichever of them owns the objects it is about.

    For operators: it says more than senders may know.
    """
    one, other = str(sender), str(receiver)
    directions, roles = [(one, other), (other, one)], all_pairs(module)
    if not _is_allowed(directions, module):
        return Verdict(allowed=False, why=_why_not(directions, module, roles))
    reason = (
        "an active agreement" if settings.HUB_ACCESS == "agreement" else "the hub's open access"
    )
    both = f"{ref_of(one)} and {ref_of(other)}"
    return Verdict(allowed=True, why=f"{both} exchange {module} by {reason}")


def explain(one: PartyRef, other: PartyRef, module: ModuleID) -> Verdict:
    """Judge two parties by name, for operators: at each of the platforms they are registered at."""
    every = list(product(names(one), names(other)))
    pairs = [(a, b) for a, b in every if a != b] or every  # one key may be at two platforms
    verdicts = [verdict(sender=a, receiver=b, module=module) for a, b in pairs]
    if len(verdicts) == 1:
        return verdicts[0]
    reasons = [f"{a} with {b}: {each.why}" for (a, b), each in zip(pairs, verdicts, strict=True)]
    return Verdict(any(each.allowed for each in verdicts), "; ".join(reasons))


def _deciding(module: ModuleID | None) -> Parameters:
    """Name which agreements decide: those in force on a module or, in open access, refusals."""
    if module is None:
        return {"access_refused": AgreementState.SUSPENDED.value}
    return {"access_active": AgreementState.ACTIVE.value, "access_module": module}


def _is_allowed(directions: Sequence[_OwnerAndReader], module: ModuleID) -> bool:
    pairs, parameters = access_pairs_sql(module)
    parameters["access_one"], parameters["access_other"] = directions[0]
    [(allowed,)] = sql.rows(statements.is_allowed(pairs), parameters)
    return bool(allowed)


@lru_cache(maxsize=128)
def _roles_as_text(roles: Pairs) -> list[str]:
    return sorted(f"{owner} {reader}" for owner, reader in roles)


_ANY_ROLES = sorted({f"{a} {b}" for pair in AGREEING_ROLES for a, b in (pair, pair[::-1])})


def _why_not(directions: Sequence[_OwnerAndReader], module: ModuleID, roles: Pairs) -> str:
    """Explain a refusal; asked only after the SQL said no."""
    one, other = directions[0]
    if one == other:
        return f"{ref_of(one)} cannot send {module} to itself"
    sides = {
        holder: list(Party.objects.filter(holder=holder).select_related("platform"))
        for holder in (one, other)
    }
    absences = [_absence(holder, found) for holder, found in sides.items()]
    reasons = [each for each in absences if each is not None]
    if all(sides.values()):
        reasons += _objections(directions, sides, module, roles)
    return "; ".join(reasons)


def _objections(
    directions: Sequence[_OwnerAndReader],
    sides: Mapping[str, list[Party]],
    module: ModuleID,
    roles: Pairs,
) -> Iterator[str]:
    """Say why two parties that there are may not exchange a module, however they are connected."""
    pairs = [(a, b) for owner, reader in directions for a in sides[owner] for b in sides[reader]]
    fitting = [(a, b) for a, b in pairs if (Role(a.role), Role(b.role)) in roles]
    if not fitting:
        one, other = directions[0]
        yield f"the roles of {ref_of(one)} and {ref_of(other)} have no {module} to exchange"
    elif settings.HUB_ACCESS == "agreement" or _agreement(fitting) is not None:
        yield from _missing_agreement(fitting, module)


def _absence(holder: str, found: list[Party]) -> str | None:
    if not found:
        return f"{ref_of(holder)} is not a party of this hub"
    if not any(
        party.is_active and party.platform.status != ConnectionStatus.SUSPENDED for party in found
    ):
        return f"{ref_of(holder)} is {found[0].status}"
    return None


def _missing_agreement(pairs: list[tuple[Party, Party]], module: ModuleID) -> Iterator[str]:
    agreement = _agreement(pairs)
    if agreement is None:
        yield f"there is no agreement between {pairs[0][0].ref} and {pairs[0][1].ref}"
        return
    wrong = [
        f"is {agreement.state}" if agreement.state != AgreementState.ACTIVE else "",
        outside_period(agreement) or "",
        f"does not cover {module}" if agreement.modules and module not in agreement.modules else "",
    ]
    if any(wrong):
        yield f"the agreement {agreement} {' and '.join(filter(None, wrong))}"


def _agreement(pairs: list[tuple[Party, Party]]) -> Agreement | None:
    known = Agreement.objects.select_related("cpo", "emsp")
    found = (known.filter(cpo__in=[a, b], emsp__in=[a, b]).first() for a, b in pairs)
    return next((each for each in found if each is not None), None)
