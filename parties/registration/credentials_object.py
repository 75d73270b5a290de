"""A platform's credentials object: read, checked, and its parties taken over.

Spec: 2.2.1 credentials, Credentials object; A-30, A-31: nothing on the wire proves who somebody is,
so a platform gets only parties of the operator's list, and none that another registered.
"""

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Self

import msgspec
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from ocpi.errors import Finding, InvalidParameters
from ocpi.types import PartyRef, Role, one_line
from ocpi.validation import decode_object, validate
from ocpi.versions import Version
from parties.connection_status import REGISTERED
from parties.models import AllowedParty, Party, Platform

log = logging.getLogger(__name__)

_NAME_LENGTH = 255
"""Characters of the columns for name and website."""
Identity = tuple[Role, PartyRef]
"""What is unique in the whole hub."""


@dataclass(frozen=True, slots=True)
class ClaimedRole:
    """One entry of `roles`: a party that the platform claims."""

    role: Role
    ref: PartyRef
    name: str
    website: str
    business_details: str

    @property
    def identity(self) -> Identity:
        """What is unique in the whole hub."""
        return self.role, self.ref

    def __str__(self) -> str:
        return f"{self.role} {self.ref}"


@dataclass(frozen=True, slots=True)
class Offer:
    """A credentials object that is complete and valid; its token never shows in a repr."""

    token: str = field(repr=False)
    url: str
    roles: tuple[ClaimedRole, ...]

    @classmethod
    def read(cls, body: bytes, version: Version) -> Self:
        """Read a credentials object; 2001 names every wrong field, never a value of `token`."""
        decoded = decode_object(body)
        validate(version.credentials, decoded)
        token = str(decoded["token"])
        roles = tuple(_roles(body))
        findings = [*_unknown(roles), *_repeated(roles)]
        if not token.isprintable():
            findings.append(Finding("token", "must not contain control characters"))
        if findings:
            raise InvalidParameters(findings=findings)
        return cls(token, str(decoded["url"]), tuple(_claimed(*role) for role in roles))

    @property
    def distinct_roles(self) -> frozenset[Role]:
        """Which roles its parties have."""
        return frozenset(claimed.role for claimed in self.roles)


RawRole = tuple[dict[str, object], bytes]
"""An entry of `roles`, decoded, and the untouched text of its business details."""


def _roles(body: bytes) -> Iterable[RawRole]:
    """Yield the entries of `roles`."""
    outer = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    for raw in msgspec.json.decode(outer["roles"], type=list[msgspec.Raw]):
        members = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        yield msgspec.json.decode(raw), bytes(members["business_details"])


def _unknown(roles: Iterable[RawRole]) -> Iterable[Finding]:
    for position, (role, _) in enumerate(roles):
        if role["role"] not in list(Role):
            yield Finding(f"roles[{position}].role", "is not a role of this version")


def _repeated(roles: Iterable[RawRole]) -> Iterable[Finding]:
    seen = set()
    for position, (role, _) in enumerate(roles):
        triple = (role["role"], PartyRef(str(role["country_code"]), str(role["party_id"])))
        if triple in seen:
            yield Finding(f"roles[{position}]", f"{triple[0]} {triple[1]} is named twice")
        seen.add(triple)


def _claimed(role: dict[str, object], business_details: bytes) -> ClaimedRole:
    details = msgspec.json.decode(business_details, type=dict[str, object])
    return ClaimedRole(
        role=Role(str(role["role"])),
        ref=PartyRef(str(role["country_code"]), str(role["party_id"])),
        name=one_line(str(details.get("name") or ""), longest=_NAME_LENGTH),
        website=one_line(str(details.get("website") or ""), longest=_NAME_LENGTH),
        business_details=business_details.decode(),
    )


def permitted(offer: Offer, *, platform_id: int) -> tuple[ClaimedRole, ...]:
    """Return the claims that the platform may make; the others are logged for the operator.

    2001 when none is left: a registration needs a party.
    """
    refused = _refusals(offer, platform_id)
    for sentence in refused.values():
        log.warning("platform %s claimed a party it may not have: %s", platform_id, sentence)
    kept = tuple(claimed for claimed in offer.roles if claimed.identity not in refused)
    if not kept:
        raise InvalidParameters("; ".join(refused.values()))
    return kept


def check(offer: Offer, *, platform_id: int) -> None:
    """Refuse the whole offer (2001) if any claim is not permitted, naming each."""
    refused = _refusals(offer, platform_id)
    if refused:
        log.warning(
            "platform %s claimed parties it may not have: %s",
            platform_id,
            "; ".join(refused.values()),
        )
        raise InvalidParameters("; ".join(refused.values()))


def _refusals(offer: Offer, platform_id: int) -> dict[Identity, str]:
    allowed = {
        (Role(row.role), row.ref) for row in AllowedParty.objects.filter(platform=platform_id)
    }
    claimed_here = Q(*(_matching(claimed) for claimed in offer.roles), _connector=Q.OR)
    registered = Party.objects.filter(claimed_here, is_active=True, platform__status__in=REGISTERED)
    others = registered.exclude(platform=platform_id)
    taken = {(Role(row.role), row.ref) for row in others}
    if taken:
        names = ", ".join(sorted(f"{role} {ref}" for role, ref in taken))
        log.warning("platform %s claimed what another platform registered: %s", platform_id, names)
    refused = {}
    for claimed in offer.roles:
        if claimed.identity not in allowed:  # whether another has registered it stays unsaid
            refused[claimed.identity] = (
                f"{claimed} is not among the parties agreed with the hub's operator"
            )
        elif claimed.identity in taken:
            refused[claimed.identity] = f"{claimed} is registered by another platform"
    return refused


def _matching(claimed: ClaimedRole) -> Q:
    return Q(
        role=claimed.role, country_code=claimed.ref.country_code, party_id=claimed.ref.party_id
    )


def listed_roles(platform_id: int) -> frozenset[Role]:
    """Return the roles that a platform's parties have on the operator's list."""
    rows = AllowedParty.objects.filter(platform=platform_id).values_list("role", flat=True)
    return frozenset(map(Role, rows))


def may_be_hub(platform_id: int) -> bool:
    """Return whether the operator's list has a platform as another hub."""
    return Role.HUB in listed_roles(platform_id)


def apply(claims: Collection[ClaimedRole], platform: Platform) -> None:
    """Make exactly these parties the platform's active ones.

    Of another hub all parties of the operator's list are active, named or not (A-86).
    """
    active = [_activate(claimed, platform).pk for claimed in claims]
    others = platform.parties.exclude(pk__in=active)
    others.update(is_active=False)
    if any(claimed.role is Role.HUB for claimed in claims):
        others.filter(Exists(_LISTED)).update(
            is_active=True, claimed_at=Coalesce("claimed_at", timezone.now())
        )


_LISTED = AllowedParty.objects.filter(
    platform=OuterRef("platform"),
    role=OuterRef("role"),
    country_code=OuterRef("country_code"),
    party_id=OuterRef("party_id"),
)
"""The row of the operator's list that allows a party, if any."""


def _activate(claimed: ClaimedRole, platform: Platform) -> Party:
    party, _ = Party.objects.get_or_create(
        role=claimed.role,
        country_code=claimed.ref.country_code,
        party_id=claimed.ref.party_id,
        defaults={"platform": platform},
    )
    party.platform, party.reported_status = platform, ""
    party.name, party.website = claimed.name, claimed.website
    party.business_details = claimed.business_details
    party.is_active = True
    party.claimed_at = party.claimed_at or timezone.now()
    party.save(
        update_fields=[
            *("platform", "name", "website", "business_details", "is_active", "claimed_at"),
            "reported_status",
        ]
    )
    return party
