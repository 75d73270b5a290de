"""The extract: all that the hub holds of a driver as one JSON document, kind by kind.

GDPR Art. 15 and 20. Objects are as their owners sent them. Columns that name other people, such as
the operator who did something, are left out.
"""

# ruff: noqa: SLF001 - _meta and _default_manager are documented names of Django

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple

import msgspec
from django.db.models import Q, QuerySet
from django.utils import timezone

from database import sql
from hub.masking.personal import PUBLISHED_TO
from hub.models import Exchange, Location, StoredObject
from hub.privacy.drivers import CHARGED, Driver, charged, resolved, tokens
from hub.privacy.personal_tables import PersonalTable, personal_tables
from hub.privacy.spellings import Spellings
from hub.store import raw_json
from ocpi.types import ModuleID
from operators.audit import record
from parties.holders import ref_of


class Item(NamedTuple):
    """One row of a kind; None while a table is searched, to keep the download alive."""

    kind: str
    row: Mapping[str, Any] | None


_BATCH = 500
_OF_OPERATORS = {"who", "address", "doing", "user_id", "lease", "digest"}
"""Columns that say which operator did something: no data of the driver's."""
_MESSAGES = "messages of the log"


def extract(named: Driver, *, reason: str) -> Iterator[str]:
    """Return the parts of the document; the audit gets the reason for which it was made."""
    driver = resolved(named)
    record(
        "took a driver's data away",
        f"driver {driver}",
        after={"reason": Spellings(driver).without(reason)},
        kind="hub.Token",
    )
    return chain(_head(driver), _lists(items(driver)), ["\n}}\n"])


def items(driver: Driver) -> Iterator[Item]:
    """Yield everything about a driver, kind by kind."""
    yield from (Item("tokens", _stored(row)) for row in tokens(driver).order_by("pk"))
    for model in CHARGED:
        name = str(model._meta.verbose_name_plural)
        yield from (Item(name, _stored(row)) for row in _in_order(charged(driver, model)))
    for table in personal_tables():
        if table.model is Exchange:
            yield from (Item(_MESSAGES, row) for row in _messages(driver))
        yield from (Item(table.name, row) for row in _rows_about(table, driver))


def _head(driver: Driver) -> Iterator[str]:
    head = {
        "uids": sorted(driver.uids),
        "contract_ids": sorted(driver.contracts),
        "visual_numbers": sorted(driver.visual_numbers),
        "party": driver.party,
        "made_at": timezone.now(),
    }
    yield f'{{"driver": {_json(head)},\n"data": {{'


def _lists(found: Iterator[Item]) -> Iterator[str]:
    """Write the items as JSON, in one list for each kind."""
    open_kind = ""
    for kind, row in found:
        if row is None:
            yield "\n"
        elif kind == open_kind:
            yield f",\n{_json(row)}"
        else:
            yield f"{'],' if open_kind else ''}\n{_json(kind)}: [\n{_json(row)}"
            open_kind = kind
    yield "]" if open_kind else ""


def _stored(row: StoredObject) -> dict[str, Any]:
    return {
        "owner": row.owner,
        "audience": row.audience,
        "stored_at": row.stored_at,
        "changed_at": row.changed_at,
        "object": msgspec.Raw(row.text.encode()),
    }


def _messages(driver: Driver) -> Iterator[Mapping[str, Any]]:
    """Yield the logged messages about the driver's sessions and CDRs, which are masked."""
    for model, module in zip(CHARGED, (ModuleID.SESSIONS, ModuleID.CDRS), strict=True):
        for row in _in_order(charged(driver, model).defer("text")):
            about = Exchange.objects.filter(object_key=row.object_key, module=module)
            sides = [str(ref_of(side)) for side in (row.owner, row.recipient) if side]
            of = Q(sender__in=sides) | Q(receiver__in=sides)
            yield from about.filter(of).order_by("at").values()


def _in_order(rows: QuerySet[Any]) -> Iterator[Any]:
    """Read rows batch by batch; no connection is held while they are handed out."""
    after = 0
    while batch := list(rows.filter(pk__gt=after).order_by("pk")[:_BATCH]):
        sql.release()
        yield from batch
        after = batch[-1].pk


def _rows_about(table: PersonalTable, driver: Driver) -> Iterator[Mapping[str, Any] | None]:
    spellings = Spellings(driver)
    for _, rows in table.windows(driver):
        yield None
        for row in rows:
            if table.changes_to(row, spellings) == {}:
                continue
            if table.model is Location:
                yield _published_to(row, driver)
            else:
                yield from _whole_row(table, row["pk"])


def _whole_row(table: PersonalTable, pk: object) -> Iterator[Mapping[str, Any]]:
    for row in table.model._default_manager.filter(pk=pk).values():
        yield {name: _read(value) for name, value in row.items() if name not in _OF_OPERATORS}


def _read(value: object) -> object:
    """Return a column's value; bytes as the text that they are."""
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode(errors="replace")
    return value


def _published_to(row: Mapping[str, Any], driver: Driver) -> Mapping[str, Any]:
    """Return the entries for this driver in a Location's list of drivers it is published to."""
    listed = raw_json.items(raw_json.opened(row["text"]).get(PUBLISHED_TO))
    own = [msgspec.Raw(each) for each in listed if driver.matcher.matches(each.decode())]
    return {"location": row["object_id"], PUBLISHED_TO: own}


def _json(value: object) -> str:
    return msgspec.json.encode(value, enc_hook=str).decode()
