"""Agreements as a CSV file: checked as a whole, then imported; exported as they would be imported.

Columns: cpo, emsp, state, modules, valid_from, valid_until, cpo_role, emsp_role; only the first two
are needed. Modules are separated by spaces, none means all. Moments are ISO 8601, in UTC unless
they name an offset. A role is needed only where a party has several.

A long transaction would hold up all delivery, so a file is imported some hundred lines at a time.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from itertools import chain
from typing import Any, TextIO

from django.db import DataError, IntegrityError, transaction

from ocpi.types import ModuleID, PartyRef, Role
from ocpi.versions import known_modules
from parties.agreements import between
from parties.models import Agreement, AgreementState, Party

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
MOST_LINES = 100_000
_BATCH_LINES = 300
"""Lines of one transaction."""


class BrokenOff(ValueError):
    """The first lines of a good file were imported, the others were not."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be an agreement, and why."""

    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the lines of a file: with bad ones among them nothing was changed."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    bad: tuple[BadLine, ...] = ()


@dataclass(frozen=True, slots=True)
class _Terms:
    """The agreement that one line describes."""

    line: int
    cpo: Party
    emsp: Party
    fields: Mapping[str, Any]
    """The agreement's other columns."""


def write(file: TextIO) -> int:
    """Write every agreement; return how many."""
    number = -1
    for number, line in enumerate(lines()):  # noqa: B007 - returned: line 0 is the header
        file.write(line)
    return number


def lines() -> Iterator[str]:
    """Yield the file line by line, in the memory of one line."""
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


def read(file: TextIO, *, dry_run: bool = False, most: int = MOST_LINES) -> Imported:
    """Bring agreements in line with a file; any bad line, or `dry_run`, leaves all as it was."""
    result, terms = _checked(file, most)
    if dry_run or result.bad:
        return result
    counts: Counter[str] = Counter()
    for start in range(0, len(terms), _BATCH_LINES):
        counts.update(_import_batch(terms[start : start + _BATCH_LINES]))
    return Imported(counts["created"], counts["changed"], result.unchanged + counts["unchanged"])


def _checked(file: TextIO, most: int) -> tuple[Imported, list[_Terms]]:
    """Return what would become of a file, and the lines that change something; writes nothing."""
    bad: list[BadLine] = []
    counts: Counter[str] = Counter()
    changing: list[_Terms] = []
    seen: dict[tuple[int, int], int] = {}
    for line, row in _rows(file, most):
        try:
            terms = _terms(line, row)
            _check_once(terms, seen)
        except ValueError as error:
            bad.append(BadLine(line, str(error)))
            continue
        outcome = _outcome(_stored(terms), terms)
        counts[outcome] += 1
        if outcome != "unchanged":
            changing.append(terms)
    if bad:
        return Imported(bad=tuple(bad)), []
    return Imported(counts["created"], counts["changed"], counts["unchanged"]), changing


def _check_once(terms: _Terms, seen: dict[tuple[int, int], int]) -> None:
    before = seen.setdefault((terms.cpo.pk, terms.emsp.pk), terms.line)
    if before != terms.line:
        message = f"{terms.cpo.ref} - {terms.emsp.ref} stands in line {before} already"
        raise ValueError(message)


def _import_batch(batch: Sequence[_Terms]) -> list[str]:
    """Import some lines in a transaction of their own; return the outcome of each."""
    try:
        with transaction.atomic():
            return [_apply(terms) for terms in batch]
    except (DataError, IntegrityError) as error:
        message = (
            f"what stands before line {batch[0].line} is taken over, nothing from there on is,"
            f" since somebody changed the same meanwhile; read the file again ({error})"
        )
        raise BrokenOff(message) from error


def _rows(file: TextIO, most: int) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield each line with its number; ValueError if the header or the file is of another kind."""
    reader = csv.DictReader(file, restkey="", restval="", strict=True)
    try:
        reader.fieldnames = _column_names(reader)
        yield from _bounded(reader, most)
    except csv.Error as error:
        message = f"line {reader.reader.line_num} is no CSV: {error}"
        raise ValueError(message) from None
    except UnicodeDecodeError:
        message = "the file is not in UTF-8"
        raise ValueError(message) from None


def _column_names(reader: "csv.DictReader[str]") -> list[str]:
    names = [name.strip().lower() for name in reader.fieldnames or ()]
    if missing := [name for name in ("cpo", "emsp") if name not in names]:
        message = f"the first line must name the columns {', '.join(COLUMNS)}; {missing[0]} lacks"
        raise ValueError(message)
    if unknown := [name for name in names if name not in COLUMNS]:
        message = f"there is no column {unknown[0]!r}; those known are {', '.join(COLUMNS)}"
        raise ValueError(message)
    return names


def _bounded(reader: "csv.DictReader[str]", most: int) -> Iterator[tuple[int, Mapping[str, str]]]:
    for number, row in enumerate(reader, start=1):
        if number > most:
            command = ", or use manage.py import_agreements" if most < MOST_LINES else ""
            message = f"it has more than {most:,} lines: split the file{command}"
            raise ValueError(message)
        yield reader.line_num, row


def _terms(line: int, row: Mapping[str, str]) -> _Terms:
    if "" in row:
        message = "it has more cells than there are columns"
        raise ValueError(message)
    cells = {name: row.get(name, "").strip() for name in COLUMNS}
    start, end = (_moment(name, cells[name]) for name in ("valid_from", "valid_until"))
    if start and end and end <= start:
        message = "it must end after it begins"
        raise ValueError(message)
    one, other = (PartyRef.parse(cells[name].upper()) for name in ("cpo", "emsp"))
    state = _one_of("state", cells["state"].upper() or "ACTIVE", AgreementState)
    modules = [_one_of("module", name, known_modules()) for name in cells["modules"].split()]
    cpo, emsp = between(
        one,
        other,
        modules=map(ModuleID, modules),
        roles=(_role(cells["cpo_role"]), _role(cells["emsp_role"])),
    )
    fields = {"state": state, "modules": modules, "valid_from": start, "valid_until": end}
    return _Terms(line, cpo, emsp, fields)


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


def _stored(terms: _Terms) -> Agreement | None:
    return Agreement.objects.filter(cpo=terms.cpo, emsp=terms.emsp).first()


def _outcome(agreement: Agreement | None, terms: _Terms) -> str:
    if agreement is None:
        return "created"
    described = Agreement(cpo=terms.cpo, emsp=terms.emsp, **terms.fields)
    return "unchanged" if _comparable(agreement) == _comparable(described) else "changed"


def _apply(terms: _Terms) -> str:
    """Make the agreement what the line says; return the outcome.

    Every save is announced, so an agreement that is unchanged is not saved.
    """
    agreement = _stored(terms)
    outcome = _outcome(agreement, terms)
    if outcome != "unchanged":
        agreement = agreement or Agreement(cpo=terms.cpo, emsp=terms.emsp)
        for name, value in terms.fields.items():
            setattr(agreement, name, value)
        agreement.save()
    return outcome


def _comparable(agreement: Agreement) -> tuple[object, ...]:
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
