"""Whether what a CPO declares agrees with what was computed, and by which reading.

Specification: silent; rounding is left to law and contract, so that a difference within a
tolerance is none.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from rating.amounts import GROUPS, Amount
from rating.codes import Unpriced
from rating.currencies import minor_unit
from rating.decimals import half_up

AGREES, DIFFERS = "agrees", "differs"
NO_TARIFF, CANNOT_BE_PRICED = "no tariff", "cannot be priced"
NOTHING_DECLARED = "nothing declared"
_SHARE = Decimal("0.001")
_UNITS = 2


class Tolerance(NamedTuple):
    """How far apart two amounts may be: so much money, or such a share if that is more."""

    abs: Decimal
    rel: Decimal

    def covers(self, declared: Decimal, computed: Decimal) -> bool:
        """Tell whether two amounts agree; the edge is inside."""
        return abs(declared - computed) <= max(self.abs, self.rel * abs(computed))


def default_tolerance(currency: str) -> Tolerance:
    """Two minor units, for groups that are rounded each by itself, or one in a thousand."""
    return Tolerance(_UNITS * minor_unit(currency), _SHARE)


def agree(declared: Amount, computed: Amount, tolerance: Tolerance) -> bool:
    """Compare without tax, and with tax, where both are known."""
    pairs = [pair for pair in _compared(declared, computed) if None not in pair]
    return bool(pairs) and all(tolerance.covers(*pair) for pair in pairs)  # type: ignore[arg-type]  # None is out


_Pair = tuple[Decimal | None, Decimal | None]


def _compared(declared: Amount, computed: Amount) -> list[_Pair]:
    """Pair what is compared; a price with a tax of unknown rate with all that is declared."""
    if computed.excl is None and declared.incl is None:
        return [(declared.excl, computed.incl)]
    return [(declared.excl, computed.excl), (declared.incl, computed.incl)]


class Alternative(NamedTuple):
    """The total under other readings, or by another tariff that fits: then `{"tariff": its id}`."""

    readings: Mapping[str, str]
    total: Amount

    @property
    def name(self) -> str:
        return ", ".join(f"{name}={choice}" for name, choice in self.readings.items())


def verdict(
    declared: Amount | None,
    computed: Amount,
    alternatives: Iterable[Alternative],
    tolerance: Tolerance,
) -> str:
    """Say whether both agree; if not, by which reading they do, or that they differ."""
    if declared is None:
        return NOTHING_DECLARED
    if agree(declared, computed, tolerance):
        return AGREES
    for each in alternatives:
        if agree(declared, each.total, tolerance):
            return f"{AGREES}: {each.name}"
    return DIFFERS


def unpriced_verdict(code: Unpriced) -> str:
    missing = code in (Unpriced.NO_TARIFF, Unpriced.TARIFF_UNKNOWN)
    return NO_TARIFF if missing else CANNOT_BE_PRICED


def delta(declared: Amount, computed: Amount) -> Amount:
    """Return how much more is declared than was computed."""
    return declared.minus(computed)


def share(difference: Amount, computed: Amount) -> Decimal | None:
    """Return the difference as a share of what was computed."""
    if difference.excl is None or not computed.excl:
        return None
    return half_up(difference.excl / computed.excl)


def groups_apart(
    declared: Mapping[str, Amount], computed: Mapping[str, Amount], tolerance: Tolerance
) -> list[str]:
    """Name the groups of cost that are declared and do not agree."""
    zero = Amount(Decimal(0), Decimal(0))
    return [
        group for group in GROUPS
        if group in declared and not agree(declared[group], computed.get(group, zero), tolerance)
    ]  # fmt: skip
