"""min_price and max_price: the total is raised or lowered, without and with tax, each by itself.

Specification: mod_tariffs, Tariff. A minimum is one of a charging session: a reservation that
expired has none.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import NamedTuple

from rating.amounts import NOTHING, Amount
from rating.tariff import Limit, Tariff


class Limited(NamedTuple):
    """What a limit adds to the total, or takes from it."""

    name: str
    amount: Amount


def limited(sum_of_lines: Amount, tariff: Tariff, *, expired: bool) -> Iterator[Limited]:
    """Apply the limits of a Tariff to the unrounded sum of the lines."""
    before = sum_of_lines
    limits = [("max_price", tariff.max_price, _lower)]
    if not expired:
        limits.insert(0, ("min_price", tariff.min_price, _higher))
    for name, limit, choose in limits:
        after = before if limit is None else _after(before, limit, choose)
        change = after.minus(before)
        if change not in (NOTHING, before.minus(before)):
            yield Limited(name, change)
        before = after


_Choose = Callable[[Decimal, Decimal], Decimal]


def _lower(one: Decimal, other: Decimal) -> Decimal:
    return min(one, other)


def _higher(one: Decimal, other: Decimal) -> Decimal:
    return max(one, other)


def _after(before: Amount, limit: Limit, choose: _Choose) -> Amount:
    excl, incl = _side(before.excl, limit.excl, choose), _side(before.incl, limit.incl, choose)
    if limit.incl is None and limit.excl is not None:
        incl = _same_share(before, excl)
    return Amount(excl, incl)


def _side(before: Decimal | None, limit: Decimal | None, choose: _Choose) -> Decimal | None:
    return before if before is None or limit is None else choose(before, limit)


def _same_share(before: Amount, excl: Decimal | None) -> Decimal | None:
    """Keep the share of tax where the limit does not tell it; of nothing nobody knows a share."""
    if before.incl is None or before.excl is None or excl is None or excl == before.excl:
        return before.incl
    return before.incl * excl / before.excl if before.excl else None
