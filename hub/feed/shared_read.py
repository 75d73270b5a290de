"""One reading of the feed for many readers: which of them share it, and what each gets of it.

Decided without I/O. Fifty receivers of the same owners stand at nearly the same position; one
reading from the foremost position of all, of everybody's owners, has what each of them may see.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hub.feed.changes import Batch, Position, Selection

# Who is further behind reads alone: others would wait for what they have long had.
_NEAR_TRANSACTIONS = 1_000


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read: some of a module's feed after a position, as `feed.read` is told."""

    selection: Selection
    after: Position
    limit: int
    most_bytes: int
    excluded: frozenset[Position] = frozenset()
    compacted: bool = False

    @property
    def can_be_shared(self) -> bool:
        """Whether it is of changes for everybody, with nothing left out."""
        return not (self.selection.audience or self.excluded or self.compacted)


def groups(readings: Iterable[Reading]) -> list[list[Reading]]:
    """Return which readings go together; one that stands alone is a group too."""
    alone: list[list[Reading]] = []
    together: dict[tuple[str, int, int], list[Reading]] = defaultdict(list)
    for each in readings:
        if each.can_be_shared:
            together[each.selection.module, each.limit, each.most_bytes].append(each)
        else:
            alone.append([each])
    for shared in together.values():
        last = max(each.after.transaction for each in shared)
        near = [each for each in shared if last - each.after.transaction <= _NEAR_TRANSACTIONS]
        alone += [near, *([each] for each in shared if each not in near)]
    return alone


def union(readings: Sequence[Reading]) -> Reading:
    """Return the reading that has what each of a group may see."""
    owners = frozenset[str]().union(*(each.selection.owners for each in readings))
    first = readings[0]
    selection = replace(first.selection, owners=owners) if len(readings) > 1 else first.selection
    return replace(first, selection=selection, after=min(each.after for each in readings))


def part(batch: Batch, reading: Reading) -> Batch | None:
    """Return what a reader gets of the reading of its group; None if that did not reach it."""
    if batch.reached <= reading.after and not batch.complete:
        return None
    owners = reading.selection.owners
    changes = tuple(
        each for each in batch.changes if each.owner in owners and each.position > reading.after
    )
    return replace(batch, changes=changes, reached=max(batch.reached, reading.after))
