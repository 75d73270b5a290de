"""Which parties a hub knows, and whether they can be reached.

Specification: mod_hub_client_info.
"""

from ocpi.modules import GET, OWNED, Kind, Module, Resource
from ocpi.roles import OF_HUBS
from ocpi.types import (
    CountryCode,
    DateTime,
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


MODULE = Module(
    identifier=ModuleID.HUBCLIENTINFO,
    sender=(Resource((), GET, Kind.LIST, body=ClientInfo),),
    receiver=(Resource(OWNED, frozenset({"GET", "PUT"}), body=ClientInfo),),
    roles=OF_HUBS,
    functional=False,
)
