"""From a batch of changes to what is sent where the newest state counts: decided without I/O.

Each lane carries one object, or one part of it where only parts changed, and sends at most one
message per batch. Lanes are independent of each other and go out in parallel.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hub.feed import FedChange, Position

ObjectKey = tuple[str, str]
"""Owner and folded object id."""
LaneKey = tuple[str, str, str]
"""Owner, folded object id and folded part id; the latter empty for the whole object."""

_OWNER_AND_ID = 3


def whole(key: LaneKey) -> LaneKey:
    """Return the lane of the object a part belongs to."""
    return (key[0], key[1], "")


def path_of(raw: str, key: LaneKey) -> str:
    """Cut a raw path to that of a lane: the object's, or its part's; a query stays."""
    route, mark, query = raw.partition("?")
    steps = route.split("/")[: _OWNER_AND_ID + bool(key[2])]
    return "/".join(steps) + mark + query


@dataclass(frozen=True, slots=True)
class Lane:
    """What one batch holds for one object or part, oldest first."""

    key: LaneKey
    changes: tuple[FedChange, ...]

    @property
    def last(self) -> FedChange:
        """The newest change."""
        return self.changes[-1]

    @property
    def object_path(self) -> str:
        """The raw path of the whole object."""
        return path_of(self.last.path, whole(self.key))

    @property
    def path(self) -> str:
        """The raw path of what the lane carries."""
        return path_of(self.last.path, self.key)

    @property
    def places(self) -> frozenset[Position]:
        """Where in the feed its changes are."""
        return frozenset(change.position for change in self.changes)


@dataclass(frozen=True, slots=True)
class Push:
    """One message to one receiver; `body` None waits for the lane's current state to be read.

    `settles` has the places of the changes that are dealt with once this message is, `revision` is
    that of the object with it.
    """

    lane: LaneKey
    method: str
    path: str
    body: str | None
    object_path: str
    correlation_id: str
    settles: frozenset[Position] = frozenset()
    revision: int = 0

    @property
    def is_state(self) -> bool:
        """Whether it is the PUT of all its lane carries, which a newer state may replace."""
        return self.method == "PUT" and self.path == path_of(self.path, self.lane)


def lanes(changes: Iterable[FedChange]) -> list[Lane]:
    """Sort a batch into lanes; a change of a whole object takes its parts' lanes in."""
    objects: dict[ObjectKey, list[FedChange]] = defaultdict(list)
    for change in changes:
        objects[change.owner, change.object_key].append(change)
    found = []
    for key, own in objects.items():
        parts: dict[str, list[FedChange]] = defaultdict(list)
        as_whole = any(not change.part_key for change in own)
        for change in own:
            parts["" if as_whole else change.part_key].append(change)
        found += [Lane((*key, part), tuple(same)) for part, same in parts.items()]
    return found


def push(
    lane: Lane, revisions: Mapping[LaneKey, int], *, patch_supported: bool, thinned_to: int = 0
) -> Push | None:
    """Decide what a lane sends; None when nobody need know what it was about.

    `revisions` has the present revision of each lane's object or part. Up to the transaction
    `thinned_to` changes before it may have been passed over: it goes out as a state.
    """
    present = revisions.get(lane.key)
    last = lane.last
    if present is None:
        return _verbatim(lane) if last.method == "DELETE" else None
    newest = last.revision == present and last.method != "DELETE"
    if newest and last.method == "PUT" and last.path == lane.path:
        return _verbatim(lane)
    is_all = len(lane.changes) == 1 and last.position.transaction > thinned_to
    if newest and is_all and (patch_supported or last.method != "PATCH"):
        return _verbatim(lane)
    return _state(lane)


def _verbatim(lane: Lane) -> Push:
    last = lane.last
    return Push(
        lane.key,
        last.method,
        last.path,
        last.body or "",
        lane.object_path,
        last.correlation_id,
        lane.places,
        last.revision,
    )


def _state(lane: Lane) -> Push:
    return Push(
        lane.key,
        "PUT",
        lane.path,
        None,
        lane.object_path,
        lane.last.correlation_id,
        lane.places,
        lane.last.revision,
    )
