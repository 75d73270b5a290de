"""Rows of the parties' tables for tests: connected and active unless told otherwise."""
# factory_boy exports and types less than it has:
# mypy: disable-error-code="attr-defined,no-untyped-call,untyped-decorator"

from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from ocpi.types import InterfaceRole, ModuleID, Role
from parties import tokens
from parties.connection_status import ConnectionStatus
from parties.models import (
    Agreement,
    AgreementState,
    AllowedParty,
    Credentials,
    Direction,
    Endpoint,
    Party,
    Platform,
)


class PlatformFactory(DjangoModelFactory[Platform]):
    """A registered platform; `planned=True` for one that was only invited."""

    class Meta:
        model = Platform

    class Params:
        planned = factory.Trait(status=ConnectionStatus.PLANNED, version="", versions_url="")

    name = factory.Sequence(lambda n: f"platform {n}")
    status = ConnectionStatus.CONNECTED
    version = "2.2.1"
    versions_url = factory.LazyAttribute(lambda row: f"https://{row.name[9:]}.example.com/versions")


class PartyFactory(DjangoModelFactory[Party]):
    """An active CPO of the Netherlands, which its platform is allowed to have."""

    class Meta:
        model = Party
        skip_postgeneration_save = True

    platform = factory.SubFactory(PlatformFactory)
    role = Role.CPO.value
    country_code = "NL"
    party_id = factory.Sequence(lambda n: f"{n % 1000:03}")
    name = factory.LazyAttribute(lambda row: f"Party {row.party_id}")
    is_active = True
    claimed_at = factory.LazyFunction(timezone.now)

    @factory.post_generation
    def allowed(self: Party, create: bool, extracted: Any, **_: Any) -> None:  # noqa: FBT001
        """Put the party on the operator's list too, unless `allowed=False`."""
        if create and extracted is not False:
            AllowedParty.objects.get_or_create(
                role=self.role,
                country_code=self.country_code,
                party_id=self.party_id,
                defaults={"platform": self.platform},
            )


class CredentialsFactory(DjangoModelFactory[Credentials]):
    """An inbound token C whose text is `token`; `outbound=True` for one the hub presents."""

    class Meta:
        model = Credentials
        exclude = ("token",)

    class Params:
        outbound = factory.Trait(
            direction=Direction.OUT.value,
            digest=None,
            sealed=factory.LazyAttribute(lambda row: tokens.seal(row.token)),
        )

    token = factory.Sequence(lambda n: f"token-of-the-tests-{n:04}")
    platform = factory.SubFactory(PlatformFactory)
    direction = Direction.IN.value
    kind = "C"
    digest = factory.LazyAttribute(lambda row: tokens.digest(row.token))
    last_four = factory.LazyAttribute(lambda row: tokens.last_four(row.token))


class EndpointFactory(DjangoModelFactory[Endpoint]):
    """The RECEIVER interface of locations."""

    class Meta:
        model = Endpoint

    platform = factory.SubFactory(PlatformFactory)
    module = ModuleID.LOCATIONS
    role = InterfaceRole.RECEIVER.value
    url = factory.LazyAttribute(
        lambda row: f"https://example.com/{row.platform.pk}/{row.role.lower()}/{row.module}"
    )


class AgreementFactory(DjangoModelFactory[Agreement]):
    """An active agreement of a CPO with an eMSP, for all modules."""

    class Meta:
        model = Agreement

    cpo = factory.SubFactory(PartyFactory)
    emsp = factory.SubFactory(PartyFactory, role=Role.EMSP.value, country_code="DE")
    state = AgreementState.ACTIVE.value
