"""Credit CDRs: they take a CDR back, whole, at what that declared.

Specification: mod_cdrs, Credit CDRs.
"""

from decimal import Decimal

from rating.amounts import Amount
from rating.cdr import Cdr


def credited(original: Cdr, computed: Amount) -> Amount:
    """Return the total of a credit: minus what the original declares.

    Where the original is not at hand, `original` is the credit itself, which repeats its content:
    minus the price `computed` of that, as also where the original declares none. Some turn the
    volumes round too, some do not.
    """
    if original.credit or original.declared is None:
        return Amount(_taken_back(computed.excl), _taken_back(computed.incl))
    return original.declared.negated()


def _taken_back(value: Decimal | None) -> Decimal | None:
    return None if value is None else -abs(value)
