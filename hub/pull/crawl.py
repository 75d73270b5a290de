"""A crawl: one list from claim to release, page by page, until it ends, fails or the time is up.

Spec: 2.2.1 transport and format, pull; docs/architecture.md#pull.
"""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from database import sql
from hub.models import PullState
from hub.pull import (
    ingest,
    leases,
    pagination,
    quarantine,
    reconciliation,
    schedule,
    shared_lists,
)
from hub.pull.fetch import FailureKind, PullFailed
from hub.pull.ingest import IngestResult
from hub.pull.leases import CrawlLease, CrawlLeaseLost
from hub.pull.page_ahead import CheckedPage, PageAhead
from hub.pull.pagination import Continuation, CrawlPosition, Listing, PagingInfo
from hub.pull.sources import NotOffered, Source, find
from parties import connection_health

log = logging.getLogger(__name__)

BUDGET_SECONDS = 60.0
"""How long a task reads one list; the list's next task goes on where this one stopped."""
_LONGEST_REMARK = 500

Watcher = Callable[[PullState], None]
"""Is called with the state of a list after each page."""
_IDLE = PullState.Phase.IDLE


def crawl(
    lease: CrawlLease, *, seconds: float = BUDGET_SECONDS, watch: Watcher | None = None
) -> None:
    """Read the claimed list; `watch` is called with its state after each page."""
    visited: set[str] = set()  # by this task: URLs of pages, and digests of their objects
    try:
        with PageAhead(lease, end=time.monotonic() + seconds) as ahead:
            while _step(lease, ahead, visited, watch):
                sql.release()
                ahead.wait()
    except CrawlLeaseLost:
        log.warning("pull %s: the lease ran out", lease.state_id)
    finally:
        lease.release()
        sql.release()


def _step(lease: CrawlLease, ahead: PageAhead, visited: set[str], watch: Watcher | None) -> bool:
    """Read a page; return whether the next one is coming."""
    state = lease.state()
    is_anew = ahead.is_coming and state.phase == _IDLE  # asked for meanwhile: the next task begins
    if is_anew or not _attempt(lease, state, ahead, visited):
        return False
    if watch is not None:
        watch(lease.state())
    return ahead.is_coming


def _attempt(lease: CrawlLease, state: PullState, ahead: PageAhead, visited: set[str]) -> bool:
    """Read a page; return False if the list cannot be read now."""
    try:
        source = find(state)
        if state.failures:
            ahead.pace.keep()
        if state.phase == _IDLE:
            state = _begin(lease, state)
        _read_page(lease, source, state, ahead, visited)
    except NotOffered as reason:
        lease.failed(state, PullFailed(str(reason), FailureKind.WITHHELD))
    except PullFailed as failure:
        log.warning("%s: %s", state, failure)
        lease.failed(state, failure, behind=_behind(source.listing(state), state))
        _have_checked(state, failure)
    else:
        return True
    return False


def _have_checked(state: PullState, failure: PullFailed) -> None:
    """Have a platform checked that cannot be asked or refuses the hub's token."""
    if failure.kind in {FailureKind.NO_ANSWER, FailureKind.WITHHELD}:
        connection_health.doubt(state.party.platform_id)


def _begin(lease: CrawlLease, state: PullState) -> PullState:
    """Begin a crawl of everything, or of what changed since the last complete one began."""
    full = schedule.is_full_due(state)
    since = state.complete_since
    overlap = timedelta(minutes=settings.HUB_PULL_OVERLAP_MINUTES)
    reconciliation.forget_listed(state)
    lease.begin(full=full, date_from=None if full or since is None else since - overlap)
    return lease.state()


def _read_page(
    lease: CrawlLease, source: Source, state: PullState, ahead: PageAhead, visited: set[str]
) -> None:
    """Take the next page, have the one behind it asked for, and store what it has."""
    listing = source.listing(state)
    position = _position(listing, state)
    found = _take_unless_shared(lease, source, state, ahead)
    if found is None:
        return
    if connection_health.is_unseen(state.party.platform.last_seen_at):
        connection_health.answered(state.party.platform_id)
    paging = replace(
        _paging(found, listing, position, visited),
        number=state.pages + 1,
        total_before=state.total,
    )
    continuation = pagination.continuation(listing, position, paging, visited=visited)
    if continuation.remark:
        log.warning("%s: %s", state, continuation.remark)
    if continuation.position is not None:
        ahead.ask(continuation.position)
    # What came before is stored and counted.
    result = ingest.apply(source, () if paging.is_repeated else found.objects)
    # The objects are stored by now. What is noted of the page is written in one transaction: if the
    # worker dies before it, the page is read again, and its objects are found unchanged.
    with transaction.atomic():
        _note(lease, state, continuation, result, found)
        if continuation.position is None:
            _finish(lease, source, state, _shortfall(continuation, state, position))


def _take_unless_shared(
    lease: CrawlLease, source: Source, state: PullState, ahead: PageAhead
) -> CheckedPage | None:
    """Return a page; None if a Link led nowhere, or the whole list was read for another party."""
    position = _position(source.listing(state), state)
    found = _take_or_go_on_by_offset(lease, source, position, ahead)
    if found is None or state.pages:
        return found
    other = shared_lists.reading_for(source, state, position, found, ahead)
    if other is None:
        return found
    _conclude_with(lease, state, other)
    return None


def _conclude_with(lease: CrawlLease, state: PullState, other: PullState) -> None:
    """Conclude a crawl whose list was read for another party; that reading keeps what is broken."""
    with transaction.atomic():
        quarantine.forget(state.pk)
        lease.finish_with(state, other)
    log.info("%s: the same list as that of %s", state, other.party.ref)


def _paging(
    found: CheckedPage, listing: Listing, position: CrawlPosition, visited: set[str]
) -> PagingInfo:
    """Return what a page says about the rest, and add it to `visited`."""
    # A list that heeds no limit is known by the names in it: some are made anew for each request,
    # with other timestamps.
    content = found.digest(by_name=len(found.objects) > listing.limit)
    # Some platforms ignore `offset` and send the first page for ever, each time at a new URL: only
    # its content shows that the list goes in circles.
    is_repeated = bool(found.objects) and content in visited
    visited |= {position.url, content}
    return replace(found.page.paging, is_repeated=is_repeated)


def _position(listing: Listing, state: PullState) -> CrawlPosition:
    return pagination.resumed(listing, CrawlPosition(state.next_url, state.seen, state.by_offset))


def _behind(listing: Listing, state: PullState) -> CrawlPosition:
    """Return the page behind the one that failed, which is taken to be as long as the average."""
    size = math.ceil(state.seen / state.pages) if state.pages else listing.limit
    return pagination.behind(listing, _position(listing, state), size=min(size, listing.limit) or 1)


def _shortfall(continuation: Continuation, state: PullState, position: CrawlPosition) -> str:
    """Say why a crawl at its end is not complete; empty if it is."""
    # `received` counts the objects of a page that was passed over too, `seen` does not.
    if position.received > state.seen:
        return f"not complete: a page that does not come was passed over ({state.last_error})"
    if continuation.is_certain:
        return ""
    return f"not complete: {continuation.remark or 'its X-Total-Count says that there is more'}"


def _take_or_go_on_by_offset(
    lease: CrawlLease, source: Source, position: CrawlPosition, ahead: PageAhead
) -> CheckedPage | None:
    """Return a page; None if a Link led nowhere: the next step goes on by offset."""
    try:
        return ahead.take(source, position)
    except PullFailed as failure:
        came_by_link = position.received > 0 and not position.by_offset
        if failure.kind is not FailureKind.REFUSED or not came_by_link:
            raise
        listing = source.listing(lease.state())
        remark = f"its Link led nowhere ({failure}); went on by offset"
        elsewhere = pagination.at(listing, position.received, by_offset=True)
        lease.go_on_at(elsewhere, remark[:_LONGEST_REMARK])
        ahead.ask(elsewhere)
        return None


def _note(
    lease: CrawlLease,
    state: PullState,
    continuation: Continuation,
    result: IngestResult,
    found: CheckedPage,
) -> None:
    """Note what a page brought, and where the list goes on."""
    first: dict[str, Any] = {} if state.pages else {"first_page": found.names, "read_with": None}
    total = found.page.paging.total
    # `listed` has keys of this party's objects alone; broken ones are named by owner and key.
    usable = {f"{state.party.key}/{key}" for key in result.listed} | result.listed_of_others
    usable -= {each.key for each in result.broken}
    quarantine.note(state.pk, result.broken, usable=usable)
    reconciliation.note_listed(state, result.listed | result.listed_of_others)
    lease.advance(
        continuation,
        result.counts,
        total=total if total is not None else state.total,
        is_gapless=state.is_gapless and result.is_gapless,
        **first,
    )


def _finish(lease: CrawlLease, source: Source, begun: PullState, shortfall: str) -> None:
    """Conclude a crawl whose list is at its end, unless a new one was requested meanwhile."""
    state = lease.state()
    # Requesting a full crawl sets the phase to IDLE: this one does not count as complete then.
    if state.phase != begun.phase:
        return
    reconciliation.conclude(source, state, is_certain=not shortfall)
    if state.phase == PullState.Phase.FULL and state.started_at is not None and not shortfall:
        quarantine.forget_older(state.pk, state.started_at)
    lease.finish(state, shortfall=shortfall)
    log.info("%s: %d objects, %d stored", state, state.seen, state.stored)


def claim(state_id: int) -> CrawlLease | None:
    """Claim a list for a task; None if it is not due, its platform is read, or too many are."""
    return leases.claim(state_id, most=settings.HUB_PULL_PLATFORMS)
