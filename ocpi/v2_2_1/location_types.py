"""What Locations, EVSEs and Connectors are described by: the data types of their chapter.

Specification: mod_locations, data types. The objects and the module are in `locations`.
"""

from typing import Annotated

from ocpi.formats import (
    LATITUDE,
    LONGITUDE,
    NOT_NEGATIVE,
    NUMERIC,
    PERCENTAGE,
    POSITIVE,
    TIME_OF_DAY,
    WEEKDAY,
)
from ocpi.relations import AtLeast, OnlyWhere, Until
from ocpi.types import (
    URL,
    Boolean,
    CiString,
    DateTime,
    Digits,
    DisplayText,
    Int,
    Length,
    Number,
    OcpiEnum,
    OcpiModel,
    String,
)
from ocpi.v2_2_1.tokens import TokenType


class Capability(OcpiEnum):
    """What an EVSE is able to do."""

    CHARGING_PROFILE_CAPABLE = "CHARGING_PROFILE_CAPABLE"
    CHARGING_PREFERENCES_CAPABLE = "CHARGING_PREFERENCES_CAPABLE"
    CHIP_CARD_SUPPORT = "CHIP_CARD_SUPPORT"
    CONTACTLESS_CARD_SUPPORT = "CONTACTLESS_CARD_SUPPORT"
    CREDIT_CARD_PAYABLE = "CREDIT_CARD_PAYABLE"
    DEBIT_CARD_PAYABLE = "DEBIT_CARD_PAYABLE"
    PED_TERMINAL = "PED_TERMINAL"
    REMOTE_START_STOP_CAPABLE = "REMOTE_START_STOP_CAPABLE"
    RESERVABLE = "RESERVABLE"
    RFID_READER = "RFID_READER"
    START_SESSION_CONNECTOR_REQUIRED = "START_SESSION_CONNECTOR_REQUIRED"
    TOKEN_GROUP_CAPABLE = "TOKEN_GROUP_CAPABLE"  # noqa: S105 - an ability, not a secret
    UNLOCK_CAPABLE = "UNLOCK_CAPABLE"


class ConnectorFormat(OcpiEnum):
    """Whether the driver finds a socket or a cable."""

    SOCKET = "SOCKET"
    CABLE = "CABLE"


class ConnectorType(OcpiEnum):
    """The standard of a socket or plug."""

    CHADEMO = "CHADEMO"
    CHAOJI = "CHAOJI"
    DOMESTIC_A = "DOMESTIC_A"
    DOMESTIC_B = "DOMESTIC_B"
    DOMESTIC_C = "DOMESTIC_C"
    DOMESTIC_D = "DOMESTIC_D"
    DOMESTIC_E = "DOMESTIC_E"
    DOMESTIC_F = "DOMESTIC_F"
    DOMESTIC_G = "DOMESTIC_G"
    DOMESTIC_H = "DOMESTIC_H"
    DOMESTIC_I = "DOMESTIC_I"
    DOMESTIC_J = "DOMESTIC_J"
    DOMESTIC_K = "DOMESTIC_K"
    DOMESTIC_L = "DOMESTIC_L"
    DOMESTIC_M = "DOMESTIC_M"
    DOMESTIC_N = "DOMESTIC_N"
    DOMESTIC_O = "DOMESTIC_O"
    GBT_AC = "GBT_AC"
    GBT_DC = "GBT_DC"
    IEC_60309_2_SINGLE_16 = "IEC_60309_2_single_16"
    IEC_60309_2_THREE_16 = "IEC_60309_2_three_16"
    IEC_60309_2_THREE_32 = "IEC_60309_2_three_32"
    IEC_60309_2_THREE_64 = "IEC_60309_2_three_64"
    IEC_62196_T1 = "IEC_62196_T1"
    IEC_62196_T1_COMBO = "IEC_62196_T1_COMBO"
    IEC_62196_T2 = "IEC_62196_T2"
    IEC_62196_T2_COMBO = "IEC_62196_T2_COMBO"
    IEC_62196_T3A = "IEC_62196_T3A"
    IEC_62196_T3C = "IEC_62196_T3C"
    NEMA_5_20 = "NEMA_5_20"
    NEMA_6_30 = "NEMA_6_30"
    NEMA_6_50 = "NEMA_6_50"
    NEMA_10_30 = "NEMA_10_30"
    NEMA_10_50 = "NEMA_10_50"
    NEMA_14_30 = "NEMA_14_30"
    NEMA_14_50 = "NEMA_14_50"
    PANTOGRAPH_BOTTOM_UP = "PANTOGRAPH_BOTTOM_UP"
    PANTOGRAPH_TOP_DOWN = "PANTOGRAPH_TOP_DOWN"
    TESLA_R = "TESLA_R"
    TESLA_S = "TESLA_S"


class EnergySourceCategory(OcpiEnum):
    """Where energy comes from."""

    NUCLEAR = "NUCLEAR"
    GENERAL_FOSSIL = "GENERAL_FOSSIL"
    COAL = "COAL"
    GAS = "GAS"
    GENERAL_GREEN = "GENERAL_GREEN"
    SOLAR = "SOLAR"
    WIND = "WIND"
    WATER = "WATER"


class EnvironmentalImpactCategory(OcpiEnum):
    """What producing energy leaves behind."""

    NUCLEAR_WASTE = "NUCLEAR_WASTE"
    CARBON_DIOXIDE = "CARBON_DIOXIDE"


class Facility(OcpiEnum):
    """What a driver finds at or near a Location."""

    HOTEL = "HOTEL"
    RESTAURANT = "RESTAURANT"
    CAFE = "CAFE"
    MALL = "MALL"
    SUPERMARKET = "SUPERMARKET"
    SPORT = "SPORT"
    RECREATION_AREA = "RECREATION_AREA"
    NATURE = "NATURE"
    MUSEUM = "MUSEUM"
    BIKE_SHARING = "BIKE_SHARING"
    BUS_STOP = "BUS_STOP"
    TAXI_STAND = "TAXI_STAND"
    TRAM_STOP = "TRAM_STOP"
    METRO_STATION = "METRO_STATION"
    TRAIN_STATION = "TRAIN_STATION"
    AIRPORT = "AIRPORT"
    PARKING_LOT = "PARKING_LOT"
    CARPOOL_PARKING = "CARPOOL_PARKING"
    FUEL_STATION = "FUEL_STATION"
    WIFI = "WIFI"


class ImageCategory(OcpiEnum):
    """What an image shows."""

    CHARGER = "CHARGER"
    ENTRANCE = "ENTRANCE"
    LOCATION = "LOCATION"
    NETWORK = "NETWORK"
    OPERATOR = "OPERATOR"
    OTHER = "OTHER"
    OWNER = "OWNER"


class ParkingRestriction(OcpiEnum):
    """Who may park in front of an EVSE, and how."""

    EV_ONLY = "EV_ONLY"
    PLUGGED = "PLUGGED"
    DISABLED = "DISABLED"
    CUSTOMERS = "CUSTOMERS"
    MOTORCYCLES = "MOTORCYCLES"


class ParkingType(OcpiEnum):
    """What kind of place a Location is."""

    ALONG_MOTORWAY = "ALONG_MOTORWAY"
    PARKING_GARAGE = "PARKING_GARAGE"
    PARKING_LOT = "PARKING_LOT"
    ON_DRIVEWAY = "ON_DRIVEWAY"
    ON_STREET = "ON_STREET"
    UNDERGROUND_GARAGE = "UNDERGROUND_GARAGE"


class PowerType(OcpiEnum):
    """The kind of current a Connector gives."""

    AC_1_PHASE = "AC_1_PHASE"
    AC_2_PHASE = "AC_2_PHASE"
    AC_2_PHASE_SPLIT = "AC_2_PHASE_SPLIT"
    AC_3_PHASE = "AC_3_PHASE"
    DC = "DC"


class Status(OcpiEnum):
    """Whether an EVSE can be used."""

    AVAILABLE = "AVAILABLE"
    BLOCKED = "BLOCKED"
    CHARGING = "CHARGING"
    INOPERATIVE = "INOPERATIVE"
    OUTOFORDER = "OUTOFORDER"
    PLANNED = "PLANNED"
    REMOVED = "REMOVED"
    RESERVED = "RESERVED"
    UNKNOWN = "UNKNOWN"


class GeoLocation(OcpiModel):
    """A point on earth, in WGS 84."""

    latitude: Annotated[String, Length(10), NUMERIC, LATITUDE]
    longitude: Annotated[String, Length(11), NUMERIC, LONGITUDE]


class AdditionalGeoLocation(OcpiModel):
    """Another point that matters to the visitor, such as an entrance."""

    latitude: Annotated[String, Length(10), NUMERIC, LATITUDE]
    longitude: Annotated[String, Length(11), NUMERIC, LONGITUDE]
    name: DisplayText | None = None


class Image(OcpiModel):
    """A picture and where to get it."""

    url: URL
    thumbnail: URL | None = None
    category: ImageCategory
    type: Annotated[CiString, Length(4)]
    width: Annotated[Int, Digits(5), POSITIVE] | None = None
    height: Annotated[Int, Digits(5), POSITIVE] | None = None


class BusinessDetails(OcpiModel):
    """A company as drivers know it."""

    name: Annotated[String, Length(100)]
    website: URL | None = None
    logo: Image | None = None


class EnergySource(OcpiModel):
    """The share of one source in the energy supplied."""

    source: EnergySourceCategory
    percentage: Annotated[Number, PERCENTAGE]


class EnvironmentalImpact(OcpiModel):
    """The waste of one kind per kWh."""

    category: EnvironmentalImpactCategory
    amount: Annotated[Number, NOT_NEGATIVE]


class EnergyMix(OcpiModel):
    """Where the energy supplied at a Location comes from."""

    is_green_energy: Boolean
    energy_sources: list[EnergySource] | None = None
    environ_impact: list[EnvironmentalImpact] | None = None
    supplier_name: Annotated[String, Length(64)] | None = None
    energy_product_name: Annotated[String, Length(64)] | None = None


class RegularHours(OcpiModel):
    """Opening hours on one day of every week, in the local time of the Location."""

    weekday: Annotated[Int, Digits(1), WEEKDAY]
    period_begin: Annotated[String, Length(5), TIME_OF_DAY]
    period_end: Annotated[String, Length(5), TIME_OF_DAY, Until("period_begin")]


class ExceptionalPeriod(OcpiModel):
    """A period that differs from the regular hours."""

    period_begin: DateTime
    period_end: Annotated[DateTime, AtLeast("period_begin")]


class Hours(OcpiModel):
    """When a Location can be entered."""

    twentyfourseven: Boolean
    regular_hours: (
        Annotated[list[RegularHours], OnlyWhere("twentyfourseven", value=False, needed=True)] | None
    ) = None
    exceptional_openings: list[ExceptionalPeriod] | None = None
    exceptional_closings: list[ExceptionalPeriod] | None = None


class PublishTokenType(OcpiModel):
    """The drivers an unpublished Location is shown to, by their token."""

    uid: Annotated[CiString, Length(36)] | None = None
    type: TokenType | None = None
    visual_number: Annotated[String, Length(64)] | None = None
    issuer: Annotated[String, Length(64)] | None = None
    group_id: Annotated[CiString, Length(36)] | None = None


class StatusSchedule(OcpiModel):
    """A status planned for an EVSE."""

    period_begin: DateTime
    period_end: Annotated[DateTime, AtLeast("period_begin")] | None = None
    status: Status
