"""The tokens drivers are recognised by, and the answer whether one may charge.

Specification: mod_tokens. ProfileType is of mod_sessions, which is built on this chapter.
"""

from typing import Annotated

from ocpi.errors import UnknownToken
from ocpi.formats import LANGUAGE
from ocpi.modules import GET, OWNED, POST, Kind, Module, ObjectType, Resource, Variant
from ocpi.roles import DRIVERS
from ocpi.types import (
    Boolean,
    CiString,
    CountryCode,
    DateTime,
    DisplayText,
    Length,
    ModuleID,
    OcpiEnum,
    OcpiModel,
    PartyID,
    String,
)


class AllowedType(OcpiEnum):
    """Whether a token may charge, and why not."""

    ALLOWED = "ALLOWED"
    BLOCKED = "BLOCKED"
    EXPIRED = "EXPIRED"
    NO_CREDIT = "NO_CREDIT"
    NOT_ALLOWED = "NOT_ALLOWED"


class ProfileType(OcpiEnum):
    """What matters most to the driver when the car is charged."""

    CHEAP = "CHEAP"
    FAST = "FAST"
    GREEN = "GREEN"
    REGULAR = "REGULAR"


class TokenType(OcpiEnum):
    """What kind of token a driver presents."""

    AD_HOC_USER = "AD_HOC_USER"
    APP_USER = "APP_USER"
    OTHER = "OTHER"
    RFID = "RFID"


class WhitelistType(OcpiEnum):
    """When a CPO may let a token charge without asking its eMSP."""

    ALWAYS = "ALWAYS"
    ALLOWED = "ALLOWED"
    ALLOWED_OFFLINE = "ALLOWED_OFFLINE"
    NEVER = "NEVER"


class EnergyContract(OcpiModel):
    """The contract of a driver who charges energy of a supplier of their own."""

    supplier_name: Annotated[String, Length(64)]
    contract_id: Annotated[String, Length(64)] | None = None


class LocationReferences(OcpiModel):
    """Where a token is, or may be, used: a Location, or some of its EVSEs."""

    location_id: Annotated[CiString, Length(36)]
    evse_uids: list[Annotated[CiString, Length(36)]] | None = None


class Token(OcpiModel):
    """What a driver presents to charge; `uid` and `type` together are unique at its eMSP."""

    country_code: CountryCode
    party_id: PartyID
    uid: Annotated[CiString, Length(36, minimum=1)]
    type: TokenType
    contract_id: Annotated[CiString, Length(36)]
    visual_number: Annotated[String, Length(64)] | None = None
    issuer: Annotated[String, Length(64)]
    group_id: Annotated[CiString, Length(36)] | None = None
    valid: Boolean
    whitelist: WhitelistType
    language: Annotated[String, Length(2), LANGUAGE] | None = None
    default_profile_type: ProfileType | None = None
    energy_contract: EnergyContract | None = None
    last_updated: DateTime


class AuthorizationInfo(OcpiModel):
    """The answer of the eMSP to whether a token may charge."""

    allowed: AllowedType
    token: Token
    location: LocationReferences | None = None
    authorization_reference: Annotated[CiString, Length(36)] | None = None
    info: DisplayText | None = None


TOKEN = ObjectType(
    name="Token",
    model=Token,
    id_field="uid",
    unknown=UnknownToken,
    variant=Variant("type", default="RFID"),
)

MODULE = Module(
    identifier=ModuleID.TOKENS,
    sender=(
        Resource((), GET, Kind.LIST, TOKEN),
        Resource(
            ("{token_uid}", "authorize"),
            POST,
            Kind.ACTION,
            TOKEN,
            body=LocationReferences,
            real_time=True,
        ),
    ),
    receiver=(Resource((*OWNED, "{token_uid}"), frozenset({"GET", "PUT", "PATCH"}), object=TOKEN),),
    roles=DRIVERS,
    kept=TOKEN,
)
