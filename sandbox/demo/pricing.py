"""What a charging session costs by a tariff: pure arithmetic over charging periods.

Spec: 2.2.1 mod_tariffs (elements, restrictions, step_size) and mod_cdrs (step_size once a session).
Restrictions on power and current, and minimum and maximum prices, are not for this sandbox.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from ocpi.types import parse_datetime

Json = Mapping[str, Any]
DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
SECONDS_PER_HOUR = 3600
STEPS_PER_UNIT = {"ENERGY": 1000, "TIME": SECONDS_PER_HOUR, "PARKING_TIME": SECONDS_PER_HOUR}
"""How many smallest steps are in the unit that is priced: Wh in a kWh, seconds in an hour."""
FOUR_DECIMALS = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Price:
    """An amount without and with VAT."""

    excl_vat: Decimal = Decimal(0)
    incl_vat: Decimal = Decimal(0)

    def __add__(self, other: "Price") -> "Price":
        return Price(self.excl_vat + other.excl_vat, self.incl_vat + other.incl_vat)

    def rounded(self) -> "Price":
        """Round to the four decimals that a CDR has."""
        amounts = (self.excl_vat, self.incl_vat)
        return Price(*(each.quantize(FOUR_DECIMALS, ROUND_HALF_UP) for each in amounts))

    def as_json(self) -> dict[str, float]:
        """Write it as a Price object."""
        return {"excl_vat": float(self.excl_vat), "incl_vat": float(self.incl_vat)}


@dataclass(frozen=True, slots=True)
class Bill:
    """The costs of a session by dimension, each rounded."""

    fixed: Price
    energy: Price
    time: Price
    parking: Price

    @property
    def total(self) -> Price:
        """The sum of the four."""
        return self.fixed + self.energy + self.time + self.parking


@dataclass(frozen=True, slots=True)
class _Situation:
    """What restrictions look at when a charging period begins."""

    local: datetime
    kwh: Decimal
    seconds: Decimal


@dataclass(frozen=True, slots=True)
class _Use:
    """A volume of one dimension, in its smallest steps, and the price component it falls under."""

    dimension: str
    steps: Decimal
    component: Json

    @property
    def cost(self) -> Price:
        units = self.steps / STEPS_PER_UNIT[self.dimension]
        return _price(self.component, units)


def bill(tariff: Json, periods: Sequence[Json], time_zone: str) -> Bill:
    """Price the charging periods of a session at a place in this time zone."""
    situations = list(_situations(periods, ZoneInfo(time_zone)))
    uses = list(_uses(tariff, periods, situations))
    uses = _stepped(uses, ("ENERGY",))
    uses = _stepped(uses, ("TIME", "PARKING_TIME"))
    flat = (_component(tariff, "FLAT", situation) for situation in situations)
    started = next((component for component in flat if component is not None), None)
    return Bill(
        fixed=_price(started, Decimal(1)).rounded() if started else Price(),
        **{
            name: sum((use.cost for use in uses if use.dimension == dimension), Price()).rounded()
            for name, dimension in (
                ("energy", "ENERGY"),
                ("time", "TIME"),
                ("parking", "PARKING_TIME"),
            )
        },
    )


def volume(periods: Iterable[Json], *dimensions: str) -> Decimal:
    """Add up the volumes of these dimensions."""
    return sum(
        (
            _decimal(each["volume"])
            for period in periods
            for each in period["dimensions"]
            if each["type"] in dimensions
        ),
        Decimal(0),
    )


def _situations(periods: Sequence[Json], zone: ZoneInfo) -> Iterator[_Situation]:
    start = parse_datetime(periods[0]["start_date_time"]) if periods else None
    for number, period in enumerate(periods):
        moment = parse_datetime(period["start_date_time"])
        seconds = Decimal((moment - (start or moment)).total_seconds())
        yield _Situation(moment.astimezone(zone), volume(periods[:number], "ENERGY"), seconds)


def _uses(tariff: Json, periods: Sequence[Json], situations: list[_Situation]) -> Iterator[_Use]:
    for period, situation in zip(periods, situations, strict=True):
        for each in period["dimensions"]:
            component = _component(tariff, each["type"], situation)
            if component is not None:
                yield _Use(each["type"], _steps(each["type"], each["volume"]), component)


def _stepped(uses: list[_Use], dimensions: tuple[str, ...]) -> list[_Use]:
    """Round up once: the total of what was used last, by the step size of its last component."""
    among = [index for index, use in enumerate(uses) if use.dimension in dimensions]
    if not among:
        return uses
    last = uses[among[-1]]
    total = sum((use.steps for use in uses if use.dimension == last.dimension), Decimal(0))
    size = Decimal(last.component["step_size"]) or Decimal(1)
    missing = (total / size).to_integral_value(ROUND_CEILING) * size - total
    changed = replace(last, steps=last.steps + missing)
    return [changed if index == among[-1] else use for index, use in enumerate(uses)]


def _component(tariff: Json, dimension: str, situation: _Situation) -> Json | None:
    """Find the price component of a dimension: that of the first element that applies."""
    for element in tariff["elements"]:
        for component in element["price_components"]:
            if component["type"] == dimension and _applies(element, situation):
                found: Json = component
                return found
    return None


def _applies(element: Json, situation: _Situation) -> bool:
    restrictions: Json = element.get("restrictions") or {}
    unknown = restrictions.keys() - RESTRICTIONS.keys() - {"start_time", "end_time"}
    if unknown:
        message = f"cannot price by {', '.join(sorted(unknown))}"
        raise ValueError(message)
    return _is_time_of_day(restrictions, situation) and all(
        holds(restrictions[name], situation)
        for name, holds in RESTRICTIONS.items()
        if name in restrictions
    )


RESTRICTIONS: Mapping[str, Callable[[Any, _Situation], bool]] = {
    "start_date": lambda value, now: f"{now.local:%Y-%m-%d}" >= value,
    "end_date": lambda value, now: f"{now.local:%Y-%m-%d}" < value,
    "day_of_week": lambda value, now: DAYS[now.local.weekday()] in value,
    "min_kwh": lambda value, now: now.kwh >= _decimal(value),
    "max_kwh": lambda value, now: now.kwh < _decimal(value),
    "min_duration": lambda value, now: now.seconds >= value,
    "max_duration": lambda value, now: now.seconds < value,
    "reservation": lambda _value, _now: False,
}


def _is_time_of_day(restrictions: Json, situation: _Situation) -> bool:
    start = restrictions.get("start_time", "00:00")
    end = restrictions.get("end_time", "00:00")
    time = f"{situation.local:%H:%M}"
    return bool(start <= time < end if start < end else time >= start or time < end)


def _price(component: Json, units: Decimal) -> Price:
    cost = _decimal(component["price"]) * units
    return Price(cost, cost * (1 + _decimal(component.get("vat") or 0) / 100))


def _steps(dimension: str, value: float) -> Decimal:
    """Count the smallest steps; of a time that was written in hours, the whole seconds meant."""
    steps = _decimal(value) * STEPS_PER_UNIT.get(dimension, 1)
    return steps if dimension == "ENERGY" else steps.to_integral_value(ROUND_HALF_UP)


def _decimal(value: float | Decimal) -> Decimal:
    """Read a number as it was written, not as a binary fraction."""
    return Decimal(str(value))
