"""An invitation: a platform's name, the parties it may bring, its quirks, and token A.

Spec: 2.2.1 credentials (registration: token A is exchanged outside OCPI); A-31, A-79, A-80.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Self

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from ocpi.types import PartyRef, Role
from parties.audit import audited
from parties.connection_status import ConnectionStatus
from parties.hub_identity import hub_party
from parties.models import AllowedParty, Credentials, Party, Platform, TokenKind
from parties.registration.inbound import disconnect

LONGEST_NAME = 100


class NotPossible(ValueError):
    """The operator asked for something that would break a rule; the sentence says which."""


class Initiator(StrEnum):
    """Who begins the handshake, with a token A of the other side."""

    PLATFORM = "platform"
    HUB = "hub"


@dataclass(frozen=True, slots=True)
class AllowedRole:
    """A line of the operator's list, written CPO:NL:CPA."""

    role: Role
    ref: PartyRef

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `CPO:NL:CPA`; `NotPossible` says what is wrong with anything else."""
        parts = text.strip().split(":")
        try:
            role, country_code, party_id = parts
            return cls(Role(role.upper()), PartyRef.parse(f"{country_code}-{party_id}"))
        except ValueError:
            form = "write ROLE:COUNTRY:PARTY like CPO:NL:CPA"
            message = f"--role {text}: {form}; roles are {', '.join(Role)}"
            raise NotPossible(message) from None

    @property
    def triple(self) -> tuple[str, str, str]:
        """Role, country code and party id, as the columns of the list have them."""
        return self.role.value, self.ref.country_code, self.ref.party_id

    def __str__(self) -> str:
        return f"{self.role} {self.ref}"


@dataclass(frozen=True, slots=True)
class Invitation:
    """A platform that may register, and the token to do it with; shown once."""

    platform: Platform
    token: str = field(repr=False)


@transaction.atomic
def invite(
    name: str, *, roles: Sequence[AllowedRole], quirks: Sequence[str] = (), reset: bool = False
) -> Invitation:
    """Prepare a platform and issue a new token A; one issued before is withdrawn.

    A registered platform is left alone unless `reset` ends its registration; its data stays.
    """
    with audited("reset and invited" if reset else "invited", usable_name(name)):
        platform = prepare(name, roles=roles, quirks=quirks)
        if platform.is_registered and not reset:
            raise NotPossible(
                f"{name} is registered; --reset ends that registration and issues a new token A"
            )
        if reset:
            disconnect(platform, status=ConnectionStatus.PLANNED)
        return Invitation(platform, _token_a(platform))


def _token_a(platform: Platform) -> str:
    Credentials.objects.inbound(platform).revoke()
    until = timezone.now() + timedelta(days=settings.HUB_TOKEN_A_DAYS)
    _, token = Credentials.objects.issue(platform, kind=TokenKind.A, valid_until=until)
    return token


@transaction.atomic
def prepare(name: str, *, roles: Sequence[AllowedRole], quirks: Sequence[str] = ()) -> Platform:
    """Create or change a platform; without roles an existing list stays as it is."""
    platform, created = Platform.objects.get_or_create(name=usable_name(name))
    if created and not roles:
        message = f"{name} is new: name at least one party it may register, like --role CPO:NL:CPA"
        raise NotPossible(message)
    try:
        platform.quirks = platform.quirks.with_settings(quirks)
    except ValueError as error:
        raise NotPossible(str(error)) from None
    platform.save(update_fields=["quirks"])
    if roles:
        allow(platform, roles)
    return platform


@transaction.atomic
def change(platform: Platform, *, roles: Sequence[AllowedRole], rename: str = "") -> Platform:
    """Rename a platform, and change what it may register; what is not named stays."""
    if roles:
        allow(platform, roles)
    if rename:
        platform.name = usable_name(rename)
        if Platform.objects.exclude(pk=platform.pk).filter(name=platform.name).exists():
            raise NotPossible(f"another platform is called {platform.name}")
        platform.save(update_fields=["name"])
    return platform


@transaction.atomic
def allow(platform: Platform, roles: Sequence[AllowedRole]) -> None:
    """Make exactly these the parties a platform may register.

    A party it registered already stays active until its credentials leave it out.
    """
    for allowed in roles:
        _require_free(platform, allowed)
    triples = {allowed.triple for allowed in roles}
    for row in (*platform.allowed_parties.all(), *platform.parties.filter(claimed_at=None)):
        if (row.role, row.country_code, row.party_id) not in triples:
            row.delete()
    for role, country_code, party_id in triples:
        for table in (AllowedParty, Party):
            table._default_manager.get_or_create(  # noqa: SLF001 - a documented name of Django
                role=role,
                country_code=country_code,
                party_id=party_id,
                defaults={"platform": platform},
            )


def usable_name(name: str) -> str:
    """Return a name without space around it; `NotPossible` says why it cannot be one."""
    bare = name.strip()
    if not bare:
        message = "a platform needs a name"
        raise NotPossible(message)
    if len(bare) > LONGEST_NAME or not bare.isprintable():
        message = f"a platform's name has at most {LONGEST_NAME} printable characters"
        raise NotPossible(message)
    return bare


def _require_free(platform: Platform, allowed: AllowedRole) -> None:
    if allowed.ref == hub_party():
        message = f"{allowed}: {allowed.ref} is the hub itself"
        raise NotPossible(message)
    role, country_code, party_id = allowed.triple
    other = AllowedParty.objects.exclude(platform=platform).select_related("platform")
    row = other.filter(role=role, country_code=country_code, party_id=party_id).first()
    if row is not None:
        message = f"{allowed} belongs to the platform {row.platform.name}"
        raise NotPossible(f"{message}{_way_out(row.platform)}")


def _way_out(platform: Platform) -> str:
    """Say how a party of another platform can be invited all the same, and if it still may come."""
    name = shlex.quote(platform.name)
    leave = f"change_platform {name} with the --role of its other parties frees this one"
    if platform.status != ConnectionStatus.SUSPENDED:
        return f"; {leave}"
    return (
        f", which is SUSPENDED: resume_platform {name} invites that again; {leave}, and"
        f" forget_platform {name} ends it for good"
    )
