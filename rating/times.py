"""Instants in whole seconds, and what the wall clock of a place shows at them.

Instants are seconds since 1970 in UTC, local ones the same plus the offset of the place; days are
counted from 1970-01-01, a Thursday.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo

from rating.codes import CannotBePriced, Unpriced

DAY = 86400
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_FIRST_DAY = date(1970, 1, 1).toordinal()
_YEARS = range(1971, 2500)
"""What came before is `1970-01-01T00:00:00Z`, which stands for "not known" (A-75), or worse."""
_LONGEST_STEP = 7 * DAY
"""No zone changes its offset twice within a week."""


def instant(value: object) -> int:
    """Read a timestamp to the whole second; one without a zone is UTC (A-73)."""
    try:
        moment = datetime.fromisoformat(str(value).upper())
    except ValueError:
        raise CannotBePriced(Unpriced.TIMES, f"no time: {str(value)[:40]}") from None
    if moment.year not in _YEARS:
        raise CannotBePriced(Unpriced.TIMES, f"a time that is not known: {str(value)[:40]}")
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - EPOCH) // _SECOND


def optional_instant(value: object) -> int | None:
    return None if value is None else instant(value)


def written(at: int) -> str:
    """Write an instant as OCPI does."""
    return (EPOCH + at * _SECOND).strftime("%Y-%m-%dT%H:%M:%SZ")


def day_number(text: str) -> int:
    """Read a date as the days since 1970-01-01."""
    return date.fromisoformat(text).toordinal() - _FIRST_DAY


def day_text(day: int) -> str:
    return date.fromordinal(day + _FIRST_DAY).isoformat()


class WallClock:
    """What the clock on the wall shows during a session, instant by instant.

    An hour that the clock repeats is met twice, one that it skips never.
    """

    def __init__(self, zone: tzinfo, start: int, end: int) -> None:
        self.offsets = list(_offsets(zone, start, end))

    def local(self, at: int) -> int:
        """Return the local second that the clock shows at an instant."""
        offset = self.offsets[0][1]
        for since, later in self.offsets:
            if since > at:
                break
            offset = later
        return at + offset

    def changes(self, start: int, end: int, times_of_day: Sequence[int]) -> Iterator[int]:
        """Find where a span begins, and where in it a time of day begins or the offset changes."""
        for since, until, offset in self._stretches(start, end):
            yield since
            first_day = (since + offset) // DAY
            for day in range(first_day, (until + offset) // DAY + 1):
                for second in times_of_day:
                    at = day * DAY + second - offset
                    if since < at < until:
                        yield at

    def _stretches(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        ends = [since for since, _ in self.offsets[1:]] + [end]
        for (since, offset), until in zip(self.offsets, ends, strict=True):
            if max(since, start) < min(until, end):
                yield max(since, start), min(until, end), offset

    def repeated_hours(self) -> Iterator[tuple[int, int, int]]:
        """Find where the clock goes back: the instant, and the local seconds that come again."""
        for (_, before), (at, after) in zip(self.offsets, self.offsets[1:], strict=False):
            if after < before:
                yield at, at + after, at + before


def _offsets(zone: tzinfo, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Find the offsets of a span: the instant each begins, and its seconds east of UTC."""
    at, offset = start, _offset(zone, start)
    yield at, offset
    while at < end:
        later = min(at + _LONGEST_STEP, end)
        if (other := _offset(zone, later)) != offset:
            later, offset = _change(zone, at, later), other
            yield later, offset
        at = later


def _change(zone: tzinfo, before: int, after: int) -> int:
    """Find the first instant of another offset than the first."""
    offset = _offset(zone, before)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(zone, middle) == offset:
            before = middle
        else:
            after = middle
    return after


def _offset(zone: tzinfo, at: int) -> int:
    shown = (EPOCH + at * _SECOND).astimezone(zone).utcoffset()
    return (shown or timedelta()) // _SECOND
