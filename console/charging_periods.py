"""Charging periods as a chart of the energy in each.

Spec: 2.2.1 mod_cdrs, ChargingPeriod and CdrDimension classes. Sessions have the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from hub.module_policy import moment, number, word

_WIDTH = 640
_HEIGHT = 120
"""Of the picture, in its own units."""
_MOST_BARS = 160
_dimension = word("type")
_volume = number("volume")
_start = moment("start_date_time")


@dataclass(frozen=True, slots=True)
class PeriodBar:
    """The energy of one period, or of several in a row if there are more periods than bars."""

    start: datetime | None
    kwh: float
    x: float
    width: float
    height: float

    @property
    def top(self) -> float:
        """Its y coordinate, which counts from the top of the picture."""
        return _HEIGHT - self.height


def chart(decoded: Mapping[str, object]) -> SafeString | str:
    """Draw the periods of a Session or CDR."""
    periods = _objects(decoded.get("charging_periods"))
    if not periods:
        return "none yet"
    bars = _bars([(_moment(period), _energy(period)) for period in periods])
    context = {
        "bars": bars,
        "first": bars[0].start,
        "last": _moment(periods[-1]),
        "number": len(periods),
        "kwh": f"{sum(bar.kwh for bar in bars):,.3f}",
        "most": f"{max(bar.kwh for bar in bars):,.3f}",
        "together": len(bars) < len(periods),
        "width": _WIDTH,
        "height": _HEIGHT,
    }
    return render_to_string("console/periods.html", context)


def _bars(energies: Sequence[tuple[datetime | None, float]]) -> list[PeriodBar]:
    """Draw equally wide bars, the highest as high as the picture."""
    size = ceil(len(energies) / _MOST_BARS)
    groups = [energies[at : at + size] for at in range(0, len(energies), size)]
    sums = [sum(kwh for _, kwh in group) for group in groups]
    most, step = max(map(abs, sums)) or 1.0, _WIDTH / len(groups)
    return [
        PeriodBar(
            start=group[0][0],
            kwh=kwh,
            x=round(at * step, 2),
            width=round(step * 0.9, 2),  # the rest is a gap
            height=abs(kwh) / most * _HEIGHT,
        )
        for at, (group, kwh) in enumerate(zip(groups, sums, strict=True))
    ]


def _energy(period: Mapping[str, object]) -> float:
    """Return the sum of a period's ENERGY dimensions; a volume that is no number counts 0."""
    dimensions = (d for d in _objects(period.get("dimensions")) if _dimension(d) == "ENERGY")
    volumes: list[Any] = [_volume(dimension) for dimension in dimensions]
    return sum(volume or 0.0 for volume in volumes)


def _moment(period: Mapping[str, object]) -> datetime | None:
    start: Any = _start(period)
    return start if isinstance(start, datetime) else None


def _objects(value: object) -> list[Mapping[str, object]]:
    found = value if isinstance(value, list) else []
    return [item for item in found if isinstance(item, Mapping)]
