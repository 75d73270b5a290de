"""`rate`: what a CDR should cost by its tariffs, beside what its CPO says.

Specification: mod_cdrs and mod_tariffs of 2.1.1, 2.2.1 and 2.3.0. A pure function: it knows no
clock and no database, and the same input gives the same bytes on any day and machine.
"""

from collections.abc import Iterator, Sequence
from decimal import localcontext
from itertools import combinations

from rating.amounts import Amount
from rating.bill import Session
from rating.cdr import Cdr, CdrText
from rating.cdr_text import read_cdr
from rating.codes import CannotBePriced
from rating.credits import credited
from rating.decimals import EXACT
from rating.explanation import Difference, Explanation
from rating.price import Price, price
from rating.readings import Readings
from rating.selection import Effort
from rating.tariff_choice import Choice, Place, StoredTariff, choose
from rating.verdict import (
    Alternative,
    Tolerance,
    agree,
    default_tolerance,
    delta,
    groups_apart,
    share,
    unpriced_verdict,
    verdict,
)
from rating.zones import zone_of

MOST_EFFORT = 600_000
"""So many elements may be asked for one CDR: half a second's work."""
EFFORT_OF_OTHERS = 100_000
"""So many for all other readings and tariffs together; what is beyond is not tried."""
MOST_CANDIDATES = 10
_ANYWHERE = Place()
_AS_WRITTEN = Readings()


def rate(
    cdr: CdrText,
    tariffs: Sequence[StoredTariff] = (),
    time_zone: str | None = None,
    place: Place = _ANYWHERE,
    readings: Readings = _AS_WRITTEN,
    *,
    tolerance: Tolerance | None = None,
    original: CdrText | None = None,
) -> Explanation:
    """Price a CDR and compare; never raise.

    `tariffs` are the owner's stored texts, for what the CDR does not carry itself; `time_zone` is
    the stored Location's. A credit CDR is minus its `original`, whose lines are shown.
    """
    with localcontext(EXACT):
        try:
            read = read_cdr(cdr)
        except CannotBePriced as failure:
            return _unpriceable(readings, failure)
        readings = readings.of_version(read.version)
        session = None
        try:
            session = _session(read, original, tariffs, time_zone, place)
            return _Rating(session, read, readings, tolerance).explanation()
        except CannotBePriced as failure:
            return _unpriceable(readings, failure, read, session)


def _unpriceable(
    readings: Readings,
    failure: CannotBePriced,
    cdr: Cdr | None = None,
    session: Session | None = None,
) -> Explanation:
    return Explanation(
        readings=readings,
        verdict=unpriced_verdict(failure.code),
        cdr=cdr,
        session=session,
        code=failure.code.value,
        why=failure.why,
    )


def _session(
    cdr: Cdr,
    original: CdrText | None,
    tariffs: Sequence[StoredTariff],
    time_zone: str | None,
    place: Place,
) -> Session:
    """Put together what a price depends on: of a credit CDR, that of its original."""
    priced = read_cdr(original) if cdr.credit and original is not None else cdr
    priced.check()
    zone = zone_of(priced, time_zone, place.evse_time_zone)
    return Session(priced, choose(priced, tariffs, place), zone)


class _Rating:
    """One CDR under its readings, and under others if it does not agree."""

    def __init__(
        self, session: Session, cdr: Cdr, readings: Readings, tolerance: Tolerance | None
    ) -> None:
        self.session = session
        self.cdr = cdr
        self.readings = readings
        self.tolerance = tolerance or default_tolerance(cdr.currency)
        self.others = Effort(EFFORT_OF_OTHERS)

    def explanation(self) -> Explanation:
        found = price(self.session, self.readings, Effort(MOST_EFFORT))
        total = self._total(found)
        others = tuple(self._candidates())
        declared = self.cdr.declared
        if declared is not None and not agree(declared, total, self.tolerance):
            others += tuple(self._alternatives(total))
        return Explanation(
            readings=self.readings,
            verdict=verdict(declared, total, others, self.tolerance),
            session=self.session,
            cdr=self.cdr,
            price=found,
            total=total,
            alternatives=others,
            difference=declared and self._difference(declared, total, found),
        )

    def _total(self, found: Price) -> Amount:
        total = found.total.rounded()
        return credited(self.session.cdr, total) if self.cdr.credit else total

    def _difference(self, declared: Amount, total: Amount, found: Price) -> Difference:
        amount = delta(declared, total)
        apart = groups_apart(self.cdr.declared_groups, found.groups, self.tolerance)
        return Difference(amount, share(amount, total), [] if self.cdr.credit else apart)

    def _candidates(self) -> Iterator[Alternative]:
        """Price by each other tariff that would have fitted."""
        for other in self.session.choice.others[:MOST_CANDIDATES]:
            choice = Choice([other] * len(self.session.cdr.periods), [])
            session = self.session._replace(choice=choice)
            other_total = self._tried(session, self.readings)
            if other_total is not None:
                yield Alternative({"tariff": other.id}, other_total)

    def _alternatives(self, total: Amount) -> Iterator[Alternative]:
        """Price by each other reading that changes the total, then by two of them."""
        changing = []
        for changed in self.readings.others(self.session.cdr.version):
            found = self._tried(self.session, self.readings.but(changed))
            if found is not None and found != total:
                changing.append(changed)
                yield Alternative(changed, found)
        for one, other in combinations(changing, 2):
            if one.keys() != other.keys():
                both = {**one, **other}
                found = self._tried(self.session, self.readings.but(both))
                if found is not None:
                    yield Alternative(both, found)

    def _tried(self, session: Session, readings: Readings) -> Amount | None:
        try:
            return self._total(price(session, readings, self.others))
        except CannotBePriced:
            return None
