"""Credit CDRs: they take a CDR back, whole, and are not priced by themselves.

Specification: mod_cdrs, Credit CDRs.
"""

from decimal import Decimal

from rating.amounts import Amount
from rating.cdr import Cdr


def credited(original: Cdr, computed: Amount) -> Amount:
    """Return the total of a credit: minus what the original declares, whatever was computed.

    Without the original at hand the credit repeats its content, and the price of that is taken
    back; some turn the volumes round too, some do not.
    """
    if original.credit or original.declared is None:
        return Amount(_taken_back(computed.excl), _taken_back(computed.incl))
    return original.declared.negated()


def _taken_back(value: Decimal | None) -> Decimal | None:
    return None if value is None else -abs(value)
