"""Leases: the right to read a list for a while, and how far it was read.

Leases are claimed under one lock, since they depend on each other: one list of a platform at a
time, and a limited number of platforms at once. Every later write is conditional on the lease: a
worker that lost it changes nothing any more.
"""

import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, F, Q, QuerySet, When
from django.db.models.functions import Now
from django.utils import timezone

from hub.models import PullState
from hub.pull import sql as statements
from hub.pull.fetch import FailureKind, PullFailed
from hub.pull.pagination import Continuation, CrawlPosition
from parties.models import Platform

Phase = PullState.Phase

# The number of an advisory lock of PostgreSQL: PULL in ASCII.
_CLAIM_LOCK = 0x50554C4C
# What storing a page may take.
_MARGIN_SECONDS = 30.0
_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(hours=6)
# A longer Retry-After is cut to this.
_LONGEST_REQUESTED = timedelta(days=1)
_DOUBLINGS = 10
COUNTS = ("seen", "stored", "unchanged", "older", "passed_over", "quarantined")
"""Columns of `PullState` that count objects of a crawl: all, then by what became of them.

`passed_over` are those that nobody here may have.
"""
# After so many failed attempts of the list in a row, a failing page is left out; after so many more
# the crawl is given up.
_FAILURES_OF_A_PAGE = 5
_FAILURES_OF_A_LIST = 8
_PAGE_FAILURES = {FailureKind.FAILED, FailureKind.REFUSED}


class CrawlLeaseLost(Exception):
    """Another worker may have taken over: nothing more may be noted."""


@dataclass(frozen=True, slots=True)
class CrawlLease:
    """The right to read a list for a while.

    Once another worker may have it, methods that note anything raise `CrawlLeaseLost`; `failed` and
    `release` do nothing.
    """

    state_id: int
    token: uuid.UUID

    def state(self) -> PullState:
        found = self._held().select_related("party__platform").first()
        if found is None:
            raise CrawlLeaseLost
        return found

    def begin(self, *, full: bool, date_from: datetime | None) -> None:
        """Note that a crawl begins; only a full one counts anew what nobody here may have."""
        counts = COUNTS if full else set(COUNTS) - {"passed_over"}
        self._change(
            phase=Phase.FULL if full else Phase.CHANGES,
            full_requested=False,
            date_from=date_from,
            started_at=Now(),
            next_url="",
            by_offset=False,
            is_gapless=True,
            pages=0,
            total=None,
            remark="",
            **dict.fromkeys(counts, 0),
        )

    def advance(self, continuation: Continuation, counts: Mapping[str, int], **values: Any) -> None:  # noqa: ANN401 - columns and their values
        """Note what a page brought and where the list goes on, and keep the lease."""
        position = continuation.position
        if continuation.remark:
            values["remark"] = continuation.remark
        self._change(
            next_url=position.url if position else "",
            by_offset=position.by_offset if position else False,
            pages=F("pages") + 1,
            due_at=Now(),
            failures=0,
            **{name: F(name) + counts.get(name, 0) for name in COUNTS},
            **values,
        )

    def go_on_at(self, position: CrawlPosition, remark: str) -> None:
        """Note that the list goes on elsewhere than its Link says."""
        self._change(next_url=position.url, by_offset=position.by_offset, remark=remark)

    def finish(self, state: PullState, *, shortfall: str = "") -> None:
        """Note the end of a crawl, complete unless it has a `shortfall`, and plan the next."""
        complete = {"complete_since": state.started_at, "last_success_at": Now(), "last_error": ""}
        if state.phase == Phase.FULL:
            complete["full_since"] = state.started_at
        incomplete = {"last_error": shortfall, "last_error_at": Now(), **_given_up(state)}
        outcome = incomplete if shortfall else complete
        self._change(**{"phase": Phase.IDLE, "due_at": _due_next(), **outcome})

    def finish_with(self, state: PullState, other: PullState) -> None:
        """Note that another party's list is the same, and came to what its last reading came to."""
        self.finish(state, shortfall=other.last_error)
        since: dict[str, Any] = {}
        if not other.last_error:
            since = {"complete_since": other.started_at, "last_success_at": other.last_success_at}
            if state.phase == Phase.FULL:
                since["full_since"] = other.started_at
        self._change(
            read_with=other,
            first_page="",
            passed_over=other.passed_over,
            remark=f"OCPI-to is ignored: the same list as that of {other.party.ref}, read with it",
            **since,
        )

    def failed(
        self, state: PullState, failure: PullFailed, *, behind: CrawlPosition | None = None
    ) -> None:
        """Note a failed attempt and back off, longer each time.

        A page that fails when the list has failed again and again is left out: the crawl goes on
        `behind` it.
        """
        failures = state.failures + 1
        until = timezone.now() + backoff(failures, failure.retry_after)
        # Page 7 is answered by 500 whenever it is asked for, since one of its Locations breaks the
        # platform. After five failures the crawl goes on with what page 8 would be, and counts as
        # incomplete. If that fails too it goes on with page 9, then with page 10, and after that it
        # is given up until the next round.
        progress: dict[str, Any] = {}
        if behind and failure.kind in _PAGE_FAILURES and failures >= _FAILURES_OF_A_LIST:
            until = max(until, _next_round())
            progress = _given_up(state)
        elif behind and failure.kind in _PAGE_FAILURES and failures >= _FAILURES_OF_A_PAGE:
            progress = {"next_url": behind.url, "by_offset": True}
        noted = self._held().update(
            failures=failures,
            last_error=str(failure),
            last_error_at=Now(),
            due_at=until,
            **progress,
        )
        if not noted:
            return
        # A platform that does not answer for its locations will not for its tariffs: otherwise each
        # of its lists would find that out by itself, at a time-out each.
        if failure.kind in {FailureKind.NO_ANSWER, FailureKind.THROTTLED}:
            siblings = PullState.objects.filter(party__platform=state.party.platform_id)
            siblings.filter(due_at__lt=until).update(due_at=until)
        # A 429 counts requests, not lists: delivery leaves the platform alone as well.
        if failure.kind is FailureKind.THROTTLED:
            platform = Platform.objects.filter(pk=state.party.platform_id)
            platform.filter(Q(next_attempt_at=None) | Q(next_attempt_at__lt=until)).update(
                next_attempt_at=until
            )

    def release(self) -> None:
        self._held().update(lease=None, lease_until=None)

    def _change(self, **values: Any) -> None:  # noqa: ANN401 - columns and their values
        if not self._held().update(lease_until=_lease_end(), **values):
            raise CrawlLeaseLost

    def _held(self) -> QuerySet[PullState]:
        return PullState.objects.filter(pk=self.state_id, lease=self.token)


def claim(state_id: int, *, most: int | None = None) -> CrawlLease | None:
    """Claim a list; None while its platform is read already, or it is not its turn.

    With `most`, the number of platforms that may be read at once, the list must also be due: its
    task may have been started more than once. Claiming it makes it due only in a while, so that a
    list that kills its worker does so seldom; each page that comes makes it due at once.
    """
    token = uuid.uuid4()
    with transaction.atomic():
        # Two workers that count at the same moment would each find room for one more platform, or
        # begin two lists of the same one.
        with connection.cursor() as cursor:
            cursor.execute(statements.CLAIM_LOCK, [_CLAIM_LOCK])
        busy = set(reading().values_list("party__platform", flat=True))
        rows = PullState.objects.filter(pk=state_id)
        if most is not None:
            rows = rows.filter(_IS_DUE) if len(busy) < most else rows.none()
        claimed = rows.exclude(party__platform__in=busy).update(
            lease=token, lease_until=_lease_end(), tried_at=Now(), due_at=Now() + _FIRST_PAUSE
        )
    return CrawlLease(state_id, token) if claimed else None


_PLATFORM = "party__platform__"
_IS_DUE = Q(
    Q(due_at__lte=Now()) | Q(tried_at__lt=F(f"{_PLATFORM}status_changed_at")),
    Q((f"{_PLATFORM}next_attempt_at", None)) | Q((f"{_PLATFORM}next_attempt_at__lte", Now())),
)


def reading() -> QuerySet[PullState]:
    return PullState.objects.filter(lease_until__gt=Now())


def _given_up(state: PullState) -> dict[str, Any]:
    """Return the columns of a crawl that ends incomplete: a full one is followed by a full one."""
    return {"phase": Phase.IDLE} | ({"full_requested": True} if state.phase == Phase.FULL else {})


def _due_next() -> Case:
    """Return when a list that was just read is due: soon, if it has to be read again."""
    return Case(
        When(read_again_at__gt=F("started_at"), then=F("read_again_at")), default=_next_round()
    )


def _next_round() -> datetime:
    return timezone.now() + jittered(timedelta(hours=settings.HUB_PULL_HOURS))


def jittered(interval: timedelta) -> timedelta:
    """Return about as much, so that platforms are not all asked at the same time (TF-33)."""
    return interval * random.uniform(0.9, 1.1)  # noqa: S311 - jitter


def backoff(failures: int, retry_after: float | None) -> timedelta:
    """Return how long to leave a list alone: longer each time, and as long as it asked for.

    Of `retry_after` seconds a day at most.
    """
    pause = min(_FIRST_PAUSE * 2 ** min(failures - 1, _DOUBLINGS), _LONGEST_PAUSE)
    requested = min(timedelta(seconds=retry_after or 0), _LONGEST_REQUESTED)
    return max(jittered(pause), requested)


def _lease_end() -> Any:  # noqa: ANN401 - an expression of Django's
    """Return the end of a lease: late enough for a page to come and be stored."""
    seconds = settings.HUB_REQUEST_TIMEOUT + settings.HUB_PULL_PAUSE + _MARGIN_SECONDS
    return Now() + timedelta(seconds=seconds)
