"""A charging period in parts, where its CPO owed a period of its own for each.

Specification: mod_cdrs, ChargingPeriod: every change of price begins a new period. Where one is
missing, what was used is taken as even over the period: times are shared to the second, energy to
0.0001 kWh, a part that ends at a limit of kWh gets exactly what was missing to it, and the last
part has the rest.
"""

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from rating.codes import CannotBePriced, Unpriced
from rating.conditions import Moment
from rating.decimals import EXACT, SHOWN, ZERO, whole_up
from rating.tariff import ENERGY, Edges
from rating.times import DAY, WallClock
from rating.volumes import Used

MOST_SEGMENTS = 10_000


class Cut(NamedTuple):
    """Where a period is cut: an instant, and the kWh so far if a limit of kWh is reached there."""

    at: int
    energy: Decimal


class Segment(NamedTuple):
    """A part of a period in which no restriction changes."""

    start: int
    end: int
    energy: Decimal
    volumes: dict[str, Decimal | int]

    def moment(self, used: Used, clock: WallClock | None, *, days_of_windows: bool) -> Moment:
        """Return the segment's begin as restrictions look at it."""
        return Moment(
            at=self.start,
            local=self.start if clock is None else clock.local(self.start),
            elapsed=self.start - used.began,
            energy=self.energy,
            power=used.power,
            current=used.current,
            days_of_windows=days_of_windows,
        )


def whole_period(used: Used) -> Segment:
    return Segment(used.start, used.end, used.energy, used.volumes)


def segments(used: Used, edges: Edges | None, clock: WallClock | None) -> list[Segment]:
    """Cut a period wherever a restriction of its tariff may change."""
    if edges is None:
        return [whole_period(used)]
    by_energy = sorted(_cuts_by_energy(used, edges))
    reached = {cut.at for cut in by_energy}
    by_time = (at for at in _instants(used, edges, clock) if at not in reached)
    cuts = sorted([*by_energy, *(Cut(at, _NO_LIMIT) for at in by_time)])
    return list(_parts(used, cuts)) if cuts else [whole_period(used)]


_NO_LIMIT = Decimal("Infinity")


def _instants(used: Used, edges: Edges, clock: WallClock | None) -> set[int]:
    found = {used.began + seconds for seconds in edges.durations}
    if edges.local and clock is not None:
        days = (used.end - used.start) // DAY + 2
        if days * len(edges.times_of_day) > MOST_SEGMENTS:
            raise CannotBePriced(Unpriced.TOO_LARGE, "a period with too many changes of price")
        found.update(clock.changes(used.start, used.end, edges.times_of_day))
    return {at for at in found if used.start < at < used.end}


def _cuts_by_energy(used: Used, edges: Edges) -> Iterator[Cut]:
    """Find the second at which each limit of kWh is reached."""
    volume = used.volumes.get(ENERGY, ZERO)
    for limit in edges.energies if volume > 0 else ():
        missing = limit - used.energy
        if 0 < missing < volume:
            yield Cut(used.start + whole_up(missing * (used.end - used.start) / volume), limit)


def _parts(used: Used, cuts: list[Cut]) -> Iterator[Segment]:
    left = dict(used.volumes)
    start, energy = used.start, used.energy
    limits = _limits_to_come(cuts)
    for cut, limit in zip(cuts, limits, strict=True):
        seconds = cut.at - start
        part = {kind: _shared(used, kind, seconds, left[kind]) for kind in left}
        if ENERGY in part and limit != _NO_LIMIT:
            missing = limit - energy
            part[ENERGY] = missing if cut.energy == limit else min(part[ENERGY], missing)
        yield Segment(start, cut.at, energy, part)
        for kind, volume in part.items():
            left[kind] -= volume
        start, energy = cut.at, energy + max(part.get(ENERGY, ZERO), ZERO)
    yield Segment(start, used.end, energy, left)


def _limits_to_come(cuts: list[Cut]) -> list[Decimal]:
    """Return for each cut the limit of kWh that it may not pass."""
    limits, limit = [], _NO_LIMIT
    for cut in reversed(cuts):
        limit = min(limit, cut.energy)
        limits.append(limit)
    return limits[::-1]


def _shared(used: Used, kind: str, seconds: int, left: Decimal | int) -> Decimal | int:
    """Return what of a volume falls into some seconds, and never more than is left."""
    span = used.end - used.start
    volume = used.volumes[kind]
    if isinstance(volume, int):
        share: Decimal | int = (2 * volume * seconds + span) // (2 * span) if span else 0
    else:
        share = (volume * seconds / span if span else ZERO).quantize(SHOWN, ROUND_HALF_UP, EXACT)
    return min(share, left) if volume > 0 else max(share, left)
