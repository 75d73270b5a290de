"""The smallest unit of a currency (ISO 4217), and amounts rounded to it as statements do."""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

from rating.decimals import EXACT

_DIGITS = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}
_MOST = 2


def minor_unit(currency: str) -> Decimal:
    """Return what a cent is in this currency: 0.01 where ISO 4217 does not say otherwise."""
    return Decimal(1).scaleb(-_DIGITS.get(currency, _MOST))


def to_minor_unit(amount: Decimal, currency: str) -> Decimal:
    """Round half away from zero, so that a credit cancels exactly."""
    return amount.quantize(minor_unit(currency), ROUND_HALF_UP, EXACT)


def sum_of_rounded(amounts: Iterable[Decimal], currency: str) -> Decimal:
    """Add up what each amount is in whole minor units."""
    nothing = to_minor_unit(Decimal(0), currency)
    return sum((to_minor_unit(each, currency) for each in amounts), nothing)
