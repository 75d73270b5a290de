"""Amounts of money without and with tax, and the groups that the costs of a CDR come in.

Specification: mod_cdrs, CDR; types, Price.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from rating.decimals import ZERO, half_up

GROUPS = ("fixed", "energy", "time", "parking", "reservation")
"""`fixed` has no fees of reservations; `reservation` has them."""


class Amount(NamedTuple):
    """Without and with tax; None where nobody knows."""

    excl: Decimal | None
    incl: Decimal | None

    def minus(self, other: "Amount") -> "Amount":
        return Amount(_difference(self.excl, other.excl), _difference(self.incl, other.incl))

    def negated(self) -> "Amount":
        return NOTHING.minus(self)

    def rounded(self) -> "Amount":
        """Round to what is shown and stored: four decimals, half away from zero."""
        return Amount(
            None if self.excl is None else half_up(self.excl),
            None if self.incl is None else half_up(self.incl),
        )

    def as_json(self) -> dict[str, str | None]:
        return {"excl": text(self.excl), "incl": text(self.incl)}


NOTHING = Amount(ZERO, ZERO)


def text(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")


def _difference(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one - other


def total(amounts: Iterable[Amount]) -> Amount:
    """Add up; a part that nobody knows makes the sum unknown."""
    excl: Decimal | None = ZERO
    incl: Decimal | None = ZERO
    for each in amounts:
        excl = None if excl is None or each.excl is None else excl + each.excl
        incl = None if incl is None or each.incl is None else incl + each.incl
    return Amount(excl, incl)
