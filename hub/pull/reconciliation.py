"""Reconciliation with full crawls: an object that two of them in a row did not meet has vanished.

Spec: 2.2.1 mod_locations (objects are never deleted); LOC-23, A-58. What vanished is kept but left
out of lists; the hub never makes it REMOVED in its owner's name. Any push or list that has it again
brings it back. Sessions and CDRs leave their lists as time goes by: they are not missed.
"""

import logging
from collections.abc import Collection
from datetime import timedelta

from django.db.models import Q

from database import sql
from hub.models import Listed, PullState
from hub.pull import sql as statements
from hub.pull.sources import Source
from ocpi.types import PartyRef

log = logging.getLogger(__name__)

VANISHED = 2
"""After so many full crawls in a row without it, an object has vanished."""
_APART = timedelta(hours=20)
"""Crawls that begin closer together count once: a list may be empty for a while."""


def note_listed(state: PullState, keys: Collection[str]) -> None:
    """Remember what a page of a full crawl had; of other parties' objects owner and key."""
    if state.phase == PullState.Phase.FULL:
        sql.rows(statements.NOTE_LISTED, {"pull": state.pk, "keys": list(keys)})


def forget_listed(state: PullState) -> None:
    Listed.objects.filter(pull=state)._raw_delete("default")  # noqa: SLF001 - no rows are loaded


def conclude(source: Source, state: PullState, *, is_certain: bool) -> None:
    """Count what was missing once more, unless the crawl may have passed something over."""
    if state.phase != PullState.Phase.FULL or source.policy.personal:
        return
    # An object that could not be identified may be any of those that seem missing.
    if is_certain and state.is_gapless and _is_apart(state):
        vanished = _count_missed(source, state, source.party, before="")
        for other in _read_with_it(state):
            before = f"{other.party.key}/"
            vanished += _count_missed(source, state, other.party.ref, before=before)
        if vanished:
            log.warning("%s: %d objects have vanished from its list", state, vanished)
    forget_listed(state)


def _read_with_it(state: PullState) -> list[PullState]:
    """Return the lists that were one with this one when they were last read, and still seem to be.

    Whichever of them is due first is read for all; objects of others in it show that it is one.
    """
    rows = PullState.objects.filter(
        Q(read_with__isnull=False) | Q(readers__isnull=False),
        party__platform=state.party.platform_id,
        module=state.module,
    )
    others = list(rows.exclude(pk=state.pk).select_related("party").distinct())
    met = Listed.objects.filter(pull=state)
    has_others = any(
        met.filter(object_key__startswith=f"{other.party.key}/").exists() for other in others
    )
    return others if has_others else []


def _count_missed(source: Source, state: PullState, owner: PartyRef, *, before: str) -> int:
    """Count what was missing of a party once more; return how much has vanished by that."""
    named = {
        "owner": source.holder_of(owner),
        "pull": state.pk,
        "begun": state.started_at,
        "before": before,
    }
    found = sql.rows(statements.count_missed(source.policy), named)
    return sum(missed == VANISHED for (missed,) in found)


def _is_apart(state: PullState) -> bool:
    if state.full_since is None or state.started_at is None:
        return True
    return state.started_at - state.full_since >= _APART
