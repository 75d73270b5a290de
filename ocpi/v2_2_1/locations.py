"""Where drivers can charge: Locations, their EVSEs and Connectors.

Specification: mod_locations; its data types are in `location_types`.
"""

from typing import Annotated

from annotated_types import MinLen

from ocpi.errors import UnknownLocation
from ocpi.formats import COUNTRY, EVSE_ID, NUMERIC, POSITIVE, POWER, TIME_ZONE
from ocpi.modules import GET, OWNED, Kind, Module, ObjectType, Part, Resource
from ocpi.relations import OnlyWhere
from ocpi.roles import OPEN_DATA
from ocpi.types import (
    URL,
    Boolean,
    CiString,
    CountryCode,
    DateTime,
    DisplayText,
    Int,
    Length,
    ModuleID,
    OcpiModel,
    PartyID,
    String,
)
from ocpi.v2_2_1.location_types import (
    AdditionalGeoLocation,
    BusinessDetails,
    Capability,
    ConnectorFormat,
    ConnectorType,
    EnergyMix,
    Facility,
    GeoLocation,
    Hours,
    Image,
    ParkingRestriction,
    ParkingType,
    PowerType,
    PublishTokenType,
    Status,
    StatusSchedule,
)


class Connector(OcpiModel):
    """A socket or cable of an EVSE."""

    id: Annotated[CiString, Length(36, minimum=1)]
    standard: ConnectorType
    format: ConnectorFormat
    power_type: PowerType
    max_voltage: Annotated[Int, POSITIVE]
    max_amperage: Annotated[Int, POSITIVE]
    max_electric_power: Annotated[Int, POWER] | None = None
    tariff_ids: list[Annotated[CiString, Length(36)]] | None = None
    terms_and_conditions: URL | None = None
    last_updated: DateTime


class EVSE(OcpiModel):
    """What supplies energy to one vehicle in one session at a time."""

    uid: Annotated[CiString, Length(36, minimum=1)]
    evse_id: Annotated[CiString, Length(48), EVSE_ID] | None = None
    status: Status
    status_schedule: list[StatusSchedule] | None = None
    capabilities: list[Capability] | None = None
    connectors: Annotated[list[Connector], MinLen(1)]
    floor_level: Annotated[String, Length(4), NUMERIC] | None = None
    coordinates: GeoLocation | None = None
    physical_reference: Annotated[String, Length(16), NUMERIC] | None = None
    directions: list[DisplayText] | None = None
    parking_restrictions: list[ParkingRestriction] | None = None
    images: list[Image] | None = None
    last_updated: DateTime


class Location(OcpiModel):
    """A site with EVSEs that belong together."""

    country_code: CountryCode
    party_id: PartyID
    id: Annotated[CiString, Length(36, minimum=1)]
    publish: Boolean
    publish_allowed_to: (
        Annotated[list[PublishTokenType], OnlyWhere("publish", value=False)] | None
    ) = None
    name: Annotated[String, Length(255)] | None = None
    address: Annotated[String, Length(255)]
    city: Annotated[String, Length(45)]
    postal_code: Annotated[String, Length(10), NUMERIC] | None = None
    state: Annotated[String, Length(45)] | None = None
    country: Annotated[String, Length(3), COUNTRY]
    coordinates: GeoLocation
    related_locations: list[AdditionalGeoLocation] | None = None
    parking_type: ParkingType | None = None
    evses: list[EVSE] | None = None
    directions: list[DisplayText] | None = None
    operator: BusinessDetails | None = None
    suboperator: BusinessDetails | None = None
    owner: BusinessDetails | None = None
    facilities: list[Facility] | None = None
    time_zone: Annotated[String, Length(255), TIME_ZONE]
    opening_times: Hours | None = None
    charging_when_closed: Boolean | None = None
    images: list[Image] | None = None
    energy_mix: EnergyMix | None = None
    last_updated: DateTime


CONNECTOR = ObjectType(name="Connector", model=Connector, id_field="id", unknown=UnknownLocation)
EVSE_OF_LOCATION = ObjectType(
    name="EVSE",
    model=EVSE,
    id_field="uid",
    unknown=UnknownLocation,
    part=Part("connectors", CONNECTOR),
)
LOCATION = ObjectType(
    name="Location",
    model=Location,
    id_field="id",
    unknown=UnknownLocation,
    part=Part("evses", EVSE_OF_LOCATION),
)

_PATH = ("{location_id}", "{evse_uid}", "{connector_id}")
_WRITTEN = frozenset({"GET", "PUT", "PATCH"})

MODULE = Module(
    identifier=ModuleID.LOCATIONS,
    sender=(
        Resource((), GET, Kind.LIST, LOCATION),
        *(Resource(_PATH[:steps], GET, object=LOCATION) for steps in (1, 2, 3)),
    ),
    receiver=tuple(
        Resource((*OWNED, *_PATH[:steps]), _WRITTEN, object=LOCATION) for steps in (1, 2, 3)
    ),
    roles=OPEN_DATA,
    kept=LOCATION,
)
