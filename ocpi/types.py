"""The data types every chapter is written in: strings, numbers, timestamps, parties and roles.

Specification: types, and the enums of version_information_endpoint that every chapter uses.

The annotated scalars below describe a field exactly as the tables of the specification do. Their
pydantic error carries the name of the OCPI type, so that validation can judge a wrong value by the
rules of that type; a right value never leaves compiled code.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from ocpi.formats import ABSOLUTE_URL
from ocpi.printable import ACTING

_LOWER_TO_UPPER = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def fold(text: str) -> str:
    """Give the spelling under which two equal CiStrings are the same: ASCII upper case."""
    return text.upper() if text.isascii() else text.translate(_LOWER_TO_UPPER)


_UNSHOWN = re.compile(f"[{ACTING}]")


def one_line(text: str, *, longest: int) -> str:
    """Make somebody else's words fit to show and to store: one line, of a bearable length."""
    return _UNSHOWN.sub(" ", text[:longest])


# --- enums ---------------------------------------------------------------------------------------


class OcpiEnum(StrEnum):
    """A closed list of values, looked up by what is on the wire."""

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: object, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Take any member; any other value is an error of the type `OcpiEnum`."""
        schema = core_schema.enum_schema(cls, list(cls), sub_type="str", strict=False)
        return _typed(schema, "OcpiEnum", name=cls.__name__)


class Role(OcpiEnum):
    """What a party is in the roaming market."""

    CPO = "CPO"
    EMSP = "EMSP"
    HUB = "HUB"
    NAP = "NAP"
    NSP = "NSP"
    OTHER = "OTHER"
    SCSP = "SCSP"


class InterfaceRole(OcpiEnum):
    """Which side of a module an endpoint implements: that of the data's owner or of its reader."""

    SENDER = "SENDER"
    RECEIVER = "RECEIVER"


class ModuleID(str):
    """A module by the identifier it has in version details; compared by ==, like any text.

    Which modules there are follows from the declarations; these are the names that rules of our own
    need.
    """

    __slots__ = ()

    CDRS: ClassVar["ModuleID"]
    CHARGINGPROFILES: ClassVar["ModuleID"]
    COMMANDS: ClassVar["ModuleID"]
    CREDENTIALS: ClassVar["ModuleID"]
    HUBCLIENTINFO: ClassVar["ModuleID"]
    LOCATIONS: ClassVar["ModuleID"]
    SESSIONS: ClassVar["ModuleID"]
    TARIFFS: ClassVar["ModuleID"]
    TOKENS: ClassVar["ModuleID"]


ModuleID.CDRS = ModuleID("cdrs")
ModuleID.CHARGINGPROFILES = ModuleID("chargingprofiles")
ModuleID.COMMANDS = ModuleID("commands")
ModuleID.CREDENTIALS = ModuleID("credentials")
ModuleID.HUBCLIENTINFO = ModuleID("hubclientinfo")
ModuleID.LOCATIONS = ModuleID("locations")
ModuleID.SESSIONS = ModuleID("sessions")
ModuleID.TARIFFS = ModuleID("tariffs")
ModuleID.TOKENS = ModuleID("tokens")


# --- parties -------------------------------------------------------------------------------------

_PARTY = re.compile(r"([!-~]{2})-([!-~]{3})")


@dataclass(frozen=True, slots=True, order=True)
class PartyRef:
    """A party by its country code and party id, compared case-insensitively."""

    country_code: str
    party_id: str

    def __post_init__(self) -> None:
        """Fold both parts, so that equal references are equal objects."""
        object.__setattr__(self, "country_code", fold(self.country_code))
        object.__setattr__(self, "party_id", fold(self.party_id))

    def __str__(self) -> str:
        """Write the reference as people do: `NL-CPA`."""
        return f"{self.country_code}-{self.party_id}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `NL-CPA`; anything else is a ValueError."""
        match = _PARTY.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r:.80} is not a party like NL-CPA")
        return cls(match[1], match[2])


# --- timestamps ----------------------------------------------------------------------------------

# A day that exists, 29 February in leap years only: whatever matches can be read as a date.
_LEAP_YEAR = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
_YEAR = "(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
_DAY = (
    f"(?:{_YEAR}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    f"|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)|{_LEAP_YEAR}-02-29)"
)
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_ZONE = "(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])"
UNKNOWN_MOMENT = "1970-1-1T00:00:00Z"
"""How a CDR says that it does not know a time; it is no timestamp by RFC 3339."""
DATETIME_PATTERN = rf"(?:{_DAY}T{_TIME}(?:\.[0-9]{{1,9}})?{_ZONE}?|{UNKNOWN_MOMENT})"
_DATETIME = re.compile(
    rf"({_DAY}T{_TIME})(?:\.([0-9]{{1,9}}))?({_ZONE})?|{UNKNOWN_MOMENT}", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)


def parse_datetime(text: str) -> datetime:
    """Read every shape of timestamp seen on the wire, as an instant in UTC; ValueError otherwise.

    No zone means UTC, offsets are applied, digits beyond microseconds are cut. The "unknown" of
    CDRs, `1970-1-1T00:00:00Z`, is the epoch.
    """
    match = _DATETIME.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r:.80} is not a timestamp like 2026-11-21T05:32:00Z")
    seconds, fraction, zone = match.groups()
    if seconds is None:
        return _EPOCH
    micros = int((fraction or "0").ljust(6, "0")[:6])
    moment = datetime.fromisoformat(seconds).replace(microsecond=micros, tzinfo=UTC)
    return _shifted(moment, zone) if zone and zone not in "Zz" else moment


def _shifted(moment: datetime, zone: str) -> datetime:
    offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    try:
        return moment - offset if zone[0] == "+" else moment + offset
    except OverflowError:  # "forever" and "never", written by a clock that is not in UTC
        return _FIRST if zone[0] == "+" else _LAST


def format_datetime(moment: datetime) -> str:
    """Write an instant as the specification asks: UTC with a Z, milliseconds only if any."""
    if moment.tzinfo is None:
        raise ValueError("a timestamp without a zone is not an instant")
    precision = "milliseconds" if moment.microsecond // 1000 else "seconds"
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=precision) + "Z"


# --- scalars of the field tables -----------------------------------------------------------------


def _typed(schema: CoreSchema, kind: str, **context: str | int) -> CoreSchema:
    return core_schema.custom_error_schema(
        schema,
        custom_error_type=kind,
        custom_error_message=f"not a valid {kind}",
        custom_error_context=dict(context),
    )


@dataclass(frozen=True, slots=True)
class Scalar:
    """The marker that makes an annotated str, float, int or bool one of OCPI's scalar types."""

    kind: str

    def __get_pydantic_core_schema__(
        self, _source: object, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Check strictly: what JSON calls a string is not a number, and the other way round."""
        return _typed(_SCALARS[self.kind], self.kind)


@dataclass(frozen=True, slots=True)
class Length:
    """The limit of a string as the tables write it, `CiString(36)`; an id is not empty either."""

    maximum: int
    minimum: int = 0

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Narrow the string this annotates."""
        typed: Any = handler(source)
        limits = {"min_length": self.minimum, "max_length": self.maximum}
        context = {**typed["custom_error_context"], **limits}
        return _typed({**typed["schema"], **limits}, typed["custom_error_type"], **context)


@dataclass(frozen=True, slots=True)
class Digits:
    """The limit of an integer as the tables write it, `int(5)`."""

    maximum: int

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Narrow the integer this annotates."""
        typed: Any = handler(source)
        largest = 10**self.maximum - 1
        schema = {**typed["schema"], "ge": -largest, "le": largest}
        return _typed(schema, typed["custom_error_type"], digits=self.maximum)


@dataclass(frozen=True, slots=True)
class RoutingKey:
    """A CiString that messages are routed by: exactly so many visible ASCII characters."""

    characters: int

    def __get_pydantic_core_schema__(
        self, _source: object, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Demand the exact shape."""
        pattern = f"^[!-~]{{{self.characters}}}$"
        schema = core_schema.str_schema(strict=True, pattern=pattern)
        return _typed(schema, "RoutingKey", characters=self.characters)


_SCALARS: dict[str, CoreSchema] = {
    "CiString": core_schema.str_schema(strict=True, pattern="^[ -~]*$"),
    "string": core_schema.str_schema(strict=True, pattern=r"^\P{Cc}*$"),
    "URL": core_schema.str_schema(strict=True, pattern=r"^\P{Cc}*$"),
    "DateTime": core_schema.str_schema(strict=True, pattern=f"^{DATETIME_PATTERN}$"),
    "number": core_schema.float_schema(strict=True, allow_inf_nan=False),
    "int": core_schema.int_schema(strict=True),
    "boolean": core_schema.bool_schema(strict=True),
}

CiString = Annotated[str, Scalar("CiString")]
String = Annotated[str, Scalar("string")]
URL = Annotated[str, Scalar("URL"), Length(255), ABSOLUTE_URL]
DateTime = Annotated[str, Scalar("DateTime")]
Number = Annotated[float, Scalar("number")]
Int = Annotated[int, Scalar("int")]
Boolean = Annotated[bool, Scalar("boolean")]
CountryCode = Annotated[str, RoutingKey(2)]
PartyID = Annotated[str, RoutingKey(3)]


# --- classes -------------------------------------------------------------------------------------


class OcpiModel(BaseModel):
    """An object of the specification, written as its table; fields it does not know are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class DisplayText(OcpiModel):
    """Text for end users in one language."""

    language: Annotated[String, Length(2)]
    text: Annotated[String, Length(512)]


class Price(OcpiModel):
    """An amount of money without and with VAT, in the currency its object names."""

    excl_vat: Number
    incl_vat: Number | None = None
