"""Exports: stored objects as files, CSV or JSON lines, in the memory of one chunk.

docs/architecture.md#files. Chunks follow each other by primary key, and no database connection is
held in between, because the client may be slow or go away. What identifies a driver is masked
unless it is to be revealed.
"""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from io import StringIO
from typing import Any

import msgspec
from django.db.models import F, Func, Max, Min, Model, QuerySet, TextField

from database import sql
from hub.masking.personal import mask_value
from hub.models import Cdr, Evse, Location, Session, Tariff, Token

CHUNK = 5_000
"""Rows."""
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""

Rows = QuerySet[Any]
Cells = Sequence[Any]


class OcpiTimestamp(Func):
    """A timestamp as OCPI writes it; the database formats it four times as fast as Python."""

    template = """to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""
    output_field = TextField()


class FileFormat(StrEnum):
    """The format of a file."""

    CSV = "csv"
    JSON = "jsonl"


@dataclass(frozen=True, slots=True, eq=False)
class ExportKind:
    """A kind of file: its columns by their names in the file, and which of them are personal.

    Rows that do not meet `shown` are in no file (LOC-17). `moment` is the column that `--since` and
    `--until` compare; those that name parties are the `SIDES` of the model.
    """

    model: type[Model]
    columns: Mapping[str, str | OcpiTimestamp]
    personal: frozenset[str] = frozenset()
    shown: Mapping[str, Any] = field(default_factory=dict)
    moment: str = "last_updated"

    def rows(self) -> Rows:
        """Return all rows that may be in a file."""
        manager = self.model._default_manager  # noqa: SLF001 - a documented name of Django
        return manager.filter(**self.shown)


@dataclass(frozen=True, slots=True)
class FileChunk:
    """A piece of a file; `share` is how far through the table it reaches, from 0 to 1."""

    text: str
    rows: int
    share: float


_Columns = dict[str, str | OcpiTimestamp]
_FIRST_COLUMNS: _Columns = {"owner": "owner", "id": "object_id", "sent_to": "audience"}
_LAST_COLUMNS: _Columns = {
    "version": "version",
    "last_updated": OcpiTimestamp("last_updated"),
    "received_at": OcpiTimestamp("stored_at"),
    "changed_at": OcpiTimestamp("changed_at"),
}
_CHARGING_COLUMNS: _Columns = {
    "recipient": "recipient",
    "token_uid": "token_key",
    "location_id": "location_key",
    "evse_uid": "evse_key",
    "started_at": OcpiTimestamp("started_at"),
    "ended_at": OcpiTimestamp("ended_at"),
    "kwh": "kwh",
    "cost_excl_vat": "cost",
    "currency": "currency",
}


def _named(*names: str) -> _Columns:
    return {name: name for name in names}


KINDS: Mapping[str, ExportKind] = {
    "sessions": ExportKind(
        Session,
        {**_FIRST_COLUMNS, "status": "status", **_CHARGING_COLUMNS, **_LAST_COLUMNS},
        frozenset({"token_uid"}),
    ),
    "cdrs": ExportKind(
        Cdr,
        {
            **_FIRST_COLUMNS,
            **_named("credit"),
            "session_id": "session_key",
            **_CHARGING_COLUMNS,
            **_LAST_COLUMNS,
        },
        frozenset({"token_uid"}),
    ),
    "locations": ExportKind(
        Location,
        {**_FIRST_COLUMNS, **_named("name", "city", "latitude", "longitude"), **_LAST_COLUMNS},
        shown={"publish": True},
    ),
    "evses": ExportKind(
        Evse,
        {
            "owner": "object__owner",
            "location_id": "object__object_id",
            "sent_to": "object__audience",
            **_named("uid", "evse_id", "status"),
            "last_updated": OcpiTimestamp("last_updated"),
        },
        shown={"object__publish": True, "generation": F("object__generation")},
    ),
    "tariffs": ExportKind(
        Tariff, {**_FIRST_COLUMNS, **_named("currency", "type"), **_LAST_COLUMNS}
    ),
    "tokens": ExportKind(
        Token,
        {
            **_FIRST_COLUMNS,
            **_named("type", "valid", "whitelist", "issuer", "contract_id"),
            **_LAST_COLUMNS,
        },
        frozenset({"id", "contract_id"}),
    ),
}


def file_chunks(
    kind: ExportKind, rows: Rows, form: FileFormat, *, revealed: bool = False
) -> Iterator[FileChunk]:
    """Return a file in chunks: some rows of a kind, in the order in which the hub got them."""
    write = _WRITERS[form](tuple(kind.columns))
    masked = frozenset[str]() if revealed else kind.personal
    hidden = [index for index, name in enumerate(kind.columns) if name in masked]
    yield FileChunk(write([]), 0, 0.0)
    for share, chunk in _chunks(kind, rows):
        for row in chunk:
            for index in hidden:
                row[index] = mask_value(row[index])
        yield FileChunk(write(chunk), len(chunk), share)


def _chunks(kind: ExportKind, rows: Rows) -> Iterator[tuple[float, list[list[Any]]]]:
    """Return progress and rows of each chunk, up to the row that is the newest at the start."""
    table = kind.model._default_manager  # noqa: SLF001 - a documented name of Django
    ends = table.aggregate(first=Min("pk"), last=Max("pk"))
    first, last = ends["first"] or 0, ends["last"] or 0
    query = rows.order_by("pk").values_list("pk", *kind.columns.values())
    after = first - 1
    while after < last:
        found = list(query.filter(pk__gt=after, pk__lte=last)[:CHUNK])
        sql.release()
        after = found[-1][0] if len(found) == CHUNK else last
        yield (after - first + 1) / (last - first + 1), [list(row[1:]) for row in found]


def _csv(names: Sequence[str]) -> Callable[[Sequence[Cells]], str]:
    """Return a function that writes rows as CSV; its first text begins with the names."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(names)

    def write(rows: Sequence[Cells]) -> str:
        writer.writerows([_safe(cell) for cell in row] for row in rows)
        written = text.getvalue()
        text.seek(0)
        text.truncate()
        return written

    return write


def _safe(cell: Any) -> Any:  # noqa: ANN401 - of any column
    """Return a cell that no spreadsheet evaluates as a formula; booleans as in JSON."""
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
    return str(cell).lower() if isinstance(cell, bool) else cell


def _json(names: Sequence[str]) -> Callable[[Sequence[Cells]], str]:
    """Return a function that writes each row as one line of JSON."""

    def write(rows: Sequence[Cells]) -> str:
        lines = (msgspec.json.encode(dict(zip(names, row, strict=True))).decode() for row in rows)
        return "".join(f"{line}\n" for line in lines)

    return write


_WRITERS = {FileFormat.CSV: _csv, FileFormat.JSON: _json}
