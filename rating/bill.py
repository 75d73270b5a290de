"""The lines of a session, while its charging periods are walked through.

Specification: mod_cdrs, ChargingPeriod; mod_tariffs, TariffDimensionType.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from rating.cdr import Cdr
from rating.codes import CannotBePriced, Note, Unpriced
from rating.lines import Line, Unbilled
from rating.readings import Readings
from rating.segments import Segment, segments, whole_period
from rating.selection import Chosen, Effort, Selection
from rating.tariff import CHARGING, FLAT, RESERVATION_TIME, TIME, Edges, Tariff
from rating.tariff_choice import Choice
from rating.times import WallClock
from rating.volumes import KINDS, Used
from rating.zones import Zone

_PART = 10
"""What a part of a period takes beside its elements, in elements."""


class Session(NamedTuple):
    """A CDR with all that its price depends on."""

    cdr: Cdr
    choice: Choice
    zone: Zone | None


class Remark(NamedTuple):
    """A note, and the period it is about if it is about one."""

    code: Note
    period: int | None = None


class Bill:
    """What is billed and what is not, period by period.

    Neighbours within a period that have the same component are one line.
    """

    def __init__(self, session: Session, readings: Readings, effort: Effort) -> None:
        self.session = session
        self.readings = readings
        self.effort = effort
        self.clock: WallClock | None = None
        self.lines: list[Line] = []
        self.unpriced: list[Unbilled] = []
        self.remarks: list[Remark] = []
        self._flats: list[tuple[str, Chosen]] = []
        self._latest: dict[str, Line | Unbilled] = {}

    def add(self, used: Used) -> None:
        """Price a period, part by part."""
        self._latest = {}
        tariff = used.tariff
        if tariff is None:
            for kind, volume in used.volumes.items():
                self._leave(kind, volume, whole_period(used), used, "the period names no tariff")
            return
        _check_dimensions(used, tariff)
        for segment in self._segments(used, tariff.edges(used.phase)):
            self._add_segment(segment, used, tariff)
        if not used.timed and used.phase == CHARGING and TIME in tariff.walk(CHARGING):
            self.remarks.append(Remark(Note.TIME_NOT_REPORTED, used.place))

    def _segments(self, used: Used, edges: Edges | None) -> Iterable[Segment]:
        if edges is not None and edges.local and self.clock is None:
            self.clock = _clock(self.session)
        if self.readings.split == "as_sent":
            return [whole_period(used)]
        return segments(used, edges, self.clock)

    def _add_segment(self, segment: Segment, used: Used, tariff: Tariff) -> None:
        self.effort.spend(_PART)
        by_window = self.readings.wrap == "window"
        moment = segment.moment(used, self.clock, days_of_windows=by_window)
        selection = Selection(tariff, used.phase, moment, self.readings, self.effort)
        self._add_flat(segment, used, selection)
        for kind in KINDS:
            volume = segment.volumes.get(kind)
            if volume:
                self._add_volume(kind, volume, segment, used, selection)

    def _add_flat(self, segment: Segment, used: Used, selection: Selection) -> None:
        """Bill the first FLAT of a phase, or each one once."""
        before = [chosen.component for phase, chosen in self._flats if phase == used.phase]
        if before and self.readings.flat == "once":
            return
        chosen = selection.component(FLAT)
        if chosen is not None and not any(each is chosen.component for each in before):
            self._flats.append((used.phase, chosen))
            at = segment.start
            self.lines.append(Line(FLAT, used.phase, used.place, at, at, 1, chosen))

    def _add_volume(
        self,
        kind: str,
        volume: Decimal | int,
        segment: Segment,
        used: Used,
        selection: Selection,
    ) -> None:
        if isinstance(volume, Decimal) and volume < 0 and not self._is_paid_back(used):
            self._leave(kind, volume, segment, used, "reverse energy is not paid for")
            return
        chosen = selection.component(kind)
        if chosen is None:
            priced = "TIME for reservations" if kind == RESERVATION_TIME else kind
            self._leave(kind, volume, segment, used, f"no element with {priced} holds")
        else:
            self._bill(kind, volume, segment, used, chosen)

    def _is_paid_back(self, used: Used) -> bool:
        """Tell whether energy that flows back has the price of energy: the parties say."""
        if self.readings.reverse == "refuse":
            words = f"period {used.place + 1} has reverse energy"
            raise CannotBePriced(Unpriced.REVERSE_ENERGY, words)
        self.remarks.append(Remark(Note.REVERSE_ENERGY, used.place))
        return self.readings.reverse != "zero"

    def _bill(
        self, kind: str, volume: Decimal | int, segment: Segment, used: Used, chosen: Chosen
    ) -> None:
        last = self._latest.get(kind)
        if isinstance(last, Line) and last.chosen.component is chosen.component:
            last.end, last.used = segment.end, last.used + volume
            return
        line = Line(kind, used.phase, used.place, segment.start, segment.end, volume, chosen)
        self.lines.append(line)
        self._begin(line)

    def _leave(
        self, kind: str, volume: Decimal | int, segment: Segment, used: Used, why: str
    ) -> None:
        last = self._latest.get(kind)
        if isinstance(last, Unbilled) and last.why == why:
            last.end, last.used = segment.end, last.used + volume
            return
        left = Unbilled(kind, used.place, segment.start, segment.end, volume, why)
        self.unpriced.append(left)
        self._begin(left)

    def _begin(self, latest: Line | Unbilled) -> None:
        """Note a change of price inside a period: its CPO owed another one."""
        if latest.kind in self._latest:
            self.remarks.append(Remark(Note.PERIOD_SPLIT, latest.period))
        self._latest[latest.kind] = latest


def _clock(session: Session) -> WallClock:
    if session.zone is None:
        raise CannotBePriced(Unpriced.TIME_ZONE, "a tariff has local times and no zone is known")
    return WallClock(session.zone.clock, session.cdr.start, session.cdr.end)


def _check_dimensions(used: Used, tariff: Tariff) -> None:
    """Refuse a dimension that is not understood and that the Tariff has a price for."""
    for kind in used.not_known:
        if any(kind in element.components for element in tariff.elements):
            words = f"dimension {kind} of period {used.place + 1} is priced and not understood"
            raise CannotBePriced(Unpriced.UNKNOWN_WORD, words)
