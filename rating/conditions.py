"""What a TariffElement asks of a moment of the session, one class for each kind of restriction.

Specification: mod_tariffs, TariffRestrictions. Every minimum and start is included, every maximum
and end excluded. A condition holds, does not hold, or nobody knows: True, False or None.
"""

from decimal import Decimal
from typing import NamedTuple, Protocol

from rating.decimals import plain
from rating.times import DAY, day_text

DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
Span = tuple[Decimal, Decimal]
"""The least and the most of power or current in a period."""


class Moment(NamedTuple):
    """An instant of the session, as restrictions look at it.

    `local` is the local second (`rating.times`), `elapsed` the seconds since the phase began,
    `energy` the kWh so far, power is in kW and current in A.
    """

    at: int
    local: int
    elapsed: int
    energy: Decimal
    power: Span | None
    current: Span | None
    days_of_windows: bool = False


class Condition(Protocol):
    """One restriction, or two that only make sense together."""

    def holds(self, moment: Moment) -> bool | None: ...

    def because(self, moment: Moment) -> str:
        """Say what holds at that moment."""

    def failed(self, moment: Moment) -> str:
        """Name the field that does not hold, with its value."""


def _clock(second: int) -> str:
    return f"{second // 3600:02}:{second // 60 % 60:02}"


class TimeOfDay(NamedTuple):
    """`start_time` and `end_time`, seconds of the local day; an end before its start wraps."""

    start: int
    end: int

    @property
    def wraps(self) -> bool:
        return self.end < self.start

    def holds(self, moment: Moment) -> bool:
        second = moment.local % DAY
        if self.start < self.end:
            return self.start <= second < self.end
        return second >= self.start or second < self.end

    def because(self, moment: Moment) -> str:
        now, start, end = (_clock(each) for each in (moment.local % DAY, self.start, self.end))
        if not self.wraps:
            return f"{start} <= {now} < {end} local"
        return f"{start} <= {now} local" if now >= start else f"{now} < {end} local"

    def failed(self, moment: Moment) -> str:
        early = moment.local % DAY < self.start and not self.wraps
        return f"start_time {_clock(self.start)}" if early else f"end_time {_clock(self.end)}"


class DayOfWeek(NamedTuple):
    """`day_of_week`: the local day of the moment, 0 for Monday.

    `night` is where a window that wraps ends: read by windows, a moment before it belongs to the
    day on which the window began.
    """

    days: frozenset[int]
    night: int

    def _day(self, moment: Moment) -> int:
        local = moment.local
        if moment.days_of_windows and local % DAY < self.night:
            local -= DAY
        return (local // DAY + 3) % 7

    def holds(self, moment: Moment) -> bool:
        return self._day(moment) in self.days

    def because(self, moment: Moment) -> str:
        return f"{DAYS[self._day(moment)]} local"

    def failed(self, moment: Moment) -> str:
        return f"day_of_week {' '.join(DAYS[day] for day in sorted(self.days))}"


class StartDate(NamedTuple):
    """`start_date`, a local day that is included."""

    day: int

    def holds(self, moment: Moment) -> bool:
        return moment.local // DAY >= self.day

    def because(self, moment: Moment) -> str:
        return f"{day_text(self.day)} <= {day_text(moment.local // DAY)} local"

    def failed(self, moment: Moment) -> str:
        return f"start_date {day_text(self.day)}"


class EndDate(NamedTuple):
    """`end_date`, a local day that is excluded."""

    day: int

    def holds(self, moment: Moment) -> bool:
        return moment.local // DAY < self.day

    def because(self, moment: Moment) -> str:
        return f"{day_text(moment.local // DAY)} < {day_text(self.day)} local"

    def failed(self, moment: Moment) -> str:
        return f"end_date {day_text(self.day)}"


class LeastEnergy(NamedTuple):
    """`min_kwh`, of the session so far."""

    kwh: Decimal

    def holds(self, moment: Moment) -> bool:
        return moment.energy >= self.kwh

    def because(self, moment: Moment) -> str:
        return f"{plain(self.kwh)} <= {plain(moment.energy)} kWh"

    def failed(self, moment: Moment) -> str:
        return f"min_kwh {plain(self.kwh)}"


class MostEnergy(NamedTuple):
    """`max_kwh`, of the session so far."""

    kwh: Decimal

    def holds(self, moment: Moment) -> bool:
        return moment.energy < self.kwh

    def because(self, moment: Moment) -> str:
        return f"{plain(moment.energy)} < {plain(self.kwh)} kWh"

    def failed(self, moment: Moment) -> str:
        return f"max_kwh {plain(self.kwh)}"


class LeastDuration(NamedTuple):
    """`min_duration`, of the session so far, whatever is priced."""

    seconds: int

    def holds(self, moment: Moment) -> bool:
        return moment.elapsed >= self.seconds

    def because(self, moment: Moment) -> str:
        return f"{self.seconds} <= {moment.elapsed} s"

    def failed(self, moment: Moment) -> str:
        return f"min_duration {self.seconds}"


class MostDuration(NamedTuple):
    """`max_duration`, of the session so far, whatever is priced."""

    seconds: int

    def holds(self, moment: Moment) -> bool:
        return moment.elapsed < self.seconds

    def because(self, moment: Moment) -> str:
        return f"{moment.elapsed} < {self.seconds} s"

    def failed(self, moment: Moment) -> str:
        return f"max_duration {self.seconds}"


class Least(NamedTuple):
    """`min_power` or `min_current`: the whole span is at or above it, below it, or neither."""

    of: str
    limit: Decimal

    def holds(self, moment: Moment) -> bool | None:
        span = moment.power if self.of == "power" else moment.current
        if span is None:
            return None
        if span[0] >= self.limit:
            return True
        return False if span[1] < self.limit else None

    def because(self, moment: Moment) -> str:
        return f"{self.of} >= {plain(self.limit)}"

    def failed(self, moment: Moment) -> str:
        return f"min_{self.of} {plain(self.limit)}"


class Most(NamedTuple):
    """`max_power` or `max_current`: the whole span is below it, at or above it, or neither."""

    of: str
    limit: Decimal

    def holds(self, moment: Moment) -> bool | None:
        span = moment.power if self.of == "power" else moment.current
        if span is None:
            return None
        if span[1] < self.limit:
            return True
        return False if span[0] >= self.limit else None

    def because(self, moment: Moment) -> str:
        return f"{self.of} < {plain(self.limit)}"

    def failed(self, moment: Moment) -> str:
        return f"max_{self.of} {plain(self.limit)}"


class NotUnderstood(NamedTuple):
    """A restriction, or a value of one, that no version we read has: nobody knows."""

    field: str

    def holds(self, moment: Moment) -> None:
        return None

    def because(self, moment: Moment) -> str:
        return f"{self.field} is taken to hold"

    def failed(self, moment: Moment) -> str:
        return self.field
