"""May one party send a module's messages to another? The only place that knows.

Spec: 2.2.1 transport and format ("opposite role"); A-24, A-28, A-30. One SQL text yields every pair
with access; the verdict on one message, what an eMSP may list and who receives a change are all
selections from it. Views, delivery, GET-All and the console ask here.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings

from ocpi.types import ModuleID, PartyRef
from parties import database
from parties.agreements import outside_period
from parties.models import Agreement, AgreementState, Party
from parties.role_pairs import pairs_of
from parties.status import ConnectionStatus

Parameters = dict[str, Any]

_LIVE = """
    owner.is_active AND receiver.is_active
    AND owner_platform.status <> %(access_suspended)s
    AND receiver_platform.status <> %(access_suspended)s
    AND owner.key <> receiver.key
    AND (owner.role || ' ' || receiver.role) = ANY(%(access_roles)s)
"""
_JOINS = """
    JOIN parties_platform owner_platform ON owner_platform.id = owner.platform_id
    JOIN parties_platform receiver_platform ON receiver_platform.id = receiver.platform_id
"""
_SELECT = "SELECT DISTINCT owner.key AS owner_key, receiver.id AS receiver_party_id"


def _agreed(owner: str, receiver: str) -> str:
    """Write one reading of the agreements: who owns and who reads is the roles' business."""
    return f"""
{_SELECT}
FROM parties_agreement agreement
JOIN parties_party owner ON owner.id = agreement.{owner}
JOIN parties_party receiver ON receiver.id = agreement.{receiver}
{_JOINS}
WHERE {_LIVE}
    AND agreement.state = %(access_active)s
    AND (agreement.valid_from IS NULL OR agreement.valid_from <= statement_timestamp())
    AND (agreement.valid_until IS NULL OR agreement.valid_until > statement_timestamp())
    AND (cardinality(agreement.modules) = 0 OR %(access_module)s = ANY(agreement.modules))
"""


def _short(sql: str) -> str:
    """Leave out what only readers need: psycopg parses texts of 4,096 characters anew each time."""
    return " ".join(sql.split())


# A UNION, not a LATERAL: conditions of a composing query reach the indexes of both halves.
_AGREED = _short(f"{_agreed('cpo_id', 'emsp_id')} UNION {_agreed('emsp_id', 'cpo_id')}")

_OPEN = _short(f"""
{_SELECT}
FROM parties_party owner CROSS JOIN parties_party receiver
{_JOINS}
WHERE {_LIVE}
    AND NOT EXISTS (
        SELECT FROM parties_agreement refused WHERE refused.state = %(access_refused)s
        AND (refused.cpo_id, refused.emsp_id) IN ((owner.id, receiver.id), (receiver.id, owner.id)))
""")


_TO_KEY = "receiver_party_id = ANY(ARRAY(SELECT id FROM parties_party WHERE key = %(access_{})s))"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a message may pass, and in one sentence why."""

    allowed: bool
    why: str


def access_pairs_sql(module: ModuleID) -> tuple[str, Parameters]:
    """Return SQL with named parameters that yields (owner_key, receiver_party_id) of every pair.

    `owner_key` is the key of the party whose objects they are, `receiver_party_id` the id of a
    party that may have them. For composition: `JOIN (…) access ON access.owner_key = …`.
    """
    agreed = settings.HUB_ACCESS == "agreement"
    own = {"access_active": AgreementState.ACTIVE.value, "access_module": module.value}
    return (_AGREED if agreed else _OPEN), {
        "access_suspended": ConnectionStatus.SUSPENDED.value,
        "access_roles": _roles(module),
        **(own if agreed else {"access_refused": AgreementState.SUSPENDED.value}),
    }


def visible_owners(*, receiver: PartyRef, module: ModuleID) -> frozenset[str]:
    """Return the keys of the parties whose objects a party may have."""
    pairs, parameters = access_pairs_sql(module)
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


def verdict(*, sender: PartyRef, receiver: PartyRef, module: ModuleID) -> Verdict:
    """Judge a message between two parties, whichever of them owns the objects it is about."""
    pairs, parameters = access_pairs_sql(module)
    one, other = (
        f"EXISTS (SELECT FROM ({pairs}) access WHERE owner_key = %(access_{owner})s"
        f" AND {_TO_KEY.format(reader)})"
        for owner, reader in (("one", "other"), ("other", "one"))
    )
    keys = {"access_one": str(sender), "access_other": str(receiver)}
    [(allowed,)] = database.rows(f"SELECT {one} OR {other}", {**parameters, **keys})
    if not allowed:
        return Verdict(allowed=False, why=_why_not(sender, receiver, module))
    reason = (
        "an active agreement" if settings.HUB_ACCESS == "agreement" else "the hub's open access"
    )
    return Verdict(allowed=True, why=f"{sender} and {receiver} exchange {module} by {reason}")


@lru_cache(maxsize=32)
def _roles(module: ModuleID) -> list[str]:
    return sorted(f"{owner} {reader}" for owner, reader in pairs_of(module))


def _why_not(sender: PartyRef, receiver: PartyRef, module: ModuleID) -> str:
    """Explain a refusal; asked only after the SQL said no."""
    if sender == receiver:
        return f"{sender} cannot send {module} to itself"
    sides = {
        ref: list(Party.objects.filter(key=str(ref)).select_related("platform"))
        for ref in (sender, receiver)
    }
    for ref, found in sides.items():
        objection = _absence(ref, found)
        if objection is not None:
            return objection
    pairs = [(a, b) for a in sides[sender] for b in sides[receiver] if _fit(a, b, module)]
    if not pairs:
        return f"the roles of {sender} and {receiver} have no {module} to exchange"
    return _missing_agreement(pairs, module)


def _absence(ref: PartyRef, found: list[Party]) -> str | None:
    if not found:
        return f"{ref} is not a party of this hub"
    if not any(
        party.is_active and party.platform.status != ConnectionStatus.SUSPENDED for party in found
    ):
        return f"{ref} is {found[0].status}"
    return None


def _fit(one: Party, other: Party, module: ModuleID) -> bool:
    roles = _roles(module)
    return f"{one.role} {other.role}" in roles or f"{other.role} {one.role}" in roles


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
