"""Formats and ranges that the specification fixes for a field, beside its type and length.

Specification: the descriptions in the field tables. What breaks one of them is kept and reported,
whatever it is (`ocpi.rules`): each marker remembers the type without itself, by which is judged
what is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from ocpi import codes

LOOSE = "loose"
"""Under this name the metadata of a type with a format has the type without."""


def loose(schema: Mapping[str, Any]) -> CoreSchema | None:
    """Return the type without the format it has, None if it has none."""
    found: CoreSchema | None = (schema.get("metadata") or {}).get(LOOSE)
    return found


@dataclass(frozen=True, slots=True)
class Format:
    """A pattern of a string; `text` says what it has to be, with an example."""

    text: str
    pattern: str

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Narrow the string this annotates."""
        typed: Any = handler(source)
        return _narrowed(typed, {**typed["schema"], "pattern": f"^(?:{self.pattern})$"}, self.text)


@dataclass(frozen=True, slots=True)
class OneOf:
    """A string that is one of the codes of another standard."""

    text: str
    codes: frozenset[str]

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Take the codes alone; all are right strings. A standard without codes says nothing."""
        typed: Any = handler(source)
        if not self.codes:
            return typed  # type: ignore[no-any-return]
        return _narrowed(typed, core_schema.literal_schema(sorted(self.codes)), self.text)


@dataclass(frozen=True, slots=True)
class Range:
    """The least and most that a number may be; `note` says why, where that is not plain."""

    least: int
    most: int | None = None
    note: str = ""

    @property
    def text(self) -> str:
        """Say what it has to be."""
        text = f"{self.least} or more" if self.most is None else f"{self.least} to {self.most}"
        return f"{text}: {self.note}" if self.note else text

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Narrow the number this annotates."""
        typed: Any = handler(source)
        bounds = {"ge": self.least} | ({} if self.most is None else {"le": self.most})
        return _narrowed(typed, {**typed["schema"], **bounds}, self.text)


def _narrowed(typed: Any, schema: Any, text: str) -> CoreSchema:  # noqa: ANN401 - nested schemas
    return core_schema.custom_error_schema(
        schema,
        custom_error_type=typed["custom_error_type"],
        custom_error_message=typed["custom_error_message"],
        custom_error_context={**typed["custom_error_context"], "form": text},
        metadata={LOOSE: typed},
    )


@dataclass(frozen=True, slots=True)
class Numeric:
    """A string that many write as a number: what it says is the same."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Let the rules know."""
        typed: Any = handler(source)
        return {**typed, "custom_error_context": {**typed["custom_error_context"], "numeric": 1}}


NUMERIC = Numeric()
ABSOLUTE_URL = Format(
    "a URL like https://example.com/x", r"[A-Za-z][A-Za-z0-9+.\-]*://[^\p{Cc}\s][^\p{Cc}]*"
)
_DECIMALS = r"\.[0-9]{5,7}"

TIME_OF_DAY = Format("a time from 00:00 to 23:59", "(?:[01][0-9]|2[0-3]):[0-5][0-9]")
DATE = Format("a date like 2026-11-21", "[12][0-9]{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])")
LATITUDE = Format(
    "-90 to 90 with 5 to 7 decimals, like 52.339000",
    rf"-?(?:[0-8]?[0-9]{_DECIMALS}|90\.0{{5,7}})",
)
LONGITUDE = Format(
    "-180 to 180 with 5 to 7 decimals, like 4.873000",
    rf"-?(?:(?:0?[0-9]{{1,2}}|1[0-7][0-9]){_DECIMALS}|180\.0{{5,7}})",
)
EVSE_ID = Format(
    "an EVSE ID of eMI3 like NL*CPA*E041503001",
    r"[A-Za-z]{2}\*?[A-Za-z0-9]{3}\*?[Ee][A-Za-z0-9*]+",
)
EVSE_ID_OR_NONE = Format(EVSE_ID.text, f"{EVSE_ID.pattern}|#NA")
LANGUAGE = Format("a language of ISO 639-1 like en", "[A-Za-z]{2}")
COUNTRY = OneOf("a country of ISO 3166-1 alpha-3 like NLD", codes.COUNTRIES)
CURRENCY = OneOf("a currency of ISO 4217 like EUR", codes.CURRENCIES)
TIME_ZONE = OneOf("a time zone of IANA like Europe/Amsterdam", codes.TIME_ZONES)
POSITIVE = Range(1)
NOT_NEGATIVE = Range(0)
PERCENTAGE = Range(0, 100)
WEEKDAY = Range(1, 7)
POWER = Range(100, note="it is in W")
