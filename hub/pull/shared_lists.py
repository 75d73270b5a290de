"""Sharing: where a platform ignores OCPI-to, one reading of its list is for all its parties.

docs/deviations.md. Evidence is the first page of each crawl: when the answer for one party names
the same objects as that for another, whose list was just read, the lists are one. It is asked for
in every crawl, so that a platform which begins to honour OCPI-to is read party by party again.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from hub.models import PullState
from hub.pull.fetch import PullFailed
from hub.pull.page_ahead import CheckedPage, PageAhead
from hub.pull.pagination import CrawlPosition
from hub.pull.sources import Source
from parties import deviations
from parties.deviations import Deviation, Met


def reading_for(
    source: Source, state: PullState, position: CrawlPosition, found: CheckedPage, ahead: PageAhead
) -> PullState | None:
    """Return the list of another party whose last reading was of this list too.

    `found` is the first page of a crawl that has just begun.
    """
    if not found.objects and state.read_with_id is None:
        return None  # two empty lists need not be one
    others = list(_others(state))
    same = next((other for other in others if other.first_page == found.names), None)
    if same is None and others and _has_others_objects(source, found):
        same = _moved(source, others[0], position, found, ahead)
    if same is not None:
        of = f"{state.party.ref} and {same.party.ref}"
        met = Met(Deviation.TO_IGNORED, f"GET {state.module}", of)
        deviations.note(source.platform_id, [met])
    return same


def _others(state: PullState) -> Iterator[PullState]:
    """Find the lists of the platform whose last reading is as good as one of this list."""
    rows = PullState.objects.filter(
        party__platform=state.party.platform_id,
        module=state.module,
        phase=PullState.Phase.IDLE,
        read_with=None,
        failures=0,
        started_at__gte=timezone.now() - timedelta(hours=settings.HUB_PULL_HOURS) / 2,
    )
    for other in rows.exclude(pk=state.pk).select_related("party").order_by("-started_at"):
        if other.started_at is not None and _is_enough(other, other.started_at, state):
            yield other


def _is_enough(other: PullState, begun: datetime, state: PullState) -> bool:
    """Whether another reading, which began at a moment, has all that this one is to find."""
    now = timezone.now()
    if any(at and begun < at <= now for at in (state.read_again_at, state.requested_at)):
        return False
    if other.date_from is None:
        return True
    since = state.complete_since
    return state.date_from is not None and since is not None and other.date_from <= since


def _has_others_objects(source: Source, found: CheckedPage) -> bool:
    """Whether there are objects on a page that another party of the platform owns."""
    owners = {str(one.identity.owner) for one in found.objects if one.identity is not None}
    return any(owner in source.own and owner != str(source.party) for owner in owners)


def _moved(
    source: Source, other: PullState, position: CrawlPosition, found: CheckedPage, ahead: PageAhead
) -> PullState | None:
    """Ask for another party's page once more: the list may have changed since it was read."""
    try:
        anew = ahead.take(replace(source, party=other.party.ref), position)
    except PullFailed:
        return None
    return other if anew.names == found.names else None
