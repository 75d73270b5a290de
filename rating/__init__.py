"""What a CDR should cost: the price its tariffs give it, line by line, beside what is declared.

Specification: mod_tariffs and mod_cdrs of 2.1.1, 2.2.1 and 2.3.0. Pure: text in, explanation out;
no clock, no database, no float. `docs/rating.md` has the readings, the codes and an example.
"""

from rating.cdr import CdrText
from rating.engine import rate
from rating.explanation import Explanation
from rating.readings import Readings
from rating.tariff_choice import Place, StoredTariff
from rating.verdict import Tolerance

__all__ = ["CdrText", "Explanation", "Place", "Readings", "StoredTariff", "Tolerance", "rate"]
