"""How fast a session charges over time: Charging Profiles, and what comes of setting one.

Specification: mod_charging_profiles. Results are sent to the `response_url` of the request.
"""

from ocpi.modules import POST, PUT, EarlierAction, Kind, Module, Resource
from ocpi.roles import STEERING, pairs
from ocpi.types import (
    URL,
    DateTime,
    Int,
    ModuleID,
    Number,
    OcpiEnum,
    OcpiModel,
    Role,
)
from ocpi.v2_2_1.sessions import SESSION_ID


class ChargingProfileResponseType(OcpiEnum):
    """What a CPO says at once to a request about a profile."""

    ACCEPTED = "ACCEPTED"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    REJECTED = "REJECTED"
    TOO_OFTEN = "TOO_OFTEN"
    UNKNOWN_SESSION = "UNKNOWN_SESSION"


class ChargingProfileResultType(OcpiEnum):
    """What the EVSE made of a request about a profile."""

    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    UNKNOWN = "UNKNOWN"


class ChargingRateUnit(OcpiEnum):
    """What a profile limits: watts in all, or amperes per phase."""

    W = "W"
    A = "A"


class ChargingProfilePeriod(OcpiModel):
    """A limit in the unit of the profile, from so many seconds after its start until the next."""

    start_period: Int
    limit: Number


class ChargingProfile(OcpiModel):
    """Limits over time, for `duration` seconds; without a start they begin with the charging."""

    start_date_time: DateTime | None = None
    duration: Int | None = None
    charging_rate_unit: ChargingRateUnit
    min_charging_rate: Number | None = None
    charging_profile_period: list[ChargingProfilePeriod] | None = None


class ActiveChargingProfile(OcpiModel):
    """The profile in force, as the Charge Point calculated it at that moment."""

    start_date_time: DateTime
    charging_profile: ChargingProfile


class SetChargingProfile(OcpiModel):
    """The request to charge by a profile."""

    charging_profile: ChargingProfile
    response_url: URL


class ChargingProfileResponse(OcpiModel):
    """The CPO's answer to a request; its result comes within `timeout` seconds or never."""

    result: ChargingProfileResponseType
    timeout: Int


class ActiveChargingProfileResult(OcpiModel):
    """What came of asking for the profile in force, and that profile if it was ACCEPTED."""

    result: ChargingProfileResultType
    profile: ActiveChargingProfile | None = None


class ChargingProfileResult(OcpiModel):
    """What came of setting a profile."""

    result: ChargingProfileResultType


class ClearProfileResult(OcpiModel):
    """What came of removing a profile."""

    result: ChargingProfileResultType


_SESSION = ("{session_id}",)

MODULE = Module(
    identifier=ModuleID.CHARGINGPROFILES,
    sender=(
        Resource(
            _SESSION,
            PUT,
            Kind.ACTION,
            body=ActiveChargingProfile,
            about=EarlierAction("session_id", "PUT"),
        ),
        # Where a `response_url` leads; the specification leaves its form to the Sender.
        Resource(("{callback}",), POST, Kind.RESULT),
    ),
    receiver=(
        Resource(_SESSION, PUT, Kind.ACTION, body=SetChargingProfile, about=SESSION_ID),
        Resource(_SESSION, frozenset({"GET", "DELETE"}), Kind.ACTION, about=SESSION_ID),
    ),
    roles=STEERING,
    delegated=pairs({Role.SCSP}, {Role.EMSP}),
)
