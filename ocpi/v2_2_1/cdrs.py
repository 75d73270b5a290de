"""Charge Detail Records: what was charged and what it costs, sealed when a session has ended.

Specification: mod_cdrs.
"""

from typing import Annotated

from annotated_types import MinLen
from pydantic import AfterValidator, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from ocpi.errors import NotFound
from ocpi.formats import COUNTRY, CURRENCY, EVSE_ID_OR_NONE, NOT_NEGATIVE, NUMERIC
from ocpi.modules import GET, POST, Kind, Module, ObjectType, Resource
from ocpi.relations import AtLeast, Within
from ocpi.roles import CHARGING
from ocpi.types import (
    Boolean,
    CiString,
    CountryCode,
    DateTime,
    Int,
    Length,
    ModuleID,
    Number,
    OcpiEnum,
    OcpiModel,
    PartyID,
    Price,
    String,
    fold,
)
from ocpi.v2_2_1.location_types import ConnectorFormat, ConnectorType, GeoLocation, PowerType
from ocpi.v2_2_1.tariffs import Tariff
from ocpi.v2_2_1.tokens import TokenType


class AuthMethod(OcpiEnum):
    """How a driver was allowed to charge."""

    AUTH_REQUEST = "AUTH_REQUEST"
    COMMAND = "COMMAND"
    WHITELIST = "WHITELIST"


class CdrDimensionType(OcpiEnum):
    """What is measured: energy in kWh, time in hours, power in kW, current in A, charge in %.

    CURRENT, ENERGY_EXPORT, ENERGY_IMPORT, POWER and STATE_OF_CHARGE are for Sessions alone.
    """

    CURRENT = "CURRENT"
    ENERGY = "ENERGY"
    ENERGY_EXPORT = "ENERGY_EXPORT"
    ENERGY_IMPORT = "ENERGY_IMPORT"
    MAX_CURRENT = "MAX_CURRENT"
    MIN_CURRENT = "MIN_CURRENT"
    MAX_POWER = "MAX_POWER"
    MIN_POWER = "MIN_POWER"
    PARKING_TIME = "PARKING_TIME"
    POWER = "POWER"
    RESERVATION_TIME = "RESERVATION_TIME"
    STATE_OF_CHARGE = "STATE_OF_CHARGE"
    TIME = "TIME"


class CdrDimension(OcpiModel):
    """An amount in the unit of its type; negative where energy flows back to the grid."""

    type: CdrDimensionType
    volume: Number


class CdrLocation(OcpiModel):
    """The Connector that was used, as it was then; after a mere reservation its ids are `#NA`.

    The specification requires `evse_id`, but an EVSE need not have one: it may be missing here.
    """

    id: Annotated[CiString, Length(36)]
    name: Annotated[String, Length(255)] | None = None
    address: Annotated[String, Length(45)]
    city: Annotated[String, Length(45)]
    postal_code: Annotated[String, Length(10), NUMERIC] | None = None
    state: Annotated[String, Length(20)] | None = None
    country: Annotated[String, Length(3), COUNTRY]
    coordinates: GeoLocation
    evse_uid: Annotated[CiString, Length(36)]
    evse_id: Annotated[CiString, Length(48), EVSE_ID_OR_NONE] | None = None
    connector_id: Annotated[CiString, Length(36)]
    connector_standard: ConnectorType
    connector_format: ConnectorFormat
    connector_power_type: PowerType


class CdrToken(OcpiModel):
    """The token a session was started with, and whose it is."""

    country_code: CountryCode
    party_id: PartyID
    uid: Annotated[CiString, Length(36)]
    type: TokenType
    contract_id: Annotated[CiString, Length(36)]


class ChargingPeriod(OcpiModel):
    """What was measured from this moment until the next period or the end of the session."""

    start_date_time: DateTime
    dimensions: Annotated[list[CdrDimension], MinLen(1)]
    tariff_id: Annotated[CiString, Length(36)] | None = None


class SignedValue(OcpiModel):
    """One reading of a meter, plain and signed."""

    nature: Annotated[CiString, Length(32)]
    plain_data: Annotated[String, Length(5000)]
    signed_data: Annotated[String, Length(5000)]


class SignedData(OcpiModel):
    """The readings of a meter that a driver can verify, and what it takes to do so."""

    encoding_method: Annotated[CiString, Length(36)]
    encoding_method_version: Int | None = None
    public_key: Annotated[String, Length(512)] | None = None
    signed_values: Annotated[list[SignedValue], MinLen(1)]
    url: Annotated[String, Length(512)] | None = None


def _of_another(reference: str | None, cdr: ValidationInfo) -> str | None:
    """Refuse a credit for nothing, and one for itself."""
    if cdr.data.get("credit") and fold(reference or "") in ("", fold(cdr.data.get("id", ""))):
        raise PydanticCustomError("CreditReference", "not the id of another CDR")
    return reference


CreditReference = Annotated[
    Annotated[CiString, Length(39)] | None,
    AfterValidator(_of_another),
    Field(validate_default=True),
]


class CDR(OcpiModel):
    """What is billed for a charging session: energy in kWh, times in hours.

    A CDR never changes. Another CDR takes it back, with `credit`, and names it in
    `credit_reference_id`; an id may have 39 characters so that the other's can be this one's with a
    suffix.
    """

    country_code: CountryCode
    party_id: PartyID
    id: Annotated[CiString, Length(39, minimum=1)]
    start_date_time: DateTime
    end_date_time: Annotated[DateTime, AtLeast("start_date_time")]
    session_id: Annotated[CiString, Length(36)] | None = None
    cdr_token: CdrToken
    auth_method: AuthMethod
    authorization_reference: Annotated[CiString, Length(36)] | None = None
    cdr_location: CdrLocation
    meter_id: Annotated[String, Length(255)] | None = None
    currency: Annotated[String, Length(3), CURRENCY]
    tariffs: list[Tariff] | None = None
    charging_periods: Annotated[
        list[ChargingPeriod], MinLen(1), Within("start_date_time", "end_date_time")
    ]
    signed_data: SignedData | None = None
    total_cost: Price
    total_fixed_cost: Price | None = None
    total_energy: Number
    total_energy_cost: Price | None = None
    total_time: Annotated[Number, NOT_NEGATIVE]
    total_time_cost: Price | None = None
    total_parking_time: Annotated[Number, NOT_NEGATIVE] | None = None
    total_parking_cost: Price | None = None
    total_reservation_cost: Price | None = None
    remark: Annotated[String, Length(255)] | None = None
    invoice_reference_id: Annotated[CiString, Length(39)] | None = None
    credit: Boolean | None = None
    credit_reference_id: CreditReference = None
    home_charging_compensation: Boolean | None = None
    last_updated: DateTime


CDR_OBJECT = ObjectType(name="CDR", model=CDR, id_field="id", unknown=NotFound, posted=True)

MODULE = Module(
    identifier=ModuleID.CDRS,
    sender=(Resource((), GET, Kind.LIST, CDR_OBJECT),),
    receiver=(
        Resource((), POST, object=CDR_OBJECT),
        Resource(("{cdr_location}",), GET, object=CDR_OBJECT),
    ),
    roles=CHARGING,
    kept=CDR_OBJECT,
)
