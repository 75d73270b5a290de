"""A CDR in one form for all versions, as far as its price depends on it.

Specification: mod_cdrs of 2.1.1, 2.2.1 and 2.3.0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from rating.amounts import Amount
from rating.codes import CannotBePriced, Unpriced
from rating.tariff import Tariff
from rating.times import written


class Period(NamedTuple):
    """A ChargingPeriod: what was measured from its start to the next one's."""

    place: int
    start: int
    dimensions: Mapping[str, Decimal]
    tariff_id: str | None


class CdrText(NamedTuple):
    """A CDR as it is stored; without a version its members say which it is.

    `owner` is `NL-CPA`; only a CDR of 2.1.1 does not name it itself.
    """

    text: str | bytes
    version: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Cdr:
    """What is billed for a session; `declared` is what the CPO says it costs, by group too."""

    version: str
    owner: str
    id: str
    digest: str
    start: int
    end: int
    currency: str
    tariffs: tuple[Tariff, ...]
    periods: tuple[Period, ...]
    declared: Amount | None
    declared_groups: Mapping[str, Amount]
    credit: bool
    token_type: str
    connector_id: str
    country: str
    time_zone: str | None

    def check(self) -> None:
        """Refuse times in the wrong order, and periods outside the session."""
        at = self.start
        if not self.periods:
            raise CannotBePriced(Unpriced.TIMES, "the CDR has no charging period")
        for period in self.periods:
            if period.start < at:
                words = f"period {period.place + 1} starts before {written(at)}"
                raise CannotBePriced(Unpriced.TIMES, words)
            at = period.start
        if at > self.end:
            raise CannotBePriced(Unpriced.TIMES, "the session ends before its last period starts")
