"""The erasure of a driver's data, in passes over all tables until one finds nothing.

docs/privacy.md. Rows are read in windows and written one by one, each on the condition that it is
still as it was read: so no lock holds up traffic, and the next pass finds what was written
meanwhile. A run that breaks off can be started again: the tokens, which lead to everything else,
are deleted last.
"""

# ruff: noqa: SLF001 - _meta and _default_manager are documented names of Django

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hub import jobs
from hub.models import Receipt, Token
from hub.models.charging import ERASED
from hub.privacy.drivers import CHARGED, Driver, charged, resolved, tokens
from hub.privacy.jobs import Progress
from hub.privacy.personal_tables import PersonalTable, personal_tables
from hub.privacy.spellings import Spellings
from hub.store import anonymity
from ocpi.types import ModuleID
from operators.audit import record
from parties.holders import ref_of

MOST_PASSES = 10
"""After so many passes, somebody must be writing the driver's data as fast as it is erased."""
_PAUSE_SECONDS = 0.6
"""Longer than the message log holds entries before it writes them: the next pass finds those."""
_BATCH = 500


@dataclass(slots=True)
class Erased:
    """How many rows of which kind named a driver, and which parties were sent the driver's data.

    It is `complete` when the last pass found nothing.
    """

    counts: Counter[str] = field(default_factory=Counter)
    recipients: list[str] = field(default_factory=list)
    complete: bool = False


def survey(named: Driver, *, report: Progress = lambda *_: None) -> Erased:
    """Count what an erasure would find; nothing is changed."""
    driver = resolved(named)
    found = Erased(recipients=_recipients(driver), complete=True)
    for share, counts in _one_pass(driver, writes=False):
        found.counts.update(counts)
        report(share, found.counts)
    return found


def erase(named: Driver, *, reason: str, report: Progress = lambda *_: None) -> Erased:
    """Erase a driver; the audit gets the reason, and how many rows of which kind there were."""
    driver = resolved(named)
    erased = Erased(recipients=_recipients(driver))
    try:
        for number in range(MOST_PASSES):
            if not _erase_once(driver, erased, report, number):
                erased.complete = True
                break
            time.sleep(_PAUSE_SECONDS)
            driver = resolved(driver)
    finally:
        words = "erased a driver" if erased.complete else "erased a driver (not to the end)"
        facts = {"reason": Spellings(driver).without(reason), "erased": dict(+erased.counts)}
        record(words, f"driver {driver}", after=facts, kind="hub.Token")
    report(1.0, erased.counts)
    return erased


def _erase_once(driver: Driver, erased: Erased, report: Progress, number: int) -> bool:
    """Erase in one pass, the `number`-th from 0; return whether it found anything.

    As nobody knows how many passes follow, each takes half of what is left of the progress shown.
    """
    before = erased.counts.total()
    for share, counts in _one_pass(driver, writes=True):
        erased.counts.update(counts)
        report(1 - (1 - 0.9 * share) * 0.5**number, erased.counts)
    return erased.counts.total() > before


def _one_pass(driver: Driver, *, writes: bool) -> Iterator[tuple[float, Mapping[str, int]]]:
    """Go through all tables once; yield the share that is done, and what was found since.

    Without `writes` nothing is changed.
    """
    for model in CHARGED:
        name = str(model._meta.verbose_name_plural)
        for number in _anonymise(driver, charged(driver, model), writes=writes):
            yield 0.0, {name: number}
    yield from _clear_tables(driver, writes=writes)
    if writes:
        yield 1.0, {"jobs": jobs.forget_jobs(driver.matcher.matches)}
    yield 1.0, {str(Token._meta.verbose_name_plural): _delete_tokens(driver, writes=writes)}


def _anonymise(driver: Driver, rows: Any, *, writes: bool) -> Iterator[int]:  # noqa: ANN401 - Sessions or CDRs
    after = 0
    while batch := list(rows.filter(pk__gt=after).order_by("pk").defer(None)[:_BATCH]):
        for row in batch:
            if writes:
                _make_anonymous(driver, row)
        after = batch[-1].pk
        yield len(batch)


def _make_anonymous(driver: Driver, row: Any) -> None:  # noqa: ANN401 - a Session or CDR
    text = anonymity.anonymous(row.text.encode(), driver.values).decode()
    changes = {"text": text, "token_key": ERASED, "contract_key": ""}
    if hasattr(row, "remote_location"):
        changes["remote_location"] = driver.matcher.erased(row.remote_location)
    same = type(row)._default_manager.filter(pk=row.pk, text=row.text)
    same.update(**changes)


def _clear_tables(driver: Driver, *, writes: bool) -> Iterator[tuple[float, Mapping[str, int]]]:
    extents = [(table, *table.extent()) for table in personal_tables()]
    all_rows, rows_before = sum(rows for *_, rows in extents), 0
    for table, last_key, rows in extents:
        for key, number in _clear_windows(table, driver, writes=writes):
            left = last_key - key if isinstance(key, int) and last_key else 0
            yield (rows_before + max(0, rows - left)) / all_rows, {table.name: number}
        rows_before += rows


def _clear_windows(
    table: PersonalTable, driver: Driver, *, writes: bool
) -> Iterator[tuple[Any, int]]:
    """Yield the last key of each window, and how many of its rows named the driver."""
    spellings = table.spellings(driver)
    for key, rows in table.windows(driver):
        changed = [(row, new) for row in rows if (new := table.changes_to(row, spellings)) != {}]
        if writes:
            table.delete([row["pk"] for row, new in changed if new is None])
            for row, new in changed:
                if new is not None:
                    table.update(row, new)
        yield key, len(changed)


def _delete_tokens(driver: Driver, *, writes: bool) -> int:
    """Delete the driver's tokens: without them nothing leads from a uid to the other ids."""
    rows = tokens(driver)
    return rows.delete()[0] if writes else rows.count()


def _recipients(driver: Driver) -> list[str]:
    """Return the parties that were sent the driver's data, which OCPI cannot have erased there."""
    keys = list(tokens(driver).values_list("owner", "object_key"))
    taken = Receipt.objects.filter(
        subscription__module=ModuleID.TOKENS,
        owner__in={owner for owner, _ in keys},
        object_key__in={key for _, key in keys},
    )
    parties = set(taken.order_by().values_list("subscription__receiver__key", flat=True).distinct())
    for model in CHARGED:
        rows = charged(driver, model).order_by()
        holders = rows.exclude(audience="").values_list("audience", flat=True).distinct()
        parties |= {str(ref_of(holder)) for holder in holders}
    return sorted(parties)
