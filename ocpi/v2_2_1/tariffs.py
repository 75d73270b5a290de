"""What charging costs: Tariffs, made of elements with prices and the conditions they apply under.

Specification: mod_tariffs.
"""

from typing import Annotated

from annotated_types import MinLen

from ocpi.errors import NotFound
from ocpi.formats import CURRENCY, DATE, NOT_NEGATIVE, PERCENTAGE, POSITIVE, TIME_OF_DAY
from ocpi.modules import GET, OWNED, Kind, Module, ObjectType, Resource
from ocpi.relations import AtLeast
from ocpi.roles import OPEN_DATA
from ocpi.types import (
    URL,
    CiString,
    CountryCode,
    DateTime,
    DisplayText,
    Int,
    Length,
    ModuleID,
    Number,
    OcpiEnum,
    OcpiModel,
    PartyID,
    Price,
    String,
)
from ocpi.v2_2_1.location_types import EnergyMix


class DayOfWeek(OcpiEnum):
    """A day of every week."""

    MONDAY = "MONDAY"
    TUESDAY = "TUESDAY"
    WEDNESDAY = "WEDNESDAY"
    THURSDAY = "THURSDAY"
    FRIDAY = "FRIDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"


class ReservationRestrictionType(OcpiEnum):
    """Which reservations a TariffElement prices: those that are used, or those that expire."""

    RESERVATION = "RESERVATION"
    RESERVATION_EXPIRES = "RESERVATION_EXPIRES"


class TariffDimensionType(OcpiEnum):
    """What is priced: energy per kWh, time per hour, or the session as such."""

    ENERGY = "ENERGY"
    FLAT = "FLAT"
    PARKING_TIME = "PARKING_TIME"
    TIME = "TIME"


class TariffType(OcpiEnum):
    """The way of paying or the charging preference a Tariff is meant for."""

    AD_HOC_PAYMENT = "AD_HOC_PAYMENT"
    PROFILE_CHEAP = "PROFILE_CHEAP"
    PROFILE_FAST = "PROFILE_FAST"
    PROFILE_GREEN = "PROFILE_GREEN"
    REGULAR = "REGULAR"


class PriceComponent(OcpiModel):
    """The price of one dimension without VAT, billed in steps.

    `step_size` counts Wh of energy and seconds of time. `vat` is a percentage; without it no VAT
    applies, which is not the same as 0.
    """

    type: TariffDimensionType
    price: Number
    vat: Annotated[Number, PERCENTAGE] | None = None
    step_size: Annotated[Int, POSITIVE]


class TariffRestrictions(OcpiModel):
    """When a TariffElement applies: all of these at once, at that moment of the session.

    Times and dates are local to the Location. Energy is in kWh, current in A summed over all
    phases, power in kW, duration in seconds. Every minimum is included, every end excluded.
    """

    start_time: Annotated[String, Length(5), TIME_OF_DAY] | None = None
    end_time: Annotated[String, Length(5), TIME_OF_DAY] | None = None
    start_date: Annotated[String, Length(10), DATE] | None = None
    end_date: Annotated[String, Length(10), DATE, AtLeast("start_date")] | None = None
    min_kwh: Annotated[Number, NOT_NEGATIVE] | None = None
    max_kwh: Annotated[Number, NOT_NEGATIVE, AtLeast("min_kwh")] | None = None
    min_current: Annotated[Number, NOT_NEGATIVE] | None = None
    max_current: Annotated[Number, NOT_NEGATIVE, AtLeast("min_current")] | None = None
    min_power: Annotated[Number, NOT_NEGATIVE] | None = None
    max_power: Annotated[Number, NOT_NEGATIVE, AtLeast("min_power")] | None = None
    min_duration: Annotated[Int, NOT_NEGATIVE] | None = None
    max_duration: Annotated[Int, NOT_NEGATIVE, AtLeast("min_duration")] | None = None
    day_of_week: list[DayOfWeek] | None = None
    reservation: ReservationRestrictionType | None = None


class TariffElement(OcpiModel):
    """Prices that apply under the same conditions."""

    price_components: Annotated[list[PriceComponent], MinLen(1)]
    restrictions: TariffRestrictions | None = None


class Tariff(OcpiModel):
    """What a CPO asks for charging; of every dimension the first element that applies counts."""

    country_code: CountryCode
    party_id: PartyID
    id: Annotated[CiString, Length(36, minimum=1)]
    currency: Annotated[String, Length(3), CURRENCY]
    type: TariffType | None = None
    tariff_alt_text: list[DisplayText] | None = None
    tariff_alt_url: URL | None = None
    min_price: Price | None = None
    max_price: Annotated[Price, AtLeast("min_price")] | None = None
    elements: Annotated[list[TariffElement], MinLen(1)]
    start_date_time: DateTime | None = None
    end_date_time: Annotated[DateTime, AtLeast("start_date_time")] | None = None
    energy_mix: EnergyMix | None = None
    last_updated: DateTime


TARIFF = ObjectType(name="Tariff", model=Tariff, id_field="id", unknown=NotFound)

MODULE = Module(
    identifier=ModuleID.TARIFFS,
    sender=(Resource((), GET, Kind.LIST, TARIFF),),
    receiver=(
        Resource((*OWNED, "{tariff_id}"), frozenset({"GET", "PUT", "DELETE"}), object=TARIFF),
    ),
    roles=OPEN_DATA,
    kept=TARIFF,
)
