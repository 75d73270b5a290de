"""The credentials two platforms exchange to be able to speak with each other.

Specification: credentials.
"""

from typing import Annotated

from annotated_types import MinLen

from ocpi.modules import Module, Resource
from ocpi.types import (
    URL,
    CountryCode,
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
    # The role means nothing here; the specification advises to announce SENDER.
    sender=(Resource((), frozenset({"GET", "POST", "PUT", "DELETE"}), body=Credentials),),
    functional=False,
)
