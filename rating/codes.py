"""Why a CDR cannot be priced (RU), and what a reader of its price should know (RN)."""

from enum import StrEnum


class Unpriced(StrEnum):
    """Why there is no price: no total stands beside such a code."""

    NO_TARIFF = "RU-01"
    TARIFF_UNKNOWN = "RU-02"
    CURRENCY = "RU-03"
    TIMES = "RU-04"
    TIME_ZONE = "RU-05"
    POWER = "RU-06"
    CONTRADICTION = "RU-07"
    REVERSE_ENERGY = "RU-08"
    UNKNOWN_WORD = "RU-09"
    TOO_LARGE = "RU-10"


class Note(StrEnum):
    """What is true of a price that was found all the same."""

    VERSION_UNSURE = "RN-01"
    ZONE_GUESSED = "RN-02"
    SEVERAL_TARIFFS = "RN-03"
    TIME_NOT_REPORTED = "RN-04"
    EXPIRED_OR_CANCELLED = "RN-05"
    REPEATED_COMPONENT = "RN-06"
    REVERSE_ENERGY = "RN-07"
    LIMITS_OF_SEVERAL = "RN-08"
    REPEATED_HOUR = "RN-09"
    PERIOD_SPLIT = "RN-10"
    TEXT_MAY_DIFFER = "RN-11"


class CannotBePriced(Exception):
    """Ends the rating of a CDR; `rate` turns it into an explanation without a total."""

    def __init__(self, code: Unpriced, why: str) -> None:
        super().__init__(why)
        self.code = code
        self.why = why
