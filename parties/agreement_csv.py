"""Agreements as a CSV file: read all or nothing, written as they would be read.

Spec: none; architecture chapter 4. Columns: cpo, emsp, state, modules, valid_from, valid_until,
cpo_role, emsp_role; only the first two are needed. Modules stand apart by spaces, none means all.
Moments are ISO 8601, in UTC unless they say so. A role tells those of one party apart.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from itertools import chain
from typing import TextIO

from django.db import transaction

from ocpi.types import ModuleID, PartyRef, Role
from parties.agreements import between
from parties.models import Agreement, AgreementState

COLUMNS = (
    "cpo",
    "emsp",
    "state",
    "modules",
    "valid_from",
    "valid_until",
    "cpo_role",
    "emsp_role",
)
_MOST_LINES = 100_000


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be an agreement, and why."""

    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file: with bad lines nothing was changed."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    bad: tuple[BadLine, ...] = ()


@dataclass(frozen=True, slots=True)
class _Terms:
    """What one line says."""

    one: PartyRef
    other: PartyRef
    state: AgreementState
    modules: tuple[ModuleID, ...]
    valid_from: datetime | None
    valid_until: datetime | None
    roles: tuple[str, str]


def write(file: TextIO) -> int:
    """Write every agreement; return how many."""
    number = -1
    for number, line in enumerate(lines()):  # noqa: B007 - it is returned
        file.write(line)
    return number


def lines() -> Iterator[str]:
    """Return the file line by line, in whatever memory one line takes."""
    line = StringIO()
    writer = csv.writer(line, lineterminator="\n")
    agreements = Agreement.objects.select_related("cpo", "emsp").order_by(
        "cpo__key", "emsp__key", "id"
    )
    for row in chain([COLUMNS], map(_cells, agreements.iterator())):
        writer.writerow(row)
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def read(file: TextIO, *, dry_run: bool = False) -> Imported:
    """Bring agreements in line with a file; any bad line, or `dry_run`, leaves all as it was."""
    with transaction.atomic():
        result = _read(file)
        transaction.set_rollback(dry_run or bool(result.bad))
    return result


def _read(file: TextIO) -> Imported:
    bad: list[BadLine] = []
    counts: Counter[str] = Counter()
    seen: dict[int, int] = {}
    for line, row in _rows(file):
        try:
            agreement, became = _apply(_terms(row))
            _check_once(agreement, seen)
        except ValueError as error:
            bad.append(BadLine(line, str(error)))
        else:
            seen[agreement.pk] = line
            counts[became] += 1
    if bad:
        return Imported(bad=tuple(bad))
    return Imported(counts["created"], counts["changed"], counts["unchanged"])


def _check_once(agreement: Agreement, seen: Mapping[int, int]) -> None:
    if agreement.pk in seen:
        message = f"{agreement} stands in line {seen[agreement.pk]} already"
        raise ValueError(message)


def _rows(file: TextIO) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Return each line with its number; a header that is not ours is refused as a whole."""
    reader = csv.DictReader(file, restkey="", restval="", strict=True)
    try:
        reader.fieldnames = _names(reader)
        yield from _bounded(reader)
    except csv.Error as error:
        message = f"line {reader.reader.line_num} is no CSV: {error}"
        raise ValueError(message) from None
    except UnicodeDecodeError:
        message = "the file is not in UTF-8"
        raise ValueError(message) from None


def _names(reader: "csv.DictReader[str]") -> list[str]:
    names = [name.strip().lower() for name in reader.fieldnames or ()]
    if missing := [name for name in ("cpo", "emsp") if name not in names]:
        message = f"the first line must name the columns {', '.join(COLUMNS)}; {missing[0]} lacks"
        raise ValueError(message)
    if unknown := [name for name in names if name not in COLUMNS]:
        message = f"there is no column {unknown[0]!r}; those known are {', '.join(COLUMNS)}"
        raise ValueError(message)
    return names


def _bounded(reader: "csv.DictReader[str]") -> Iterator[tuple[int, Mapping[str, str]]]:
    for number, row in enumerate(reader, start=1):
        if number > _MOST_LINES:
            message = f"more than {_MOST_LINES:,} lines: split the file"
            raise ValueError(message)
        yield reader.line_num, row


def _terms(row: Mapping[str, str]) -> _Terms:
    if "" in row:
        message = "it has more cells than there are columns"
        raise ValueError(message)
    cells = {name: row.get(name, "").strip() for name in COLUMNS}
    start, end = (_moment(name, cells[name]) for name in ("valid_from", "valid_until"))
    if start and end and end <= start:
        message = "it must end after it begins"
        raise ValueError(message)
    return _Terms(
        PartyRef.parse(cells["cpo"].upper()),
        PartyRef.parse(cells["emsp"].upper()),
        AgreementState(_one_of("state", cells["state"].upper() or "ACTIVE", AgreementState)),
        tuple(ModuleID(_one_of("module", name, ModuleID)) for name in cells["modules"].split()),
        start,
        end,
        (_role(cells["cpo_role"]), _role(cells["emsp_role"])),
    )


def _role(text: str) -> str:
    return _one_of("role", text.upper(), Role) if text else ""


def _one_of(what: str, text: str, known: Iterable[str]) -> str:
    words = [str(each) for each in known]
    if text not in words:
        message = f"there is no {what} {text!r:.40}; those known are {', '.join(words)}"
        raise ValueError(message)
    return text


def _moment(name: str, text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = f"{name} {text!r:.40} is no date: write 2027-01-31 or 2027-01-31T12:00:00Z"
        raise ValueError(message) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _apply(terms: _Terms) -> tuple[Agreement, str]:
    """Let the agreement be what the line says; return what that made of it.

    Each save is announced: what is so already is left alone.
    """
    cpo, emsp = between(terms.one, terms.other, modules=terms.modules, roles=terms.roles)
    said = {
        "state": terms.state.value,
        "modules": [module.value for module in terms.modules],
        "valid_from": terms.valid_from,
        "valid_until": terms.valid_until,
    }
    agreement, is_new = Agreement.objects.get_or_create(cpo=cpo, emsp=emsp, defaults=said)
    if is_new:
        return agreement, "created"
    before = _said(agreement)
    for name, value in said.items():
        setattr(agreement, name, value)
    if _said(agreement) == before:
        return agreement, "unchanged"
    agreement.save()
    return agreement, "changed"


def _said(agreement: Agreement) -> tuple[object, ...]:
    period = (agreement.valid_from, agreement.valid_until)
    return (str(agreement.state), frozenset(agreement.modules), *period)


def _cells(agreement: Agreement) -> tuple[str, ...]:
    period = (agreement.valid_from, agreement.valid_until)
    return (
        str(agreement.cpo.ref),
        str(agreement.emsp.ref),
        agreement.state,
        " ".join(agreement.modules),
        *(moment.astimezone(UTC).isoformat() if moment else "" for moment in period),
        agreement.cpo.role,
        agreement.emsp.role,
    )
