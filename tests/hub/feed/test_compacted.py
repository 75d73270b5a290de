"""A backlog read without what the feed has again: what is left out, and what is said of it."""

import pytest

from hub import feed, store
from hub.feed import Selection
from tests.hub.feed.location_changes import BEGINNING, put, read_until
from tests.hub.store.write_requests import location_write

pytestmark = pytest.mark.usefixtures("transactional_db")


def test_a_compacted_reading_leaves_out_what_the_feed_has_again() -> None:
    """A change of the whole object replaces one of a part; one of a part, no other's."""
    selection = Selection("locations", owners=["NL-CPA", "NL-CPB"])
    store.apply(put(1))
    store.apply(put(2))
    for body in ({"status": "BLOCKED"}, {"status": "CHARGING"}):
        patch = location_write(
            "PATCH", "L1", "E1", body={**body, "last_updated": "2027-01-01T00:00:00Z"}
        )
        store.apply(patch)
    store.apply(put(2, name="another name"))
    read_until(lambda batch: len(batch.changes) == 5)

    batch = feed.read(selection, BEGINNING, limit=9, most_bytes=10**6, compacted=True)

    found = [(change.method, change.path) for change in batch.changes]
    assert found == [("PUT", "NL/CPA/L1"), ("PATCH", "NL/CPA/L1/E1"), ("PUT", "NL/CPA/L2")]
    assert batch.complete
    assert batch.compacted_to >= batch.changes[-1].position.transaction


def test_a_compacted_reading_may_be_nothing_yet_not_the_end() -> None:
    """It ends where it looked to, and says where whole states are needed."""
    store.apply(put(1))
    for number in range(20):
        store.apply(put(1, name=f"name {number}"))
    read_until(lambda batch: len(batch.changes) == 21)
    selection = Selection("locations", owners=["NL-CPA"])

    batch = feed.read(selection, BEGINNING, limit=1, most_bytes=10**6, compacted=True)

    assert (batch.changes, batch.complete) == ((), False)
    assert batch.compacted_to >= batch.reached.transaction
    rest = feed.read(selection, batch.reached, limit=20, most_bytes=10**6)
    assert len(rest.changes) == 11
    assert rest.compacted_to == 0


def test_nothing_is_compacted_where_the_feed_has_everything_once() -> None:
    """However long it is: what is cut off by the limit is not left out."""
    for number in range(1, 4):
        store.apply(put(number))
    read_until(lambda batch: len(batch.changes) == 3)
    selection = Selection("locations", owners=["NL-CPA"])

    batch = feed.read(selection, BEGINNING, limit=1, most_bytes=10**6, compacted=True)

    assert (len(batch.changes), batch.complete, batch.compacted_to) == (1, False, 0)
