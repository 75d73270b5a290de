"""step_size: a total of the session rounded up to whole steps, at the last price.

Specification: mod_cdrs, step_size; mod_tariffs, PriceComponent. A step counts Wh or seconds; what
was used is kWh as a Decimal, or whole seconds. The rule is contested: `rating.readings` has the
other readings of `step`, and of `base`: whether what no price applied to counts, too.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from rating.decimals import ZERO, whole_up
from rating.lines import Line, Step, Unbilled
from rating.readings import Readings
from rating.tariff import ENERGY, PARKING_TIME, RESERVATION_TIME, TIME

_WH_PER_KWH = 1000
_Kinds = tuple[str, ...]


def take_steps(lines: Sequence[Line], unpriced: Sequence[Unbilled], readings: Readings) -> None:
    """Add to the last line of each total what is missing to a whole step."""
    every = [(ENERGY,), *_TIMES[readings.step](lines), (RESERVATION_TIME,)]
    for kinds in every:
        last = next((line for line in reversed(lines) if line.kind in kinds), None)
        if last is not None:
            volumes = [line.used for line in lines if line.kind in kinds]
            if readings.base == "all":
                volumes += [each.used for each in unpriced if each.kind in kinds]
            _take(last, sum(volumes, start=ZERO if last.kind == ENERGY else 0))


def _take(last: Line, total: Decimal | int) -> None:
    size = last.chosen.component.step_size
    if size <= 0 or total <= 0:
        return
    if isinstance(total, Decimal):
        whole: Decimal | int = Decimal(whole_up(total * _WH_PER_KWH / size) * size) / _WH_PER_KWH
    else:
        whole = -(-total // size) * size
    last.step = Step(size, total, whole)
    last.added = whole - total


def _last(lines: Sequence[Line]) -> list[_Kinds]:
    """Round the dimension of the last time-based line, and not the other."""
    kinds = [line.kind for line in lines if line.kind in (TIME, PARKING_TIME)]
    return [(kinds[-1],)] if kinds else []


def _parking(lines: Sequence[Line]) -> list[_Kinds]:
    """Round parking if any is billed, whatever came last."""
    if any(line.kind == PARKING_TIME for line in lines):
        return [(PARKING_TIME,)]
    return [(TIME,)]


def _each(_lines: Sequence[Line]) -> list[_Kinds]:
    return [(TIME,), (PARKING_TIME,)]


def _combined(_lines: Sequence[Line]) -> list[_Kinds]:
    """Round charging and parking together."""
    return [(TIME, PARKING_TIME)]


_TIMES: Mapping[str, Callable[[Sequence[Line]], list[_Kinds]]] = {
    "last": _last,
    "parking": _parking,
    "each": _each,
    "combined": _combined,
}
