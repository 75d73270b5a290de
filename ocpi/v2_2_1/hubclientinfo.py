"""Which parties a hub knows, and whether they can be reached.

Specification: mod_hub_client_info.
"""

from ocpi.modules import Interface, Module, Resource, interfaces
from ocpi.types import (
    CountryCode,
    DateTime,
    InterfaceRole,
    ModuleID,
    OcpiEnum,
    OcpiModel,
    PartyID,
    Role,
)


class ConnectionStatus(OcpiEnum):
    """Whether a party can be reached through the hub."""

    CONNECTED = "CONNECTED"
    OFFLINE = "OFFLINE"
    PLANNED = "PLANNED"
    SUSPENDED = "SUSPENDED"


class ClientInfo(OcpiModel):
    """The connection of one party in one role."""

    party_id: PartyID
    country_code: CountryCode
    role: Role
    status: ConnectionStatus
    last_updated: DateTime


SENDER = Interface(InterfaceRole.SENDER, (Resource((), frozenset({"GET"})),))
RECEIVER = Interface(
    InterfaceRole.RECEIVER,
    (Resource(("{country_code}", "{party_id}"), frozenset({"GET", "PUT"})),),
)

MODULE = Module(
    identifier=ModuleID.HUBCLIENTINFO,
    functional=False,
    interfaces=interfaces(SENDER, RECEIVER),
)
