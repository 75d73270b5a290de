"""May one party send a module's messages to another? The only place that knows.

Spec: 2.2.1 transport and format ("opposite role"); A-24, A-28, A-30. One SQL text yields every pair
with access; the verdict on one message, what an eMSP may list and who receives a change are all
selections from it. Views, delivery, GET-All and the console ask here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings

from ocpi.types import InterfaceRole, ModuleID, PartyRef, Role
from parties import database
from parties.agreements import outside_period
from parties.models import Agreement, AgreementState, Party
from parties.role_pairs import SIDES, Pairs, pairs_of
from parties.status import ConnectionStatus

Parameters = dict[str, Any]
_Way = tuple[PartyRef, PartyRef]
"""Whose objects, and who has them."""

_FITTING = """
    owner.key <> receiver.key
    AND (owner.role || ' ' || receiver.role) = ANY(%(access_roles)s)
"""
_LIVE = f"""
    owner.is_active AND receiver.is_active
    AND owner_platform.status <> %(access_suspended)s
    AND receiver_platform.status <> %(access_suspended)s
    AND {_FITTING}
"""
_COVERED = "(cardinality(agreement.modules) = 0 OR %(access_module)s = ANY(agreement.modules))"
_JOINS = """
    JOIN parties_platform owner_platform ON owner_platform.id = owner.platform_id
    JOIN parties_platform receiver_platform ON receiver_platform.id = receiver.platform_id
"""
_SELECT = "SELECT DISTINCT owner.key AS owner_key, receiver.id AS receiver_party_id"


_ACQUAINTED = "SELECT owner.id AS party_id, receiver.platform_id"
_ACQUAINTANCE = f"owner.platform_id <> receiver.platform_id AND receiver.is_active AND {_FITTING}"


def _agreed(owner: str, receiver: str, *, select: str, where: str) -> str:
    """Write one reading of the agreements: who owns and who reads is the roles' business."""
    return f"""
{select}
FROM parties_agreement agreement
JOIN parties_party owner ON owner.id = agreement.{owner}
JOIN parties_party receiver ON receiver.id = agreement.{receiver}
{_JOINS}
WHERE {where}
    AND agreement.state = %(access_active)s
    AND (agreement.valid_from IS NULL OR agreement.valid_from <= statement_timestamp())
    AND (agreement.valid_until IS NULL OR agreement.valid_until > statement_timestamp())
"""


def _short(sql: str) -> str:
    """Leave out what only readers need: psycopg parses texts of 4,096 characters anew each time."""
    return " ".join(sql.split())


def _both(select: str, where: str) -> str:
    # A UNION, not a LATERAL: conditions of a composing query reach the indexes of both halves.
    one, other = (
        _agreed(*sides, select=select, where=where)
        for sides in (("cpo_id", "emsp_id"), ("emsp_id", "cpo_id"))
    )
    return _short(f"{one} UNION {other}")


def _open(select: str, where: str) -> str:
    return _short(f"""
{select}
FROM parties_party owner CROSS JOIN parties_party receiver
{_JOINS}
WHERE {where}
    AND NOT EXISTS (
        SELECT FROM parties_agreement refused WHERE refused.state = %(access_refused)s
        AND (refused.cpo_id, refused.emsp_id) IN ((owner.id, receiver.id), (receiver.id, owner.id)))
""")


_AGREED, _OPEN = _both(_SELECT, f"{_LIVE} AND {_COVERED}"), _open(_SELECT, _LIVE)
_AGREED_ACQUAINTANCES = _both(_ACQUAINTED, _ACQUAINTANCE)
_OPEN_ACQUAINTANCES = _open(_ACQUAINTED, _ACQUAINTANCE)


_TO_KEY = "receiver_party_id = ANY(ARRAY(SELECT id FROM parties_party WHERE key = %(access_{})s))"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a message may pass, and in one sentence why."""

    allowed: bool
    why: str


def access_pairs_sql(module: ModuleID, *, roles: Pairs | None = None) -> tuple[str, Parameters]:
    """Return SQL with named parameters that yields (owner_key, receiver_party_id) of every pair.

    `owner_key` is the key of the party whose objects they are, `receiver_party_id` the id of a
    party that may have them. For composition: `JOIN (…) access ON access.owner_key = …`. `roles`
    leaves only pairs of parties in these roles.
    """
    agreed = settings.HUB_ACCESS == "agreement"
    own = {"access_active": AgreementState.ACTIVE.value, "access_module": module.value}
    return (_AGREED if agreed else _OPEN), {
        "access_suspended": ConnectionStatus.SUSPENDED.value,
        "access_roles": _written(pairs_of(module) if roles is None else roles),
        **(own if agreed else {"access_refused": AgreementState.SUSPENDED.value}),
    }


def acquaintances_sql() -> tuple[str, Parameters]:
    """Return SQL with named parameters that yields (party_id, platform_id) of every acquaintance.

    The party with this id may exchange messages of some module with a party of this platform once
    both are connected; at present it may stand in any way.
    """
    agreed = settings.HUB_ACCESS == "agreement"
    return (_AGREED_ACQUAINTANCES if agreed else f"{_OPEN_ACQUAINTANCES} GROUP BY 1, 2"), {
        "access_roles": sorted({f"{a} {b}" for pair in SIDES for a, b in (pair, pair[::-1])}),
        **(
            {"access_active": AgreementState.ACTIVE.value}
            if agreed
            else {"access_refused": AgreementState.SUSPENDED.value}
        ),
    }


def visible_owners(
    *, receiver: PartyRef, module: ModuleID, roles: Pairs | None = None
) -> frozenset[str]:
    """Return the keys of the parties whose objects a party may have."""
    pairs, parameters = access_pairs_sql(module, roles=roles)
    sql = f"SELECT owner_key FROM ({pairs}) access WHERE {_TO_KEY.format('reader')}"  # noqa: S608
    return frozenset(
        key for (key,) in database.rows(sql, {**parameters, "access_reader": str(receiver)})
    )


def receivers(module: ModuleID, *, owner: PartyRef) -> tuple[int, ...]:
    """Return the ids of the parties that may have an owner's objects, in a stable order."""
    pairs, parameters = access_pairs_sql(module)
    sql = f"""SELECT receiver_party_id FROM ({pairs}) access
        WHERE owner_key = %(access_owner)s ORDER BY 1"""  # noqa: S608
    return tuple(pk for (pk,) in database.rows(sql, {**parameters, "access_owner": str(owner)}))


def verdict(
    *,
    sender: PartyRef,
    receiver: PartyRef,
    module: ModuleID,
    called: tuple[InterfaceRole, Role] | None = None,
) -> Verdict:
    """Judge a message between two parties, whichever of them owns the objects it is about.

    When it is `called`, the interface and the role in which the receiver implements it, only an
    agreement with that role counts: an owner calls RECEIVER interfaces, a reader SENDER interfaces.
    """
    ways, roles = _ways(sender, receiver), pairs_of(module)
    if called is not None:
        owner_calls = called[0] is InterfaceRole.RECEIVER
        ways = ways[:1] if owner_calls else ways[1:]
        roles = frozenset(pair for pair in roles if pair[owner_calls] is called[1])
    if not _is_allowed(ways, module, roles):
        return Verdict(allowed=False, why=_why_not(ways, module, roles))
    reason = (
        "an active agreement" if settings.HUB_ACCESS == "agreement" else "the hub's open access"
    )
    return Verdict(allowed=True, why=f"{sender} and {receiver} exchange {module} by {reason}")


def _ways(one: PartyRef, other: PartyRef) -> list[_Way]:
    return [(one, other), (other, one)]


def _is_allowed(ways: Sequence[_Way], module: ModuleID, roles: Pairs) -> bool:
    pairs, parameters = access_pairs_sql(module, roles=roles)
    keys = {"access_one": str(ways[0][0]), "access_other": str(ways[0][1])}
    exists = [
        f"EXISTS (SELECT FROM ({pairs}) access WHERE owner_key = %(access_{owner})s"
        f" AND {_TO_KEY.format(reader)})"
        for owner, reader in (("one", "other"), ("other", "one"))[: len(ways)]
    ]
    [(allowed,)] = database.rows(f"SELECT {' OR '.join(exists)}", {**parameters, **keys})
    return bool(allowed)


@lru_cache(maxsize=128)
def _written(roles: Pairs) -> list[str]:
    return sorted(f"{owner} {reader}" for owner, reader in roles)


def _why_not(ways: Sequence[_Way], module: ModuleID, roles: Pairs) -> str:
    """Explain a refusal; asked only after the SQL said no."""
    one, other = ways[0]
    if one == other:
        return f"{one} cannot send {module} to itself"
    sides = {
        ref: list(Party.objects.filter(key=str(ref)).select_related("platform"))
        for ref in (one, other)
    }
    for ref, found in sides.items():
        objection = _absence(ref, found)
        if objection is not None:
            return objection
    pairs = [(a, b) for owner, reader in ways for a in sides[owner] for b in sides[reader]]
    fitting = [(a, b) for a, b in pairs if (Role(a.role), Role(b.role)) in roles]
    if not fitting:
        return f"the roles of {one} and {other} have no {module} to exchange"
    return _missing_agreement(fitting, module)


def _absence(ref: PartyRef, found: list[Party]) -> str | None:
    if not found:
        return f"{ref} is not a party of this hub"
    if not any(
        party.is_active and party.platform.status != ConnectionStatus.SUSPENDED for party in found
    ):
        return f"{ref} is {found[0].status}"
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
