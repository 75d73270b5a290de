"""What an eMSP asks a Charge Point to do for a driver, and what comes of it.

Specification: mod_commands. The result of a command is sent to its `response_url`.
"""

from typing import Annotated

from ocpi.modules import Interface, Module, Resource, interfaces
from ocpi.types import (
    URL,
    CiString,
    DateTime,
    DisplayText,
    Int,
    InterfaceRole,
    Length,
    ModuleID,
    OcpiEnum,
    OcpiModel,
)
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
    """The result of a command, as the Charge Point told the CPO."""

    result: CommandResultType
    message: list[DisplayText] | None = None


_POST = frozenset({"POST"})
SENDER = Interface(InterfaceRole.SENDER, (Resource(("{callback}",), _POST),))
"""What a `response_url` leads to; the specification leaves its form to the Sender."""
RECEIVER = Interface(
    InterfaceRole.RECEIVER, tuple(Resource((command.value,), _POST) for command in CommandType)
)

MODULE = Module(
    identifier=ModuleID.COMMANDS, interfaces=interfaces(SENDER, RECEIVER), has_results=True
)
