"""Reconciliation with full crawls: an object that two of them in a row did not meet has vanished.

Spec: 2.2.1 mod_locations (objects are never deleted); LOC-23, A-58. What vanished is kept but left
out of lists; the hub never makes it REMOVED in its owner's name. Any push or list that has it again
brings it back. Sessions and CDRs leave their lists as time goes by: they are not missed.
"""

import logging
from collections.abc import Collection
from datetime import timedelta

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
        # The parties whose lists are this one too are asked for no other.
        for reader in state.readers.select_related("party"):
            before = f"{reader.party.key}/"
            vanished += _count_missed(source, state, reader.party.ref, before=before)
        if vanished:
            log.warning("%s: %d objects have vanished from its list", state, vanished)
    forget_listed(state)


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
