"""A driver's data erased wherever it stands: again and again until nothing is found.

docs/privacy.md. Rows are read in windows and written one by one, each on the condition that it is
as it was read: nobody is held up, and what is written meanwhile is found by the next pass. A run
that is broken off is begun again: tokens, which lead to all else, are deleted last.
"""

# ruff: noqa: SLF001 - _meta and _default_manager are documented names of Django

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hub import jobs
from hub.models import Receipt, Token
from hub.models.charging import ERASED
from hub.privacy.drivers import CHARGED, Driver, charged, resolved, tokens
from hub.privacy.personal_tables import PersonalTable, personal_tables
from hub.privacy.spellings import Spellings
from hub.store import anonymity
from ocpi.types import ModuleID
from operators.audit import record
from parties.holders import ref_of

MOST_PASSES = 10
"""After so many, somebody writes the driver's data faster than it is erased."""
_PAUSE_SECONDS = 0.6
"""Longer than the message log holds entries before it writes them: the next pass finds those."""
_BATCH = 500

Progress = Callable[[float, Mapping[str, int]], object]


@dataclass(slots=True)
class Erased:
    """What was found of a driver, by kind, and `recipients`: the parties that were sent it.

    It is `complete` when the last pass found nothing.
    """

    counts: Counter[str] = field(default_factory=Counter)
    recipients: list[str] = field(default_factory=list)
    complete: bool = False


def survey(named: Driver, *, report: Progress = lambda *_: None) -> Erased:
    """Count what an erasure would find; nothing is changed."""
    driver = resolved(named)
    found = Erased(recipients=_recipients(driver), complete=True)
    for share, counts in _pass(driver, writes=False):
        found.counts.update(counts)
        report(share, found.counts)
    return found


def erase(named: Driver, *, reason: str, report: Progress = lambda *_: None) -> Erased:
    """Erase a driver and say what of; the audit has why, and how many rows of which kind."""
    driver = resolved(named)
    erased = Erased(recipients=_recipients(driver))
    try:
        for number in range(MOST_PASSES):
            if _is_clean(driver, erased, report, number):
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


def _is_clean(driver: Driver, erased: Erased, report: Progress, number: int) -> bool:
    """Erase in one pass; return whether it found nothing.

    As nobody knows how many passes follow, each takes half of what is left of the progress shown.
    """
    before = erased.counts.total()
    for share, counts in _pass(driver, writes=True):
        erased.counts.update(counts)
        report(1 - (1 - 0.9 * share) * 0.5**number, erased.counts)
    return erased.counts.total() == before


def _pass(driver: Driver, *, writes: bool) -> Iterator[tuple[float, Mapping[str, int]]]:
    """Go through everything once; yield the share that is done, and what was found since."""
    for model in CHARGED:
        name = str(model._meta.verbose_name_plural)
        for number in _anonymised(driver, charged(driver, model), writes=writes):
            yield 0.0, {name: number}
    yield from _tables_cleared(driver, writes=writes)
    if writes:
        yield 1.0, {"jobs": jobs.forget_jobs(driver.matcher.matches)}
    yield 1.0, {str(Token._meta.verbose_name_plural): _tokens(driver, writes=writes)}


def _anonymised(driver: Driver, rows: Any, *, writes: bool) -> Iterator[int]:  # noqa: ANN401 - Sessions or CDRs
    after = 0
    while batch := list(rows.filter(pk__gt=after).order_by("pk").defer(None)[:_BATCH]):
        for row in batch:
            if writes:
                _make_anonymous(driver, row)
        after = batch[-1].pk
        yield len(batch)


def _make_anonymous(driver: Driver, row: Any) -> None:  # noqa: ANN401 - the same
    text = anonymity.anonymous(row.text.encode(), driver.values).decode()
    changes = {"text": text, "token_key": ERASED, "contract_key": ""}
    if hasattr(row, "remote_location"):
        changes["remote_location"] = driver.matcher.erased(row.remote_location)
    same = type(row)._default_manager.filter(pk=row.pk, text=row.text)
    same.update(**changes)


def _tables_cleared(driver: Driver, *, writes: bool) -> Iterator[tuple[float, Mapping[str, int]]]:
    extents = [(each, *each.extent()) for each in personal_tables()]
    whole, behind = sum(weight for *_, weight in extents), 0
    for table, last, weight in extents:
        for key, number in _windows_cleared(table, driver, writes=writes):
            left = last - key if isinstance(key, int) and last else 0
            yield (behind + max(0, weight - left)) / whole, {table.name: number}
        behind += weight


def _windows_cleared(
    table: PersonalTable, driver: Driver, *, writes: bool
) -> Iterator[tuple[Any, int]]:
    spellings = table.spellings(driver)
    for key, rows in table.windows(driver):
        changed = [(row, new) for row in rows if (new := table.changes_to(row, spellings)) != {}]
        if writes:
            table.delete([row["pk"] for row, new in changed if new is None])
            for row, new in changed:
                if new is not None:
                    table.update(row, new)
        yield key, len(changed)


def _tokens(driver: Driver, *, writes: bool) -> int:
    """Delete the driver's tokens: only then nothing leads from a uid to the rest any more."""
    rows = tokens(driver)
    return rows.delete()[0] if writes else rows.count()


def _recipients(driver: Driver) -> list[str]:
    """Return who was sent the driver's tokens, sessions or CDRs: OCPI cannot have them erased."""
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
