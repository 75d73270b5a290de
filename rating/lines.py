"""The lines of a price: what was used, at which price, and what is billed for it.

Amounts are kept times 3600: an hour's price times seconds is exact so, and divided last.
"""

from dataclasses import dataclass
from decimal import Decimal

from rating.amounts import Amount
from rating.decimals import PERCENT, SECONDS_PER_HOUR
from rating.selection import Chosen
from rating.tariff import (
    ENERGY,
    FLAT,
    PARKING_TIME,
    RESERVATION_TIME,
    TIME,
    Component,
    Tax,
)

_GROUP = {FLAT: "fixed", ENERGY: "energy", TIME: "time", PARKING_TIME: "parking"}


@dataclass(slots=True)
class Step:
    """A total that is rounded up to a multiple of `size`, in Wh or seconds; added to one line."""

    size: int
    of: Decimal | int
    to: Decimal | int


@dataclass(slots=True)
class Line:
    """One component for one stretch of one period; `used` is in kWh, seconds or 1."""

    kind: str
    phase: str
    period: int
    start: int
    end: int
    used: Decimal | int
    chosen: Chosen
    added: Decimal | int = 0
    step: Step | None = None

    @property
    def group(self) -> str:
        return _GROUP[self.kind] if self.phase == "charging" else "reservation"

    @property
    def billed(self) -> Decimal | int:
        return self.used + self.added

    def amount(self) -> Amount:
        """Return what is billed, times 3600."""
        component = self.chosen.component
        hours = self.kind in (TIME, PARKING_TIME, RESERVATION_TIME)
        billed = self.billed if hours else self.billed * SECONDS_PER_HOUR
        return taxed(billed * component.price, component, self.chosen.tariff.tax)


@dataclass(slots=True)
class Unbilled:
    """A volume that no component prices, and why."""

    kind: str
    period: int
    start: int
    end: int
    used: Decimal | int
    why: str


def taxed(price: Decimal, component: Component, tax: Tax) -> Amount:
    """Return a price without and with tax, by what its Tariff says of tax."""
    if tax is Tax.NONE:
        return Amount(price, price)
    if tax is Tax.UNKNOWN:
        return Amount(price, None)
    if component.vat is None:
        return _untold(price, tax)
    factor = component.vat * PERCENT + 1
    if tax is Tax.INCLUDED:
        return Amount(price / factor if factor else None, price)
    return Amount(price, price * factor)


def _untold(price: Decimal, tax: Tax) -> Amount:
    """No rate: in 2.2.1 there is no VAT, in 2.3.0 nobody knows it."""
    if tax is Tax.INCLUDED:
        return Amount(None, price)
    return Amount(price, price if tax is Tax.ADDED else None)
