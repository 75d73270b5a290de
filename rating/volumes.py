"""What was used in each charging period: seconds, kWh, and the power and current it flowed at.

Specification: mod_cdrs, ChargingPeriod and CdrDimensionType. A period ends where the next begins,
the last with the session.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from rating.cdr import Cdr, Period
from rating.conditions import Span
from rating.decimals import SECONDS_PER_HOUR, ZERO, whole_half_up
from rating.restrictions import RESERVATION_EXPIRES
from rating.tariff import (
    CHARGING,
    ENERGY,
    EXPIRED,
    PARKING_TIME,
    RESERVATION_TIME,
    RESERVING,
    TIME,
    Tariff,
)

TIMES = (TIME, PARKING_TIME, RESERVATION_TIME)
KINDS = (ENERGY, *TIMES)
"""The dimensions that have a volume, in the order of their lines."""
_HOURS_ARE_CUT = 2
"""Hours with three decimals are up to 1.8 s off: so far off, the clock is finer than the number."""
_RESERVED = frozenset({RESERVATION_TIME, RESERVATION_EXPIRES})
_WITHOUT_PRICE = {
    RESERVATION_EXPIRES,
    *("CURRENT", "ENERGY_EXPORT", "ENERGY_IMPORT", "POWER", "STATE_OF_CHARGE", "FLAT"),
    *("MAX_CURRENT", "MIN_CURRENT", "MAX_POWER", "MIN_POWER"),
}
"""Dimensions that are known and have no price: FLAT of a 2.1.1 period is one of them."""


@dataclass(slots=True)
class Used:
    """A charging period: its volumes that are not zero, in kWh and in seconds.

    `energy` is the kWh of the session before it, `began` when its phase did. `timed` is whether
    the CDR gives any time for it.
    """

    place: int
    start: int
    end: int
    phase: str
    began: int
    tariff: Tariff | None
    volumes: dict[str, Decimal | int]
    energy: Decimal
    power: Span | None
    current: Span | None
    timed: bool
    not_known: tuple[str, ...]


def used(cdr: Cdr, tariffs: list[Tariff | None], *, clock: bool = False) -> Iterator[Used]:
    """Measure each period; with `clock` one that tells no time charged as long as it lasted."""
    expired = has_expired(cdr)
    began: dict[str, int] = {}
    energy = ZERO
    ends = [period.start for period in cdr.periods[1:]] + [cdr.end]
    for period, tariff, end in zip(cdr.periods, tariffs, ends, strict=True):
        phase = _phase(period.dimensions, expired=expired)
        volumes = dict(_volumes(period, end))
        timed = any(kind in period.dimensions for kind in TIMES)
        if clock and not timed and end > period.start:
            volumes[TIME] = end - period.start
        yield Used(
            place=period.place,
            start=period.start,
            end=end,
            phase=phase,
            began=began.setdefault(phase, period.start),
            tariff=tariff,
            volumes=volumes,
            energy=energy,
            power=_power(period.dimensions, end - period.start),
            current=_span(period.dimensions, "CURRENT"),
            timed=timed,
            not_known=tuple(_not_known(period.dimensions)),
        )
        energy += max(period.dimensions.get(ENERGY, ZERO), ZERO)


def has_expired(cdr: Cdr) -> bool:
    """Whether all there was is a reservation; one that was cancelled looks the same."""
    reserved = any(not _RESERVED.isdisjoint(period.dimensions) for period in cdr.periods)
    return reserved and not any(_has_charged(period.dimensions) for period in cdr.periods)


def says_expired(cdr: Cdr) -> bool:
    """Whether the CDR itself says so, by the dimension that bookings have for it."""
    return any(RESERVATION_EXPIRES in period.dimensions for period in cdr.periods)


def _has_charged(dimensions: Mapping[str, Decimal]) -> bool:
    return any(dimensions.get(kind, ZERO) > 0 for kind in (TIME, PARKING_TIME, ENERGY))


def _phase(dimensions: Mapping[str, Decimal], *, expired: bool) -> str:
    """Return what a period is part of; RESERVATION_TIME reserves, if it is no idle zero."""
    if expired:
        return EXPIRED
    reserved = dimensions.get(RESERVATION_TIME)
    if reserved is None or (not reserved and _has_charged(dimensions)):
        return CHARGING
    return RESERVING


def _volumes(period: Period, end: int) -> Iterator[tuple[str, Decimal | int]]:
    energy = period.dimensions.get(ENERGY)
    if energy:
        yield ENERGY, energy
    hours = {kind: given for kind in TIMES if (given := period.dimensions.get(kind))}
    for kind, given in hours.items():
        seconds, span = given * SECONDS_PER_HOUR, end - period.start
        alone = len(hours) == 1 and abs(seconds - span) <= _HOURS_ARE_CUT
        yield kind, span if alone else whole_half_up(seconds)


def _span(dimensions: Mapping[str, Decimal], of: str) -> Span | None:
    """Return the least and the most; one that is missing is the other."""
    least, most = dimensions.get(f"MIN_{of}"), dimensions.get(f"MAX_{of}")
    if least is None or most is None:
        given = most if least is None else least
        return None if given is None else (given, given)
    return least, most


def _power(dimensions: Mapping[str, Decimal], seconds: int) -> Span | None:
    """Return the kW of a period; not given, their average, and none while parking."""
    span = _span(dimensions, "POWER")
    if span is not None:
        return span
    energy, hours = dimensions.get(ENERGY), dimensions.get(TIME) or ZERO
    if energy is None:
        return (ZERO, ZERO) if PARKING_TIME in dimensions and not hours else None
    charged = hours * SECONDS_PER_HOUR if hours > 0 else seconds
    average = energy * SECONDS_PER_HOUR / charged if charged else None
    return None if average is None else (average, average)


def _not_known(dimensions: Mapping[str, Decimal]) -> Iterator[str]:
    for kind, volume in dimensions.items():
        if volume and kind not in KINDS and kind not in _WITHOUT_PRICE:
            yield kind
