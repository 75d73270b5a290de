"""From a batch of changes to what is sent where the latest state counts: decided without I/O.

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
    """Group a batch by object, or by part where no change is of the whole object.

    The groups are in the order of the feed: what is left when a batch is broken off is then its
    end, and little beyond the position that is kept was sent.
    """
    objects: dict[ObjectKey, list[FedChange]] = defaultdict(list)
    for change in changes:
        objects[change.owner, change.object_key].append(change)
    groups = []
    for key, of_object in objects.items():
        parts: dict[str, list[FedChange]] = defaultdict(list)
        # A PUT of Location L1 beside a PATCH of its EVSE E1 would go out in parallel: whichever
        # arrived last would win. Together they are one message, the state of L1.
        as_whole = any(not change.part_key for change in of_object)
        for change in of_object:
            parts["" if as_whole else change.part_key].append(change)
        groups += [CoalescedChanges((*key, part), tuple(same)) for part, same in parts.items()]
    return sorted(groups, key=lambda group: group.changes[0].position)


def push_of(
    group: CoalescedChanges,
    revisions: Mapping[PartKey, int],
    *,
    patch_supported: bool,
    compacted_to: int = 0,
) -> Push | None:
    """Decide what is sent of an object or part; None when it came and went unnoticed.

    `revisions` has the present revision of each. Up to transaction `compacted_to` the group may
    lack changes that were passed over, so it goes out as a state.
    """
    present = revisions.get(group.key)
    last = group.last
    if present is None:
        # Created and deleted again while the receiver was away: only the DELETE can mean anything
        # to it, and without one (the EVSE went with a PUT of its Location) nothing does.
        return _verbatim(group) if last.method == "DELETE" else None
    # A DELETE of what is there is out of date whatever its revision says: an object that is put
    # back counts from 1 again, so revision 1 may be newer than the DELETE with revision 4.
    newest = last.revision == present and last.method != "DELETE"
    if newest and last.method == "PUT" and last.path == group.path:
        return _verbatim(group)
    # A PATCH has only what it changes. Of PATCH {"name"} and PATCH {"status"} the second one by
    # itself would leave the receiver with the old name for ever.
    is_all = len(group.changes) == 1 and last.position.transaction > compacted_to
    if newest and is_all and (patch_supported or last.method != "PATCH"):
        return _verbatim(group)
    return _as_state(group)


def absorbed(waiting: Iterable[Push]) -> list[Push]:
    """Drop what waits about an object whose PUT waits too: the PUT settles it all.

    Sent beside it, an older change of a part could arrive after the newer whole object.
    """
    waiting = list(waiting)
    wholes = {each.key for each in waiting if each.key == whole(each.key)}
    by_key: dict[PartKey, list[Push]] = defaultdict(list)
    for each in waiting:
        by_key[whole(each.key) if whole(each.key) in wholes else each.key].append(each)
    return [_merged(key, pushes) for key, pushes in by_key.items()]


def _merged(key: PartKey, pushes: list[Push]) -> Push:
    last = next(each for each in reversed(pushes) if each.key == key)
    return replace(last, settles=positions_of(pushes)) if len(pushes) > 1 else last


def _verbatim(group: CoalescedChanges) -> Push:
    last = group.last
    return Push(
        group.key,
        last.method,
        last.path,
        last.body or "",
        path_of(last.path, whole(group.key)),
        last.correlation_id,
        group.positions,
        last.revision,
    )


def _as_state(group: CoalescedChanges) -> Push:
    return replace(_verbatim(group), method="PUT", path=group.path, body=None)
