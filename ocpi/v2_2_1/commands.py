"""What an eMSP asks a Charge Point to do for a driver, and what comes of it.

Specification: mod_commands. The result of a command is sent to its `response_url`.
"""

from collections.abc import Mapping
from typing import Annotated

from ocpi.modules import POST, EarlierAction, Kind, Module, OwnerOf, Resource
from ocpi.roles import DRIVERS
from ocpi.types import (
    URL,
    CiString,
    DateTime,
    DisplayText,
    Int,
    Length,
    ModuleID,
    OcpiEnum,
    OcpiModel,
)
from ocpi.v2_2_1.sessions import SESSION_ID
from ocpi.v2_2_1.tokens import Token


class CommandResponseType(OcpiEnum):
    """What a CPO says at once to a command."""

    NOT_SUPPORTED = "NOT_SUPPORTED"
    REJECTED = "REJECTED"
    ACCEPTED = "ACCEPTED"
    UNKNOWN_SESSION = "UNKNOWN_SESSION"


class CommandResultType(OcpiEnum):
    """What the Charge Point made of a command."""

    ACCEPTED = "ACCEPTED"
    CANCELED_RESERVATION = "CANCELED_RESERVATION"
    EVSE_OCCUPIED = "EVSE_OCCUPIED"
    EVSE_INOPERATIVE = "EVSE_INOPERATIVE"
    FAILED = "FAILED"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    REJECTED = "REJECTED"
    TIMEOUT = "TIMEOUT"
    UNKNOWN_RESERVATION = "UNKNOWN_RESERVATION"


class CommandType(OcpiEnum):
    """The commands there are."""

    CANCEL_RESERVATION = "CANCEL_RESERVATION"
    RESERVE_NOW = "RESERVE_NOW"
    START_SESSION = "START_SESSION"
    STOP_SESSION = "STOP_SESSION"
    UNLOCK_CONNECTOR = "UNLOCK_CONNECTOR"


class CancelReservation(OcpiModel):
    """Give up a reservation, by the id the eMSP gave it."""

    response_url: URL
    reservation_id: Annotated[CiString, Length(36)]


class ReserveNow(OcpiModel):
    """Keep an EVSE, or any of the Location, for a driver until `expiry_date`."""

    response_url: URL
    token: Token
    expiry_date: DateTime
    reservation_id: Annotated[CiString, Length(36)]
    location_id: Annotated[CiString, Length(36)]
    evse_uid: Annotated[CiString, Length(36)] | None = None
    authorization_reference: Annotated[CiString, Length(36)] | None = None


class StartSession(OcpiModel):
    """Let a driver charge, on a given EVSE and Connector if these are named."""

    response_url: URL
    token: Token
    location_id: Annotated[CiString, Length(36)]
    evse_uid: Annotated[CiString, Length(36)] | None = None
    connector_id: Annotated[CiString, Length(36)] | None = None
    authorization_reference: Annotated[CiString, Length(36)] | None = None


class StopSession(OcpiModel):
    """End a Session."""

    response_url: URL
    session_id: Annotated[CiString, Length(36)]


class UnlockConnector(OcpiModel):
    """Free a cable that is stuck, on behalf of a help desk."""

    response_url: URL
    location_id: Annotated[CiString, Length(36)]
    evse_uid: Annotated[CiString, Length(36)]
    connector_id: Annotated[CiString, Length(36)]


class CommandResponse(OcpiModel):
    """The CPO's answer to a command; its result comes within `timeout` seconds or never."""

    result: CommandResponseType
    timeout: Int
    message: list[DisplayText] | None = None


class CommandResult(OcpiModel):
    """The result of a command, as the Charge Point reported it to the CPO."""

    result: CommandResultType
    message: list[DisplayText] | None = None


LOCATION_ID = OwnerOf("location_id", ModuleID.LOCATIONS)
_ABOUT: Mapping[CommandType, tuple[type[OcpiModel], OwnerOf | EarlierAction]] = {
    CommandType.CANCEL_RESERVATION: (
        CancelReservation,
        EarlierAction("reservation_id", CommandType.RESERVE_NOW.value),
    ),
    CommandType.RESERVE_NOW: (ReserveNow, LOCATION_ID),
    CommandType.START_SESSION: (StartSession, LOCATION_ID),
    CommandType.STOP_SESSION: (StopSession, SESSION_ID),
    CommandType.UNLOCK_CONNECTOR: (UnlockConnector, LOCATION_ID),
}

MODULE = Module(
    identifier=ModuleID.COMMANDS,
    # The specification leaves the form of a `response_url` to the Sender.
    sender=(Resource(("{callback}",), POST, Kind.RESULT, body=CommandResult),),
    receiver=tuple(
        Resource((command.value,), POST, Kind.ACTION, body=body, about=about)
        for command, (body, about) in _ABOUT.items()
    ),
    roles=DRIVERS,
)
