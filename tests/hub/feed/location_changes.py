"""Changes of Locations in the feed, and their reading by who may see both CPOs."""

import time
from collections.abc import Callable

from hub import feed
from hub.feed import Batch, Position, Selection
from hub.store import WriteRequest
from ocpi.types import PartyRef
from tests.cast import CPA, a_location
from tests.hub.store.write_requests import location_write

BEGINNING = Position(0, 0)


def read(after: Position = BEGINNING, *, limit: int = 500, most_bytes: int = 10**6) -> Batch:
    """Read the feed as a receiver who may see both CPOs."""
    selection = Selection("locations", owners=["NL-CPA", "NL-CPB"])
    return feed.read(selection, after, limit=limit, most_bytes=most_bytes)


def put(number: int = 1, owner: PartyRef = CPA, name: str = "a name") -> WriteRequest:
    """Make the PUT of a Location."""
    body = a_location(owner, number, name=name)
    return location_write("PUT", f"L{number}", body=body, owner=owner)


def read_until(is_there: Callable[[Batch], bool], after: Position = BEGINNING) -> Batch:
    """Read until the batch has what is awaited: other databases of the server may hold us up."""
    end = time.monotonic() + 10
    while not is_there(batch := read(after)):
        assert time.monotonic() < end, batch
        time.sleep(0.01)
    return batch
