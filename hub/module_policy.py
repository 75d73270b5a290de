"""Module policies: what the hub does with a module beyond forwarding, one row each.

docs/architecture.md#what-is-kept. A module without a row is forwarded only. Of a module with a row,
the hub keeps objects of the type that its declaration calls `kept`, and forwards everything else.

A column has a value of the object that the hub searches by. An odd or absent value leaves it empty:
what readers get is the text.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from hub import models
from ocpi.types import ModuleID, fold, parse_datetime

Column = Callable[[Mapping[str, object]], object]
"""From a decoded object to the value of one column."""


class Delivery(StrEnum):
    """What a receiver gets after an outage."""

    LATEST_STATE = "latest state"
    """The present state of each object that changed."""
    EVERY_MESSAGE = "every message"
    """Every message, each object's in order, until it is delivered or expires."""


@dataclass(frozen=True, slots=True, eq=False)
class ModulePolicy:
    """How one module is kept and delivered.

    `columns` and `part_columns` map the columns that the hub searches by to functions that read
    their values. An object that is `personal` is for the owner of its `cdr_token` alone (A-26), who
    is its audience; any other is for everybody with access.
    """

    model: type[models.StoredObject]
    part_model: type[models.StoredPart] | None = None
    columns: Mapping[str, Column] = field(default_factory=dict)
    part_columns: Mapping[str, Column] = field(default_factory=dict)
    delivery: Delivery = Delivery.LATEST_STATE
    personal: bool = False


def column_values(
    columns: Mapping[str, Column], decoded: Mapping[str, object]
) -> tuple[object, ...]:
    """Return the values of some columns for an object."""
    return tuple([column(decoded) for column in columns.values()])


def word(*path: str) -> Column:
    """Return a column of a text, spelled as it was sent."""
    return lambda decoded: _text(decoded, path)


def folded(*path: str) -> Column:
    """Return a column of an id, folded like the key of the object it refers to."""
    return lambda decoded: fold(_text(decoded, path))


def flag(name: str, *, default: bool) -> Column:
    """Return a column of a boolean."""

    def value(decoded: Mapping[str, object]) -> object:
        found = decoded.get(name)
        return found if isinstance(found, bool) else default

    return value


def number(*path: str) -> Column:
    """Return a column of a number as a float, for people to read; the text has the exact one."""

    def value(decoded: Mapping[str, object]) -> float | None:
        found = _at(decoded, path)
        try:
            read = float(found) if isinstance(found, int | float | str) else math.nan
        except (ValueError, OverflowError):
            return None
        return read if math.isfinite(read) else None

    return value


def moment(name: str) -> Column:
    """Return a column of a timestamp."""

    def value(decoded: Mapping[str, object]) -> datetime | None:
        try:
            return parse_datetime(_text(decoded, (name,)))
        except ValueError:
            return None

    return value


def _text(decoded: Mapping[str, object], path: tuple[str, ...]) -> str:
    """Return a text without NUL, which PostgreSQL cannot store."""
    found = _at(decoded, path)
    return found.replace("\x00", "") if isinstance(found, str) else ""


def _at(decoded: object, path: tuple[str, ...]) -> object:
    for name in path:
        decoded = decoded.get(name) if isinstance(decoded, Mapping) else None
    return decoded


_CHARGED: Mapping[str, Column] = {
    "token_key": folded("cdr_token", "uid"),
    "contract_key": folded("cdr_token", "contract_id"),
    "started_at": moment("start_date_time"),
    "ended_at": moment("end_date_time"),
    "cost": number("total_cost", "excl_vat"),
    "currency": word("currency"),
}

POLICIES: Mapping[ModuleID, ModulePolicy] = {
    ModuleID.TARIFFS: ModulePolicy(
        model=models.Tariff,
        columns={"currency": word("currency"), "type": word("type")},
    ),
    ModuleID.LOCATIONS: ModulePolicy(
        model=models.Location,
        part_model=models.Evse,
        columns={
            "name": word("name"),
            "city": word("city"),
            "publish": flag("publish", default=True),
            "latitude": number("coordinates", "latitude"),
            "longitude": number("coordinates", "longitude"),
        },
        part_columns={"evse_id": word("evse_id"), "status": word("status")},
    ),
    ModuleID.TOKENS: ModulePolicy(
        model=models.Token,
        columns={
            "type": word("type"),
            "valid": flag("valid", default=True),
            "whitelist": word("whitelist"),
            "issuer": word("issuer"),
            "contract_id": word("contract_id"),
        },
    ),
    ModuleID.SESSIONS: ModulePolicy(
        model=models.Session,
        columns={
            **_CHARGED,
            "location_key": folded("location_id"),
            "evse_key": folded("evse_uid"),
            "kwh": number("kwh"),
            "status": word("status"),
        },
        delivery=Delivery.EVERY_MESSAGE,
        personal=True,
    ),
    ModuleID.CDRS: ModulePolicy(
        model=models.Cdr,
        columns={
            **_CHARGED,
            "location_key": folded("cdr_location", "id"),
            "evse_key": folded("cdr_location", "evse_uid"),
            "kwh": number("total_energy"),
            "session_key": folded("session_id"),
            "credit": flag("credit", default=False),
        },
        delivery=Delivery.EVERY_MESSAGE,
        personal=True,
    ),
}
"""In the order in which a new receiver gets them: tariffs before locations that refer to them."""

ABOUT_DRIVERS = frozenset({ModuleID.TOKENS, ModuleID.SESSIONS, ModuleID.CDRS})
"""The modules whose objects contain tokens, as may a peer's error messages about them."""
