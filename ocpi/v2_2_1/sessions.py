"""Charging as it goes on: Sessions, and how the driver prefers to charge.

Specification: mod_sessions.
"""

from typing import Annotated

from ocpi.errors import NotFound
from ocpi.formats import CURRENCY
from ocpi.modules import GET, OWNED, PUT, Kind, Module, ObjectType, OwnerOf, Resource
from ocpi.relations import AtLeast, Within
from ocpi.roles import CHARGING, pairs
from ocpi.types import (
    Boolean,
    CiString,
    CountryCode,
    DateTime,
    Length,
    ModuleID,
    Number,
    OcpiEnum,
    OcpiModel,
    PartyID,
    Price,
    Role,
    String,
)
from ocpi.v2_2_1.cdrs import AuthMethod, CdrToken, ChargingPeriod
from ocpi.v2_2_1.tokens import ProfileType


class ChargingPreferencesResponse(OcpiEnum):
    """What a CPO says to the preferences of a driver."""

    ACCEPTED = "ACCEPTED"
    DEPARTURE_REQUIRED = "DEPARTURE_REQUIRED"
    ENERGY_NEED_REQUIRED = "ENERGY_NEED_REQUIRED"
    NOT_POSSIBLE = "NOT_POSSIBLE"
    PROFILE_TYPE_NOT_SUPPORTED = "PROFILE_TYPE_NOT_SUPPORTED"


class SessionStatus(OcpiEnum):
    """How far a Session has come; what is COMPLETED does not change any more."""

    ACTIVE = "ACTIVE"
    COMPLETED = "COMPLETED"
    INVALID = "INVALID"
    PENDING = "PENDING"
    RESERVATION = "RESERVATION"


class ChargingPreferences(OcpiModel):
    """How a driver wants to charge: `energy_need` kWh until `departure_time`."""

    profile_type: ProfileType
    departure_time: DateTime | None = None
    energy_need: Number | None = None
    discharge_allowed: Boolean | None = None


class Session(OcpiModel):
    """One charging session so far; a reservation may not have an EVSE yet and says `#NA`."""

    country_code: CountryCode
    party_id: PartyID
    id: Annotated[CiString, Length(36, minimum=1)]
    start_date_time: DateTime
    end_date_time: Annotated[DateTime, AtLeast("start_date_time")] | None = None
    kwh: Number
    cdr_token: CdrToken
    auth_method: AuthMethod
    authorization_reference: Annotated[CiString, Length(36)] | None = None
    location_id: Annotated[CiString, Length(36)]
    evse_uid: Annotated[CiString, Length(36)]
    connector_id: Annotated[CiString, Length(36)]
    meter_id: Annotated[String, Length(255)] | None = None
    currency: Annotated[String, Length(3), CURRENCY]
    charging_periods: (
        Annotated[list[ChargingPeriod], Within("start_date_time", "end_date_time")] | None
    ) = None
    total_cost: Price | None = None
    status: SessionStatus
    last_updated: DateTime


SESSION = ObjectType(
    name="Session",
    model=Session,
    id_field="id",
    unknown=NotFound,
    appended=frozenset({"charging_periods"}),
)

SESSION_ID = OwnerOf("session_id", ModuleID.SESSIONS)
"""A request about a Session is for the CPO that owns it."""

MODULE = Module(
    identifier=ModuleID.SESSIONS,
    sender=(
        Resource((), GET, Kind.LIST, SESSION),
        Resource(
            ("{session_id}", "charging_preferences"),
            PUT,
            Kind.ACTION,
            SESSION,
            body=ChargingPreferences,
            about=SESSION_ID,
        ),
    ),
    receiver=(
        Resource((*OWNED, "{session_id}"), frozenset({"GET", "PUT", "PATCH"}), object=SESSION),
    ),
    roles=CHARGING | pairs({Role.CPO}, {Role.SCSP}),
    delegated=pairs({Role.EMSP}, {Role.SCSP}),
    kept=SESSION,
)
