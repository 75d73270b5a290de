"""The right to read a list for a while, and what is noted of how far it was read.

A lease is claimed under one lock, since it depends on who else reads: one list of a platform at a
time, and so many platforms at once. Every later write names it: a worker that lost its lease
changes nothing any more.
"""

import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from hub.models import PullState
from hub.sync.asking import PullFailed, Trouble
from hub.sync.pages import Onward, Place
from parties.models import Platform

Phase = PullState.Phase

_CLAIM_LOCK = 0x50554C4C
_MARGIN_SECONDS = 30.0
_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(hours=6)
_LONGEST_REQUESTED = timedelta(days=1)
_DOUBLINGS = 10
COUNTS = ("seen", "stored", "unchanged", "older", "passed_over", "quarantined")
# A page that was refused so often is not asked for again: the crawl starts afresh.
_REFUSALS_TO_RESTART = 3


class LeaseLost(Exception):
    """Another worker may have taken over: nothing more may be noted."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to read a list; what notes anything may raise `LeaseLost`."""

    state_id: int
    token: uuid.UUID

    def state(self) -> PullState:
        """Read how far the list is."""
        found = self._held().select_related("party__platform").first()
        if found is None:
            raise LeaseLost
        return found

    def begin(self, *, full: bool, date_from: datetime | None) -> None:
        """Note that a crawl begins."""
        self._change(
            phase=Phase.FULL if full else Phase.CHANGES,
            wants_full=False,
            date_from=date_from,
            started_at=Now(),
            next_url="",
            by_offset=False,
            is_gapless=True,
            pages=0,
            total=None,
            remark="",
            **dict.fromkeys(COUNTS, 0),
        )

    def advance(self, onward: Onward, counts: Mapping[str, int], **values: Any) -> None:  # noqa: ANN401 - columns and their values
        """Note what a page brought and where the list goes on, and keep the lease."""
        place = onward.place
        if onward.remark:
            values["remark"] = onward.remark
        self._change(
            next_url=place.url if place else "",
            by_offset=place.by_offset if place else False,
            pages=F("pages") + 1,
            due_at=Now(),
            failures=0,
            **{name: F(name) + counts.get(name, 0) for name in COUNTS},
            **values,
        )

    def go_on_at(self, place: Place, remark: str) -> None:
        """Note that the list goes on elsewhere than it said."""
        self._change(next_url=place.url, by_offset=place.by_offset, remark=remark)

    def finish(self, state: PullState) -> None:
        """Note that a crawl is complete, and when the next one is due."""
        whole = {"full_since": state.started_at} if state.phase == Phase.FULL else {}
        self._change(
            phase=Phase.IDLE,
            complete_since=state.started_at,
            last_success_at=Now(),
            last_error="",
            due_at=timezone.now() + splayed(timedelta(hours=settings.HUB_PULL_HOURS)),
            **whole,
        )

    def failed(self, state: PullState, failure: PullFailed) -> None:
        """Note a failed attempt and back off, longer each time."""
        failures = state.failures + 1
        pause = backoff(failures, failure.retry_after)
        until = timezone.now() + pause
        refused = failure.trouble is Trouble.REFUSED and failures >= _REFUSALS_TO_RESTART
        restart = {"phase": Phase.IDLE, "wants_full": state.phase == Phase.FULL}
        self._held().update(
            failures=failures,
            last_error=str(failure),
            last_error_at=Now(),
            due_at=until,
            **(restart if refused else {}),
        )
        if failure.trouble in {Trouble.NO_ANSWER, Trouble.LEAVE_ALONE}:
            siblings = PullState.objects.filter(party__platform=state.party.platform_id)
            siblings.filter(due_at__lt=until).update(due_at=until)
        if failure.trouble is Trouble.LEAVE_ALONE:
            platform = Platform.objects.filter(pk=state.party.platform_id)
            platform.filter(Q(next_attempt_at=None) | Q(next_attempt_at__lt=until)).update(
                next_attempt_at=until
            )

    def release(self) -> None:
        """Give the lease back, if it is still held."""
        self._held().update(lease=None, lease_until=None)

    def _change(self, **values: Any) -> None:  # noqa: ANN401 - columns and their values
        if not self._held().update(lease_until=_until(), **values):
            raise LeaseLost

    def _held(self) -> QuerySet[PullState]:
        return PullState.objects.filter(pk=self.state_id, lease=self.token)


def claim(state_id: int, *, most: int | None = None) -> Lease | None:
    """Claim a list; None while its platform is read already, or `most` platforms are.

    Until a page came it is not due again for a while: a worker that breaks on it does so seldom.
    """
    token = uuid.uuid4()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_CLAIM_LOCK])
        busy = set(reading().values_list("party__platform", flat=True))
        wanted = PullState.objects.filter(pk=state_id)
        if most is not None and len(busy) >= most:
            return None
        claimed = wanted.exclude(party__platform__in=busy).update(
            lease=token, lease_until=_until(), tried_at=Now(), due_at=Now() + _FIRST_PAUSE
        )
    return Lease(state_id, token) if claimed else None


def reading() -> QuerySet[PullState]:
    """Return the lists that are being read."""
    return PullState.objects.filter(lease_until__gt=Now())


def splayed(interval: timedelta) -> timedelta:
    """Return about as much: platforms are not all asked at once, nor ever in step (TF-33)."""
    return interval * random.uniform(0.9, 1.1)  # noqa: S311 - jitter


def backoff(failures: int, retry_after: float | None) -> timedelta:
    """Return how long to leave a list alone: longer each time, or as long as its platform wants."""
    pause = min(_FIRST_PAUSE * 2 ** min(failures - 1, _DOUBLINGS), _LONGEST_PAUSE)
    wanted = min(timedelta(seconds=retry_after or 0), _LONGEST_REQUESTED)
    return max(splayed(pause), wanted)


def _until() -> Any:  # noqa: ANN401 - an expression of Django's
    """Return the end of a lease: never before a page may come and be stored."""
    seconds = settings.HUB_REQUEST_TIMEOUT + settings.HUB_PULL_PAUSE + _MARGIN_SECONDS
    return Now() + timedelta(seconds=seconds)
