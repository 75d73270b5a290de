"""The credentials two platforms exchange to be able to speak with each other.

Specification: credentials.
"""

from typing import Annotated

from annotated_types import MinLen

from ocpi.modules import Interface, Module, Resource, interfaces
from ocpi.types import (
    URL,
    CountryCode,
    InterfaceRole,
    Length,
    ModuleID,
    OcpiModel,
    PartyID,
    Role,
    String,
)
from ocpi.v2_2_1.location_types import BusinessDetails


class CredentialsRole(OcpiModel):
    """One party of a platform, in one role."""

    role: Role
    business_details: BusinessDetails
    party_id: PartyID
    country_code: CountryCode


class Credentials(OcpiModel):
    """What the other platform needs to call this one, and which parties it meets here."""

    token: Annotated[String, Length(64, minimum=1)]
    url: URL
    roles: Annotated[list[CredentialsRole], MinLen(1)]


MODULE = Module(
    identifier=ModuleID.CREDENTIALS,
    functional=False,
    interfaces=interfaces(
        # The role means nothing here; the specification advises to announce SENDER.
        Interface(
            InterfaceRole.SENDER,
            (Resource((), frozenset({"GET", "POST", "PUT", "DELETE"})),),
        ),
    ),
)
