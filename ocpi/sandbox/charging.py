"""What happens at the charging stations: which EVSE changes to which status next.

Locations chapter, EVSE status: cars come and go, now and then a station breaks and is repaired.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from ocpi.sandbox.patching import elements
from ocpi.sandbox.shelf import Shelf, read_object
from ocpi.types import PartyRef, format_datetime

NEXT_STATUS = {
    "AVAILABLE": ("CHARGING",) * 9 + ("OUTOFORDER",),
    "CHARGING": ("AVAILABLE",) * 19 + ("OUTOFORDER",),
    "OUTOFORDER": ("AVAILABLE",),
}


@dataclass(frozen=True, slots=True)
class Change:
    """A PATCH to an EVSE."""

    owner: PartyRef
    ids: tuple[str, str]
    patch: dict[str, str]


def now() -> datetime:
    """Tell the time of day, in UTC."""
    return datetime.now(UTC)


class Charging:
    """A stream of status changes, the same sequence for the same seed; its clock only moves on."""

    def __init__(self, locations: Shelf, seed: int, clock: Callable[[], datetime] = now) -> None:
        self._locations = locations
        self._chance = Random(seed)  # noqa: S311 - nothing here is secret
        self._clock = clock
        self._last = datetime.min.replace(tzinfo=UTC)

    def next(self) -> Change:
        """Choose the next change, without applying it."""
        country, party, name = self._chance.choice(list(self._locations))
        location = read_object(self._locations[country, party, name])
        evse = self._chance.choice(elements(location, "evses"))
        status = self._chance.choice(NEXT_STATUS[str(evse["status"])])
        patch = {"status": status, "last_updated": format_datetime(self._moment())}
        return Change(PartyRef(country, party), (name, str(evse["uid"])), patch)

    def _moment(self) -> datetime:
        """Now, to the millisecond, but later than any moment given before."""
        current = self._clock()
        current -= timedelta(microseconds=current.microsecond % 1000)
        self._last = max(current, self._last + timedelta(milliseconds=1))
        return self._last
