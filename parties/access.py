"""May one party send a module's messages to another? The only place that knows.

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

from database import sql as database_sql
from ocpi.types import InterfaceRole, ModuleID, PartyRef, Role
from parties.agreements import outside_period
from parties.connection_status import ConnectionStatus
from parties.holders import Named, names, ref_of
from parties.models import Agreement, AgreementState, Party
from parties.role_pairs import SIDES, Pairs, pairs_of

Parameters = dict[str, Any]
_Way = tuple[str, str]
"""Whose objects, and who has them."""

# A key at one platform is nobody's partner but others': it needs no hub to talk to itself.
_FITTING = """
    owner.holder <> receiver.holder
    AND (owner.role || ' ' || receiver.role) = ANY(%(access_roles)s)
"""
_LIVE = f"""
    owner.is_active AND receiver.is_active
    AND owner_platform.status <> %(access_suspended)s
    AND receiver_platform.status <> %(access_suspended)s
    AND {_FITTING}
"""
_COVERED = "(cardinality(agreement.modules) = 0 OR %(access_module)s = ANY(agreement.modules))"
_IN_FORCE = """agreement.state = %(access_active)s
    AND (agreement.valid_from IS NULL OR agreement.valid_from <= statement_timestamp())
    AND (agreement.valid_until IS NULL OR agreement.valid_until > statement_timestamp())"""
_JOINS = """
    JOIN parties_platform owner_platform ON owner_platform.id = owner.platform_id
    JOIN parties_platform receiver_platform ON receiver_platform.id = receiver.platform_id
"""
_SELECT = "SELECT DISTINCT owner.holder AS owner, receiver.id AS receiver_party_id"


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
    AND {_IN_FORCE}
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
_AGREED_CONTACTS = _both(_ACQUAINTED, _ACQUAINTANCE)
_OPEN_CONTACTS = _open(_ACQUAINTED, _ACQUAINTANCE)


# Who a party `p` is for the sender: it may be called here, or their agreement covers the module.
_CALLED = """CASE WHEN %(access_owner_calls)s::boolean
    THEN sender.role || ' ' || p.role ELSE p.role || ' ' || sender.role END"""
_SENDER = "sender.holder = %(access_sender)s AND sender.is_active AND sender.holder <> p.holder"
_PARTNERS = """(agreement.cpo_id, agreement.emsp_id) IN ((p.id, sender.id), (sender.id, p.id))"""
_REACH_AGREED = _short(f"""
SELECT bool_or({_COVERED}) AS is_known,
  bool_or({_COVERED} AND {_CALLED} = ANY(%(access_roles)s::text[])) AS may_be_called
FROM parties_party sender JOIN parties_agreement agreement ON {_PARTNERS}
WHERE {_SENDER} AND {_IN_FORCE}""")  # noqa: S608
_REACH_OPEN = _short(f"""
SELECT bool_or((sender.role || ' ' || p.role) = ANY(%(access_any_roles)s::text[])) AS is_known,
  bool_or({_CALLED} = ANY(%(access_roles)s::text[])) AS may_be_called
FROM parties_party sender
WHERE {_SENDER} AND NOT EXISTS (SELECT FROM parties_agreement agreement
  WHERE {_PARTNERS} AND agreement.state = %(access_refused)s)""")  # noqa: S608

_HELD_BY = (
    "receiver_party_id = ANY(ARRAY(SELECT id FROM parties_party WHERE holder = %(access_{})s))"
)


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
    return (_AGREED if agreed else _OPEN), {
        "access_suspended": ConnectionStatus.SUSPENDED.value,
        "access_roles": _written(pairs_of(module) if roles is None else roles),
        **_by(module if agreed else None),
    }


def reach_sql(
    module: ModuleID, interface: InterfaceRole, *, sender: Named
) -> tuple[str, Parameters]:
    """Return SQL with named parameters that tells of a party `p` who it is for a sender.

    One row for composition (`LATERAL (…)`): `is_known` when something lets the two exchange this
    module, whatever their roles make of it, `may_be_called` when the sender may call this
    interface of it, both however `p` is connected. An owner calls RECEIVER interfaces, a reader
    SENDER interfaces.
    """
    agreed = settings.HUB_ACCESS == "agreement"
    parameters = {
        "access_sender": str(sender),
        "access_owner_calls": interface is InterfaceRole.RECEIVER,
        "access_roles": _written(pairs_of(module)),
        **_by(module if agreed else None),
    }
    if agreed:
        return _REACH_AGREED, parameters
    return _REACH_OPEN, {**parameters, "access_any_roles": _ANY_ROLES}


def contacts_sql() -> tuple[str, Parameters]:
    """Return SQL with named parameters that yields (party_id, platform_id) of every contact.

    The party with this id may exchange messages of some module with a party of this platform once
    both are connected; at present it may stand in any way.
    """
    agreed = settings.HUB_ACCESS == "agreement"
    sql = _AGREED_CONTACTS if agreed else f"{_OPEN_CONTACTS} GROUP BY 1, 2"
    in_force = {"access_active": AgreementState.ACTIVE.value}
    return sql, {"access_roles": _ANY_ROLES, **(in_force if agreed else _by(None))}


def visible_owners(
    *, receiver: Named, module: ModuleID, roles: Pairs | None = None
) -> frozenset[str]:
    """Return the holders whose objects a holder may have."""
    pairs, parameters = access_pairs_sql(module, roles=roles)
    sql = f"SELECT owner FROM ({pairs}) access WHERE {_HELD_BY.format('reader')}"  # noqa: S608
    return frozenset(
        owner for (owner,) in database_sql.rows(sql, {**parameters, "access_reader": str(receiver)})
    )


def receivers(module: ModuleID, *, owner: Named) -> tuple[int, ...]:
    """Return the ids of the parties that may have a holder's objects, in a stable order."""
    pairs, parameters = access_pairs_sql(module)
    sql = f"""SELECT receiver_party_id FROM ({pairs}) access
        WHERE owner = %(access_owner)s ORDER BY 1"""  # noqa: S608
    return tuple(pk for (pk,) in database_sql.rows(sql, {**parameters, "access_owner": str(owner)}))


def verdict(*, sender: Named, receiver: Named, module: ModuleID) -> Verdict:
    """Judge a message between two holders, whichever of them owns the objects it is about.

    For operators: it says what senders are not told.
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


def judged(one: PartyRef, other: PartyRef, module: ModuleID) -> Verdict:
    """Judge two parties by name, for operators: at each of the platforms they are registered at."""
    pairs = [(a, b) for a in names(one) for b in names(other) if a != b or one == other]
    found = [(a, b, verdict(sender=a, receiver=b, module=module)) for a, b in pairs]
    different = [each for each in found if each[0] != each[1]] or found
    if len(different) == 1:
        return different[0][2]
    told = [f"{a} with {b}: {each.why}" for a, b, each in different]
    return Verdict(any(each.allowed for _, _, each in different), "; ".join(told))


def _by(module: ModuleID | None) -> Parameters:
    """Name what decides: an agreement that covers a module, or without one that nobody refused."""
    if module is None:
        return {"access_refused": AgreementState.SUSPENDED.value}
    return {"access_active": AgreementState.ACTIVE.value, "access_module": module}


def _is_allowed(ways: Sequence[_Way], module: ModuleID) -> bool:
    pairs, parameters = access_pairs_sql(module)
    keys = {"access_one": ways[0][0], "access_other": ways[0][1]}
    exists = [
        f"EXISTS (SELECT FROM ({pairs}) access WHERE owner = %(access_{owner})s"
        f" AND {_HELD_BY.format(reader)})"
        for owner, reader in (("one", "other"), ("other", "one"))
    ]
    [(allowed,)] = database_sql.rows(f"SELECT {' OR '.join(exists)}", {**parameters, **keys})
    return bool(allowed)


@lru_cache(maxsize=128)
def _written(roles: Pairs) -> list[str]:
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
