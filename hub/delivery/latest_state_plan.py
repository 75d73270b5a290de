"""From a batch of changes to what is sent where the newest state counts: decided without I/O.

The changes of one object, or of one part of it where only parts changed, are coalesced: they send
at most one message per batch. These are independent of each other and go out in parallel.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from hub.delivery.push import ObjectKey, PartKey, Push, path_of, positions_of, whole
from hub.feed import FedChange, Position


@dataclass(frozen=True, slots=True)
class CoalescedChanges:
    """What one batch holds for one object or part, oldest first."""

    key: PartKey
    changes: tuple[FedChange, ...]

    @property
    def last(self) -> FedChange:
        return self.changes[-1]

    @property
    def path(self) -> str:
        """The raw path of what `key` names."""
        return path_of(self.last.path, self.key)

    @property
    def positions(self) -> frozenset[Position]:
        return frozenset(change.position for change in self.changes)


def coalesced(changes: Iterable[FedChange]) -> list[CoalescedChanges]:
    """Sort a batch by object or part; a change of a whole object takes those of its parts in."""
    objects: dict[ObjectKey, list[FedChange]] = defaultdict(list)
    for change in changes:
        objects[change.owner, change.object_key].append(change)
    found = []
    for key, own in objects.items():
        parts: dict[str, list[FedChange]] = defaultdict(list)
        # A PUT of Location L1 beside a PATCH of its EVSE E1 would go out in parallel: whichever
        # arrived last would win. Together they are one message, the state of L1.
        as_whole = any(not change.part_key for change in own)
        for change in own:
            parts["" if as_whole else change.part_key].append(change)
        found += [CoalescedChanges((*key, part), tuple(same)) for part, same in parts.items()]
    return found


def push(
    own: CoalescedChanges,
    revisions: Mapping[PartKey, int],
    *,
    patch_supported: bool,
    compacted_to: int = 0,
) -> Push | None:
    """Decide what is sent of an object or part; None when nobody need know what it was about.

    `revisions` has the present revision of each. Up to the transaction `compacted_to` changes
    before it may have been passed over: it goes out as a state.
    """
    present = revisions.get(own.key)
    last = own.last
    if present is None:
        # Created and deleted again while the receiver was away: only the DELETE can mean anything
        # to it, and without one (the EVSE went with a PUT of its Location) nothing does.
        return _verbatim(own) if last.method == "DELETE" else None
    # A DELETE of what is there is out of date whatever its revision says: who puts the object back
    # begins to count anew, so revision 1 may be behind the DELETE with revision 4.
    newest = last.revision == present and last.method != "DELETE"
    if newest and last.method == "PUT" and last.path == own.path:
        return _verbatim(own)
    # A PATCH says what it changes alone. Of PATCH {"name"} and PATCH {"status"} the second one by
    # itself would leave the receiver with the old name for ever.
    is_all = len(own.changes) == 1 and last.position.transaction > compacted_to
    if newest and is_all and (patch_supported or last.method != "PATCH"):
        return _verbatim(own)
    return _state(own)


def absorbed(waiting: Iterable[Push]) -> list[Push]:
    """Let the PUT of a whole object stand for all that waits about it.

    Sent beside it, an older change of a part could arrive behind the newer whole.
    """
    waiting = list(waiting)
    wholes = {each.key for each in waiting if each.key == whole(each.key)}
    by_key: dict[PartKey, list[Push]] = defaultdict(list)
    for each in waiting:
        by_key[whole(each.key) if whole(each.key) in wholes else each.key].append(each)
    return [_one(key, pushes) for key, pushes in by_key.items()]


def _one(key: PartKey, pushes: list[Push]) -> Push:
    last = next(each for each in reversed(pushes) if each.key == key)
    return replace(last, settles=positions_of(pushes)) if len(pushes) > 1 else last


def _verbatim(own: CoalescedChanges) -> Push:
    last = own.last
    return Push(
        own.key,
        last.method,
        last.path,
        last.body or "",
        path_of(last.path, whole(own.key)),
        last.correlation_id,
        own.positions,
        last.revision,
    )


def _state(own: CoalescedChanges) -> Push:
    return replace(_verbatim(own), method="PUT", path=own.path, body=None)
