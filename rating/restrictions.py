"""The restrictions of a TariffElement: all of them hold, or the element prices nothing.

Specification: mod_tariffs, TariffRestrictions and ReservationRestrictionType.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from rating.codes import CannotBePriced
from rating.conditions import (
    DAYS,
    Condition,
    DayOfWeek,
    EndDate,
    Least,
    LeastDuration,
    LeastEnergy,
    Moment,
    Most,
    MostDuration,
    MostEnergy,
    NotUnderstood,
    StartDate,
    TimeOfDay,
)
from rating.decimals import number, whole
from rating.times import DAY, day_number

RESERVATION = "RESERVATION"
RESERVATION_EXPIRES = "RESERVATION_EXPIRES"
_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00", re.ASCII)


class Restrictions(NamedTuple):
    """What must hold, and where within a session that may change.

    `times_of_day` are local seconds of a day, `durations` seconds of the session, `energies` kWh.
    """

    conditions: tuple[Condition, ...] = ()
    reservation: str | None = None
    local: bool = False
    times_of_day: frozenset[int] = frozenset()
    durations: frozenset[int] = frozenset()
    energies: frozenset[Decimal] = frozenset()

    def hold(self, moment: Moment) -> bool | None:
        """Tell whether all hold, one does not, or nobody knows."""
        known = True
        for condition in self.conditions:
            holds = condition.holds(moment)
            if holds is False:
                return False
            known = known and holds is not None
        return True if known else None

    def unknown(self, moment: Moment) -> Condition:
        """Return the first of which nobody knows whether it holds."""
        return next(each for each in self.conditions if each.holds(moment) is None)

    def failed(self, moment: Moment) -> str:
        """Name the first that does not hold."""
        return next(each.failed(moment) for each in self.conditions if each.holds(moment) is False)


NONE = Restrictions()


def read_restrictions(value: object) -> Restrictions:
    """Read the object of an element; absent, null and empty members restrict nothing."""
    if not value:
        return NONE
    if not isinstance(value, dict):
        return Restrictions((NotUnderstood("restrictions"),))
    given = {name: each for name, each in value.items() if each not in (None, [], "")}
    conditions = tuple(_conditions(given))
    return Restrictions(
        conditions,
        reservation=given.get("reservation") and str(given["reservation"]),
        local=any(isinstance(each, _LOCAL) for each in conditions),
        times_of_day=frozenset(_times_of_day(conditions)),
        durations=frozenset(e.seconds for e in conditions if isinstance(e, _DURATIONS)),
        energies=frozenset(e.kwh for e in conditions if isinstance(e, _ENERGIES)),
    )


_LOCAL = (TimeOfDay, DayOfWeek, StartDate, EndDate)
_DURATIONS = (LeastDuration, MostDuration)
_ENERGIES = (LeastEnergy, MostEnergy)
_Readers = Mapping[str, Callable[[Any], Condition | None]]
_READERS: _Readers = {
    "start_date": lambda value: StartDate(day_number(value)),
    "end_date": lambda value: EndDate(day_number(value)),
    "min_kwh": lambda value: LeastEnergy(number(value)),
    "max_kwh": lambda value: MostEnergy(number(value)),
    "min_duration": lambda value: LeastDuration(whole(value)),
    "max_duration": lambda value: MostDuration(whole(value)),
    "min_power": lambda value: Least("power", number(value)),
    "max_power": lambda value: Most("power", number(value)),
    "min_current": lambda value: Least("current", number(value)),
    "max_current": lambda value: Most("current", number(value)),
}


def _conditions(given: Mapping[str, Any]) -> Iterator[Condition]:
    window = _window(given)
    if window is not None:
        yield window
    night = window.end if isinstance(window, TimeOfDay) and window.wraps else 0
    readers: _Readers = {
        **_READERS,
        "day_of_week": partial(_days, night=night),
        "reservation": _reservation,
    }
    for name, value in given.items():
        if name not in ("start_time", "end_time"):
            condition = _read(readers, name, value)
            if condition is not None:
                yield condition


def _read(readers: _Readers, name: str, value: object) -> Condition | None:
    try:
        return readers[name](value)
    except (CannotBePriced, KeyError, TypeError, ValueError):
        return NotUnderstood(name)


def _window(given: Mapping[str, Any]) -> Condition | None:
    """Read the times of day: a start alone lasts to midnight, an end alone begins there.

    A start that is the end restricts nothing: it is the whole day.
    """
    if "start_time" not in given and "end_time" not in given:
        return None
    try:
        start = _second_of_day(given.get("start_time", "00:00")) % DAY
        end = _second_of_day(given.get("end_time", "00:00")) or DAY
    except (TypeError, ValueError):
        return NotUnderstood("start_time, end_time")
    return TimeOfDay(start, end) if end - start not in (0, DAY) else None


def _second_of_day(text: str) -> int:
    if not _TIME.fullmatch(text):
        raise ValueError(text)
    return int(text[:2]) * 3600 + int(text[3:]) * 60


def _days(value: list[str], *, night: int) -> Condition:
    return DayOfWeek(frozenset(DAYS.index(day) for day in value), night)


def _reservation(value: str) -> Condition | None:
    """Two words choose the phase (`rating.selection`); any other is not understood."""
    known = value in (RESERVATION, RESERVATION_EXPIRES)
    return None if known else NotUnderstood("reservation")


def _times_of_day(conditions: tuple[Condition, ...]) -> Iterator[int]:
    for each in conditions:
        if isinstance(each, TimeOfDay):
            yield from (each.start, each.end % DAY)
        elif isinstance(each, _LOCAL):
            yield 0
