"""Many readings of the feed at once, by as few statements as they need."""

from collections.abc import Sequence

from hub.feed import shared_read
from hub.feed.changes import Batch, read
from hub.feed.shared_read import Reading


def read_all(readings: Sequence[Reading]) -> list[Batch]:
    """Return what each reading brings; those that stand near each other are one statement."""
    found: dict[Reading, Batch] = {}
    for group in shared_read.groups(dict.fromkeys(readings)):
        batch = _read(shared_read.union(group))
        for each in group:
            own = shared_read.part(batch, each) if len(group) > 1 else batch
            found[each] = own or _read(each)
    return [found[each] for each in readings]


def _read(reading: Reading) -> Batch:
    return read(
        reading.selection,
        reading.after,
        limit=reading.limit,
        most_bytes=reading.most_bytes,
        excluded=reading.excluded,
        compacted=reading.compacted,
    )
