"""Tables whose texts may name a driver, and how their rows look without the driver.

They are derived from the models of four apps: the long texts (TextField, BinaryField, JSONField) of
a model that is added later are searched as well, unless it is excluded here by name. Short ones
(CharField) hold what the hub itself writes, but for the models in `_SHORT_TEXTS_TOO`. No index
leads into a text, so each table is read whole, in windows of its primary key.
"""

# ruff: noqa: SLF001 - _meta and _default_manager are documented names of Django

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import msgspec
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.db import models
from django.db.models import Q
from django.db.models.functions import Cast

from hub.masking.personal import PUBLISHED_TO
from hub.models import (
    Callback,
    Cdr,
    Change,
    DeadLetter,
    Evse,
    EvseChange,
    EvseStatus,
    Exchange,
    Listed,
    Location,
    Quarantined,
    Receipt,
    Session,
    Tariff,
    Token,
)
from hub.module_policy import ABOUT_DRIVERS
from hub.privacy.drivers import Driver
from hub.privacy.spellings import Spellings
from hub.store import anonymity, raw_json
from ocpi.types import ModuleID
from operators.models import Change as Audited
from parties.models import Credentials

Row = Mapping[str, Any]
RowChanges = dict[str, Any] | None
"""The columns of a row that change; empty when none does, None when the row is to be deleted."""

_APPS = ("parties", "hub", "operators", "admin")
_FOUND_BY_INDEX = (Token, Session, Cdr)
"""`hub.privacy.drivers` selects a driver's rows of these; nobody has to read them all."""
_WITHOUT_DRIVERS = (Tariff, Evse, EvseChange, EvseStatus, Credentials)
"""An id there that equals a driver's does so by chance: it is a tariff's, or an EVSE's. What a
platform's credentials have is encrypted."""
_SHORT_TEXTS_TOO = (Audited, LogEntry)
"""Operators type free text into their short columns, so those (CharField) are searched too."""
_WINDOW = 5_000
"""Rows whose texts one statement searches."""


@dataclass(frozen=True, slots=True)
class PersonalTable:
    """A table, the columns that are searched, and `context`: those that say whose row it is."""

    model: type[models.Model]
    columns: tuple[str, ...]
    context: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What its rows are called in a report."""
        return _NAMES.get(self.model, str(self.model._meta.verbose_name_plural))

    def extent(self) -> tuple[Any, int]:
        """Return the last key, and about how many rows there are (1 where keys are no numbers)."""
        keys = self._rows().order_by("pk").values_list("pk", flat=True)
        first, last = keys.first(), keys.last()
        if isinstance(first, int) and isinstance(last, int):
            return last, last - first + 1
        return last, 1

    def windows(self, driver: Driver) -> Iterator[tuple[Any, list[Row]]]:
        """Yield the last key of each window of all rows, with its rows that may name the driver."""
        spellings, after = self.spellings(driver), None
        while True:
            rows = self._rows() if after is None else self._rows().filter(pk__gt=after)
            keys = rows.order_by("pk").values_list("pk", flat=True)[:_WINDOW]
            last = list(keys)[-1:]
            if not last:
                return
            yield last[0], list(self._rows_naming(rows.filter(pk__lte=last[0]), driver, spellings))
            after = last[0]

    def spellings(self, driver: Driver) -> Spellings:
        """Return how the table may spell the driver: the message log has ids masked."""
        return Spellings(driver, masked=self.model is Exchange)

    def changes_to(self, row: Row, spellings: Spellings) -> RowChanges:
        """Return what has to change for a row not to name the driver."""
        return _CHANGES_BY_MODEL.get(self.model, _without_driver)(row, spellings, self.columns)

    def update(self, row: Row, changes: dict[str, Any]) -> bool:
        """Write the changes, if the row still is as it was read.

        ERASED may be longer than the id it replaces: what exceeds a column is cut off.
        """
        before = {name: row[name] for name in changes}
        new = {name: self._fitting(name, value) for name, value in changes.items()}
        return bool(self._rows().filter(pk=row["pk"], **before).update(**new))

    def _fitting(self, name: str, value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
        most = getattr(self.model._meta.get_field(name), "max_length", None)
        return value[:most] if most and isinstance(value, str) else value

    def delete(self, pks: list[Any]) -> int:
        """Delete rows."""
        return self._rows().filter(pk__in=pks).delete()[0]

    def _rows_naming(
        self, rows: models.QuerySet[Any], driver: Driver, spellings: Spellings
    ) -> models.QuerySet[Any, Row]:
        either = Q()
        if "object_key" in self.columns:
            either |= Q(object_key__in=driver.uids)
        for name in self.columns:
            rows = rows.alias(**{f"{name}_searched": _searchable(self.model, name)})
            either |= Q(**{f"{name}_searched__iregex": spellings.pattern})
        return rows.filter(either).values("pk", *self.columns, *self.context)

    def _rows(self) -> models.QuerySet[Any]:
        return self.model._default_manager.all()


def personal_tables() -> list[PersonalTable]:
    """Return the tables of all models that have columns to be searched."""
    models_of_apps = (apps.get_app_config(name).get_models() for name in _APPS)
    tables = map(_personal_table, chain.from_iterable(models_of_apps))
    return [table for table in tables if table is not None]


def _personal_table(model: type[models.Model]) -> PersonalTable | None:
    if model in (*_FOUND_BY_INDEX, *_WITHOUT_DRIVERS):
        return None
    kinds: list[type[models.Field[Any, Any]]] = [models.TextField, models.BinaryField]
    if model in _SHORT_TEXTS_TOO:
        kinds.append(models.CharField)
    columns = tuple(
        field.attname
        for field in model._meta.concrete_fields
        # Subclasses of JSONField are settings with a schema, like quirks: no text of anybody.
        if isinstance(field, tuple(kinds)) or type(field) is models.JSONField
    )
    return PersonalTable(model, columns, _CONTEXT_COLUMNS.get(model, ())) if columns else None


def _searchable(model: type[models.Model], name: str) -> models.Func:
    """Return a column as text in SQL; bytes beyond ASCII become octal escapes."""
    if isinstance(model._meta.get_field(name), models.BinaryField):
        escape = models.Value("escape")
        return models.Func(name, escape, function="encode", output_field=models.TextField())
    return Cast(name, models.TextField())


def _without_driver(row: Row, spellings: Spellings, columns: tuple[str, ...]) -> dict[str, Any]:
    """Take the driver out of each column."""
    return {name: new for name in columns if (new := spellings.without(row[name])) != row[name]}


def _changes_to_feed(row: Row, spellings: Spellings, columns: tuple[str, ...]) -> RowChanges:
    """Delete a row about the driver's token; take the driver out of all others."""
    module = row.get("module") or row["subscription__module"]
    if module == ModuleID.TOKENS and spellings.driver.is_named_by(row["object_key"]):
        return {} if spellings.is_of_another(row["owner"]) else None
    if spellings.is_of_another(row.get("audience", "")):
        return {}
    body = row["body"]
    changes = _without_driver(row, spellings, tuple(name for name in columns if name != "body"))
    changes.pop("object_key", None)
    take_driver_out = _TAKE_DRIVER_OUT_OF_BODY.get(module)
    new = take_driver_out(body, spellings) if body and take_driver_out else body
    return changes | ({"body": new} if new != body else {})


def _charged_body(body: str, spellings: Spellings) -> str:
    """Make a Session or CDR anonymous if it is the driver's; else only remove the ids."""
    identities = {value.upper() for value in anonymity.identities(body).values()}
    if identities & spellings.driver.values:
        return anonymity.anonymous(body.encode(), spellings.driver.values).decode()
    return str(spellings.without(body))


def _without_publication(text: str, spellings: Spellings) -> str:
    """Take the driver off the list of those to whom a Location is published (LOC-17)."""
    try:
        parts = raw_json.opened(text)
    except msgspec.DecodeError:
        return text
    listed = parts.get(PUBLISHED_TO, b"").decode()
    new = str(spellings.without(listed))
    if new == listed:
        return text
    return raw_json.joined({**parts, PUBLISHED_TO: new.encode()}).decode()


def _changes_to_location(row: Row, spellings: Spellings, columns: tuple[str, ...]) -> RowChanges:
    del columns
    new = _without_publication(row["text"], spellings)
    return {"text": new} if new != row["text"] else {}


def _changes_to_receipt(row: Row, spellings: Spellings, columns: tuple[str, ...]) -> RowChanges:
    del columns
    is_token = row["subscription__module"] == ModuleID.TOKENS
    if not (is_token and spellings.driver.is_named_by(row["object_key"])):
        return _without_driver(row, spellings, ("last_error",))
    return {} if spellings.is_of_another(row["owner"]) else None


def _changes_to_listed(row: Row, spellings: Spellings, columns: tuple[str, ...]) -> RowChanges:
    del columns
    is_token = row["pull__module"] == ModuleID.TOKENS
    return None if is_token and spellings.driver.is_named_by(row["object_key"]) else {}


def _changes_to_quarantined(row: Row, spellings: Spellings, columns: tuple[str, ...]) -> RowChanges:
    """Delete a row that is about the driver, or whose key would change without the id."""
    changes = _without_driver(row, spellings, columns)
    is_keyed = spellings.driver.is_named_by(row["key"].partition("/")[2])
    is_about_driver = row["pull__module"] in ABOUT_DRIVERS and (changes or is_keyed)
    return None if is_about_driver or {"key", "object_id"} & set(changes) else changes


def _changes_to_callback(row: Row, spellings: Spellings, columns: tuple[str, ...]) -> RowChanges:
    """Delete a row that names the driver: without the id its URL would lead nowhere."""
    return None if _without_driver(row, spellings, columns) else {}


_TAKE_DRIVER_OUT_OF_BODY: Mapping[str, Callable[[str, Spellings], str]] = {
    ModuleID.TOKENS: lambda body, spellings: str(spellings.without(body)),
    ModuleID.SESSIONS: _charged_body,
    ModuleID.CDRS: _charged_body,
    ModuleID.LOCATIONS: _without_publication,
}
_ChangesTo = Callable[[Row, Spellings, tuple[str, ...]], RowChanges]
_CHANGES_BY_MODEL: Mapping[type[models.Model], _ChangesTo] = {
    Change: _changes_to_feed,
    DeadLetter: _changes_to_feed,
    Receipt: _changes_to_receipt,
    Listed: _changes_to_listed,
    Quarantined: _changes_to_quarantined,
    Callback: _changes_to_callback,
    Location: _changes_to_location,
}
_CONTEXT_COLUMNS: Mapping[type[models.Model], tuple[str, ...]] = {
    Change: ("module", "owner", "audience"),
    DeadLetter: ("owner", "subscription__module"),
    Receipt: ("owner", "subscription__module"),
    Listed: ("pull__module",),
    Quarantined: ("pull__module",),
}
_NAMES: Mapping[type[models.Model], str] = {
    Change: "changes of the feed",
    Exchange: "messages of the log",
    Audited: "entries of the audit",
    LogEntry: "entries of the console's history",
}
