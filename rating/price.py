"""The price of a session under given readings: its lines, its total, and notes about it.

Specification: mod_cdrs, CDR; mod_tariffs, Tariff.
"""

from collections.abc import Iterator
from typing import NamedTuple

from rating.amounts import Amount, total
from rating.bill import Bill, Remark, Session
from rating.codes import Note
from rating.decimals import SECONDS_PER_HOUR
from rating.limits import Limited, limited
from rating.lines import Line, Unbilled
from rating.readings import Readings
from rating.selection import Effort
from rating.steps import take_steps
from rating.tariff import PHASES, Tariff
from rating.times import DAY, WallClock
from rating.volumes import has_expired, says_expired, used


class Price(NamedTuple):
    """What a session costs: `groups` and `total` are not rounded yet."""

    lines: list[Line]
    unpriced: list[Unbilled]
    limits: list[Limited]
    groups: dict[str, Amount]
    total: Amount
    remarks: list[Remark]


def price(session: Session, readings: Readings, effort: Effort) -> Price:
    """Price a session; raise CannotBePriced where that is not possible."""
    for tariff in session.choice.used():
        tariff.check(session.cdr.currency)
    bill = Bill(session, readings, effort)
    for each in used(session.cdr, session.choice.of_periods, clock=readings.time == "clock"):
        bill.add(each)
    take_steps(bill.lines, bill.unpriced, readings)
    groups, whole = _sums(bill.lines)
    limits = list(_limits(session, whole))
    whole = total([whole, *(each.amount for each in limits)]) if limits else whole
    remarks = sorted({*bill.remarks, *_remarks(session, bill.clock)}, key=_order)
    return Price(bill.lines, bill.unpriced, limits, groups, whole, remarks)


def _order(remark: Remark) -> tuple[str, int]:
    return remark.code, -1 if remark.period is None else remark.period


def _sums(lines: list[Line]) -> tuple[dict[str, Amount], Amount]:
    """Add up by group and in all; what is kept times 3600 is divided last."""
    amounts: dict[str, list[Amount]] = {}
    for line in lines:
        amounts.setdefault(line.group, []).append(line.amount())
    sums = {group: total(parts) for group, parts in amounts.items()}
    return {group: _hours(each) for group, each in sums.items()}, _hours(total(sums.values()))


def _hours(amount: Amount) -> Amount:
    excl, incl = amount
    return Amount(
        None if excl is None else excl / SECONDS_PER_HOUR,
        None if incl is None else incl / SECONDS_PER_HOUR,
    )


def _limits(session: Session, whole: Amount) -> Iterator[Limited]:
    """Apply the limits of the one Tariff; of several nobody says whose."""
    tariffs = session.choice.used()
    if len(tariffs) == 1:
        yield from limited(whole, tariffs[0], expired=has_expired(session.cdr))


def _remarks(session: Session, clock: WallClock | None) -> Iterator[Remark]:
    """Note what is true of the session as a whole."""
    if session.choice.others:
        yield Remark(Note.SEVERAL_TARIFFS)
    if has_expired(session.cdr) and not says_expired(session.cdr):
        yield Remark(Note.EXPIRED_OR_CANCELLED)
    if clock is not None:
        yield from _remarks_about_time(session, clock)
    tariffs = session.choice.used()
    if len(tariffs) > 1 and any(each.min_price or each.max_price for each in tariffs):
        yield Remark(Note.LIMITS_OF_SEVERAL)
    for tariff in tariffs:
        yield from _remarks_about(tariff)


def _remarks_about(tariff: Tariff) -> Iterator[Remark]:
    if tariff.version_unsure:
        yield Remark(Note.VERSION_UNSURE)
    if any(each.repeated for each in tariff.elements):
        yield Remark(Note.REPEATED_COMPONENT)
    if tariff.has_text:
        yield Remark(Note.TEXT_MAY_DIFFER)


def _remarks_about_time(session: Session, clock: WallClock) -> Iterator[Remark]:
    """Note a zone that is guessed, and a price that changes while the clock shows an hour twice."""
    if session.zone is not None and session.zone.source == "country":
        yield Remark(Note.ZONE_GUESSED)
    for at, first, last in clock.repeated_hours():
        repeated = last - first
        during = session.cdr.start < at + repeated and at - repeated < session.cdr.end
        if during and any((each - first) % DAY < repeated for each in _times_of_day(session)):
            yield Remark(Note.REPEATED_HOUR)


def _times_of_day(session: Session) -> Iterator[int]:
    for tariff in session.choice.used():
        for phase in PHASES:
            edges = tariff.edges(phase)
            yield from edges.times_of_day if edges else ()
