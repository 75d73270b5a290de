"""The status of pulls, as commands and console show it, and pulls at an operator's request."""

import time
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from hub.models import PullState
from hub.module_policy import POLICIES
from hub.pull import crawl, leases, schedule
from ocpi.types import ModuleID, PartyRef, Role, format_datetime
from operators import audit
from parties.models import Holder, Party

_ORDER = list(POLICIES)
# How long to wait for another worker's lease to end.
_PATIENCE_SECONDS = 30.0
# How long a command reads one list.
_LONGEST_SECONDS = 24 * 3600.0


class NothingToPull(ValueError):
    """The party offers no such list, or somebody is reading it."""


def states() -> list[PullState]:
    """Return every list, by party and in the order in which they are read."""
    schedule.reconcile()
    found = PullState.objects.select_related("party__platform", "read_with__party")
    return sorted(found, key=lambda row: (row.party.key, _ORDER.index(ModuleID(row.module))))


def of_party(ref: PartyRef, module: str | None = None) -> list[PullState]:
    """Return the lists that have what a party owns, or one of them.

    Of a party behind a hub these are the hub's. Raises `NothingToPull` if there is none.
    """
    platforms = set(Holder.objects.filter(key=str(ref)).values_list("platform", flat=True))
    offered = [row for row in states() if module in (None, row.module)]
    found = [row for row in offered if row.party.ref == ref] or [
        row for row in offered if row.party.role == Role.HUB and row.party.platform_id in platforms
    ]
    if not found:
        known = Party.objects.filter(key=str(ref)).exists()
        why = f"offers no list {f'of {module} ' if module else ''}" if known else "is not a party "
        raise NothingToPull(f"{ref} {why}of this hub's connected platforms")
    return found


def request(chosen: QuerySet[PullState], *, full: bool) -> int:
    """Have lists read as soon as a worker is free; return how many."""
    found = list(chosen.select_related("party"))
    _audit(found, full=full)
    schedule.request([state.pk for state in found], full=full)
    return len(found)


def read_now(
    found: Collection[PullState], *, full: bool, watch: Callable[[PullState], None]
) -> list[PullState]:
    """Read lists to their end, here and now, one after the other; return their new states."""
    _audit(found, full=full)
    return [_read(state, full=full, watch=watch) for state in found]


def _read(state: PullState, *, full: bool, watch: Callable[[PullState], None]) -> PullState:
    lease = _claimed(state)
    if full:
        schedule.request([state.pk], full=True)
    crawl.crawl(lease, seconds=_LONGEST_SECONDS, watch=watch)
    return _all().get(pk=state.pk)


def _audit(found: Collection[PullState], *, full: bool) -> None:
    """Record in the audit which lists an operator has read."""
    if not found:
        return
    of = sorted(f"{state.party.key} {state.module}" for state in found)
    subject = f"{len(of):,} list{'s' if len(of) > 1 else ''}"
    words = "read everything" if full else "read changes"
    audit.record(words, subject, before={"of": of}, kind=PullState._meta.label)  # noqa: SLF001 - a documented name of Django


def _claimed(state: PullState) -> leases.CrawlLease:
    """Claim a list as soon as no worker reads from its platform; raises `NothingToPull`."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        lease = leases.claim(state.pk)
        if lease is not None:
            return lease
        if time.monotonic() > end:
            raise NothingToPull(f"{state.party.platform} is being read already: see `pulls`")
        time.sleep(0.5)


def _all() -> QuerySet[PullState]:
    return PullState.objects.select_related("party__platform", "read_with__party")


def describe(state: PullState) -> dict[str, Any]:
    """Return the status of a list, ready for JSON."""
    return {
        "party": state.party.key,
        "module": state.module,
        "platform": state.party.platform.name,
        "phase": str(state.phase),
        "pages": state.pages,
        "total": state.total,
        **{name: getattr(state, name) for name in leases.COUNTS},
        "started_at": _moment(state.started_at),
        "last_success_at": _moment(state.last_success_at),
        "last_full_at": _moment(state.full_since),
        "due_at": _moment(state.due_at),
        "failures": state.failures,
        "last_error": state.last_error,
        "remark": state.remark,
        "read_with": state.read_with.party.key if state.read_with else None,
    }


def line(state: PullState) -> str:
    """Return the status of a list in one line."""
    of = f" of {state.total:,}" if state.total else ""
    counts = ", ".join(
        f"{number:,} {name.replace('_', ' ')}"
        for name in leases.COUNTS[1:]
        if (number := getattr(state, name))
    )
    error = f" - {state.last_error}" if state.last_error else ""
    read = f"{state.seen:,}{of} objects, {state.pages:,} pages{counts and ': '}{counts}"
    if state.read_with is not None:
        read = f"read with the list of {state.read_with.party.key}, which is the same"
    return f"{state.party.key} {state.module}: {state.phase}, {read}{error}"


def _moment(moment: datetime | None) -> str | None:
    return format_datetime(moment) if moment else None
