"""Every table in whose texts a driver may be named, and what a row of it is without that.

The tables are those of the hub's models, all their texts: one that is added later is searched too.
They are walked in windows of their primary key, since no index leads into a text.
"""

# ruff: noqa: SLF001 - _meta and _default_manager are documented names of Django

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
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
    Exchange,
    Listed,
    Location,
    Quarantined,
    Receipt,
    Session,
    Tariff,
    Token,
)
from hub.policy import ABOUT_DRIVERS
from hub.privacy.drivers import Driver
from hub.privacy.spellings import Wording
from hub.store import anonymity, raw_json
from ocpi.types import ModuleID
from operators.models import Change as Audited
from parties.models import Credentials

Row = Mapping[str, Any]
Anew = dict[str, Any] | None
"""The columns of a row that change; None when the row has to go."""

_APPS = ("parties", "hub", "operators", "admin")
_ELSEWHERE = (Token, Session, Cdr)
"""Found by their indexes."""
_NAMING_NOBODY = (Tariff, Evse, EvseChange, Credentials)
"""Ids in them that are like a driver's by chance are their owners'."""
_ALL_TEXTS = (Audited, LogEntry)
"""What people wrote stands in short columns too."""
_WINDOW = 5_000


@dataclass(frozen=True, slots=True)
class Deposit:
    """One table: the columns that are texts, and what else tells what a row is about."""

    model: type[models.Model]
    columns: tuple[str, ...]
    beside: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What its rows are called in a report."""
        return _NAMES.get(self.model, str(self.model._meta.verbose_name_plural))

    def reach(self) -> tuple[Any, int]:
        """Return the last key there is now, and about how many there are."""
        keys = self._rows().order_by("pk").values_list("pk", flat=True)
        first, last = keys.first(), keys.last()
        return last, last - first + 1 if isinstance(last, int) and isinstance(first, int) else 1

    def windows(self, driver: Driver) -> Iterator[tuple[Any, list[Row]]]:
        """Yield the last key of each window of all rows, with its rows that may name the driver."""
        wording, after = self.wording(driver), None
        while True:
            rows = self._rows() if after is None else self._rows().filter(pk__gt=after)
            keys = rows.order_by("pk").values_list("pk", flat=True)[:_WINDOW]
            last = list(keys)[-1:]
            if not last:
                return
            yield last[0], list(self._naming(rows.filter(pk__lte=last[0]), driver, wording))
            after = last[0]

    def wording(self, driver: Driver) -> Wording:
        """Return how the driver is written there."""
        return Wording(driver, masked=self.model is Exchange)

    def anew(self, row: Row, wording: Wording) -> Anew:
        """Return what becomes of a row."""
        return _JUDGES.get(self.model, _plain)(row, wording, self.columns)

    def update(self, row: Row, changes: dict[str, Any]) -> bool:
        """Write what is new, if the row is still as it was; a full column has no room for more."""
        before = {name: row[name] for name in changes}
        new = {name: self._cut(name, value) for name, value in changes.items()}
        return bool(self._rows().filter(pk=row["pk"], **before).update(**new))

    def _cut(self, name: str, value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
        most = getattr(self.model._meta.get_field(name), "max_length", None)
        return value[:most] if most and isinstance(value, str) else value

    def delete(self, pks: list[Any]) -> int:
        """Delete rows."""
        return self._rows().filter(pk__in=pks).delete()[0]

    def _naming(
        self, rows: models.QuerySet[Any], driver: Driver, wording: Wording
    ) -> models.QuerySet[Any, Row]:
        either = Q()
        if "object_key" in self.columns:
            either |= Q(object_key__in=driver.uids)
        for name in self.columns:
            rows = rows.alias(**{f"{name}_words": _words(self.model, name)})
            either |= Q(**{f"{name}_words__iregex": wording.pattern})
        return rows.filter(either).values("pk", *self.columns, *self.beside)

    def _rows(self) -> models.QuerySet[Any]:
        return self.model._default_manager.all()


def deposits() -> list[Deposit]:
    """Return all of them."""
    found = [_deposit(model) for name in _APPS for model in apps.get_app_config(name).get_models()]
    return [each for each in found if each is not None]


def _deposit(model: type[models.Model]) -> Deposit | None:
    if model in (*_ELSEWHERE, *_NAMING_NOBODY):
        return None
    kinds: list[type[models.Field[Any, Any]]] = [models.TextField, models.BinaryField]
    if model in _ALL_TEXTS:
        kinds.append(models.CharField)
    columns = tuple(
        field.attname
        for field in model._meta.concrete_fields
        if isinstance(field, tuple(kinds)) or type(field) is models.JSONField
    )
    return Deposit(model, columns, _BESIDE.get(model, ())) if columns else None


def _words(model: type[models.Model], name: str) -> models.Func:
    """Return the SQL of what PostgreSQL looks through: of bytes those that are ASCII."""
    if isinstance(model._meta.get_field(name), models.BinaryField):
        how = models.Value("escape")
        return models.Func(name, how, function="encode", output_field=models.TextField())
    return Cast(name, models.TextField())


def _plain(row: Row, wording: Wording, columns: tuple[str, ...]) -> dict[str, Any]:
    """Replace what names the driver in each column."""
    return {name: new for name in columns if (new := wording.without(row[name])) != row[name]}


def _of_feed(row: Row, wording: Wording, columns: tuple[str, ...]) -> Anew:
    """Forget what is about a token; keep what is about others, without the driver."""
    module = row.get("module") or row["subscription__module"]
    if module == ModuleID.TOKENS and wording.driver.is_named_by(row["object_key"]):
        return {} if wording.is_of_another(row["owner"]) else None
    if wording.is_of_another(row.get("audience", "")):
        return {}
    body = row["body"]
    changes = _plain(row, wording, tuple(name for name in columns if name != "body"))
    changes.pop("object_key", None)
    new = _BODIES.get(module, _as_it_is)(body, wording) if body else body
    return changes | ({"body": new} if new != body else {})


def _as_it_is(body: str, wording: Wording) -> str:
    del wording
    return body


def _charged(body: str, wording: Wording) -> str:
    """Make a Session or CDR anonymous when it is the driver's, else take away the quotes."""
    said = {value.upper() for value in anonymity.identities(body).values()}
    if said & wording.driver.values:
        return anonymity.anonymous(body.encode(), wording.driver.values).decode()
    return str(wording.without(body))


def _published_to(text: str, wording: Wording) -> str:
    """Take the driver off the list of those to whom a Location is published (LOC-17)."""
    try:
        parts = raw_json.opened(text)
    except msgspec.DecodeError:
        return text
    listed = parts.get(PUBLISHED_TO, b"").decode()
    new = str(wording.without(listed))
    return (
        text if new == listed else raw_json.joined({**parts, PUBLISHED_TO: new.encode()}).decode()
    )


def _of_location(row: Row, wording: Wording, columns: tuple[str, ...]) -> Anew:
    del columns
    new = _published_to(row["text"], wording)
    return {"text": new} if new != row["text"] else {}


def _of_receipt(row: Row, wording: Wording, columns: tuple[str, ...]) -> Anew:
    is_token = row["subscription__module"] == ModuleID.TOKENS
    if not (is_token and wording.driver.is_named_by(row["object_key"])):
        return _plain(row, wording, tuple(name for name in columns if name == "trouble"))
    return {} if wording.is_of_another(row["owner"]) else None


def _of_listed(row: Row, wording: Wording, columns: tuple[str, ...]) -> Anew:
    del columns
    is_token = row["pull__module"] == ModuleID.TOKENS
    return None if is_token and wording.driver.is_named_by(row["object_key"]) else {}


def _of_quarantine(row: Row, wording: Wording, columns: tuple[str, ...]) -> Anew:
    found = _plain(row, wording, columns)
    named = wording.driver.is_named_by(row["key"].partition("/")[2])
    about = row["pull__module"] in ABOUT_DRIVERS and (found or named)
    return None if about or {"key", "object_id"} & set(found) else found


def _of_callback(row: Row, wording: Wording, columns: tuple[str, ...]) -> Anew:
    """End what quotes the driver: an address that is another leads nowhere."""
    return None if _plain(row, wording, columns) else {}


_BODIES: Mapping[str, Callable[[str, Wording], str]] = {
    ModuleID.TOKENS: lambda body, wording: str(wording.without(body)),
    ModuleID.SESSIONS: _charged,
    ModuleID.CDRS: _charged,
    ModuleID.LOCATIONS: _published_to,
}
_JUDGES: Mapping[type[models.Model], Callable[[Row, Wording, tuple[str, ...]], Anew]] = {
    Change: _of_feed,
    DeadLetter: _of_feed,
    Receipt: _of_receipt,
    Listed: _of_listed,
    Quarantined: _of_quarantine,
    Callback: _of_callback,
    Location: _of_location,
}
_BESIDE: Mapping[type[models.Model], tuple[str, ...]] = {
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
