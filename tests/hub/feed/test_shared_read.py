"""One reading of the feed for many readers: each gets what it would have read alone."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hub.feed import END_OF_TRANSACTION, Batch, FedChange, Position, Reading, Selection
from hub.feed.shared_read import groups, part, union

SINCE = datetime(2027, 1, 1, tzinfo=UTC)


def a_reading(transaction: int, *owners: str, **more: Any) -> Reading:
    """Make a reading of some owners' Locations."""
    selection = Selection("locations", owners=frozenset(owners or {"NL-CPA"}))
    usual = Reading(selection, Position(transaction, 0), limit=500, most_bytes=1_000)
    return replace(usual, **more)


def a_change(transaction: int, owner: str = "NL-CPA") -> FedChange:
    """Make a change of a Location."""
    position = Position(transaction, 1)
    return FedChange(position, owner, "l1", "", 1, "PUT", "NL/CPA/L1", "{}", "c", SINCE)


def a_batch(*changes: FedChange, reached: int, complete: bool = True) -> Batch:
    """Make what was read."""
    return Batch(changes, Position(reached, END_OF_TRANSACTION), complete)


def test_readers_near_each_other_share_a_reading() -> None:
    """From the foremost position of all, of all their owners."""
    readings = [a_reading(100, "NL-CPA"), a_reading(90, "NL-CPB"), a_reading(95, "NL-CPA")]

    [group] = groups(readings)
    shared = union(group)

    assert group == readings
    assert (shared.after, shared.selection.owners) == (Position(90, 0), {"NL-CPA", "NL-CPB"})


def test_one_that_is_far_behind_reads_alone() -> None:
    """Others would wait for what they have long had."""
    behind, first, second = a_reading(5), a_reading(9_000), a_reading(9_001)

    assert sorted(map(len, groups([behind, first, second]))) == [1, 2]
    assert [behind] in groups([behind, first, second])


def test_what_leaves_something_out_is_read_alone() -> None:
    """Of a reading for one audience, beside a gap, or compacted, nobody else has any use."""
    for_one = a_reading(1, selection=Selection("sessions", audience="DE-MSA"))
    beside_a_gap = a_reading(1, excluded=frozenset({Position(1, 5)}))
    compacted = a_reading(1, compacted=True)

    readings = [for_one, beside_a_gap, compacted, a_reading(1)]
    assert groups(readings) == [[each] for each in readings]


def test_modules_and_bounds_are_not_mixed() -> None:
    """A reading is of one module, and as long as its reader may have it."""
    tariffs = a_reading(1, selection=Selection("tariffs", owners=frozenset({"NL-CPA"})))
    assert len(groups([a_reading(1), tariffs, a_reading(1, limit=1)])) == 3


def test_each_gets_its_own_owners_alone() -> None:
    """Nobody sees what another of the group may have."""
    batch = a_batch(a_change(101), a_change(102, "NL-CPB"), reached=110)

    found = part(batch, a_reading(100, "NL-CPB"))

    assert found is not None
    assert [each.owner for each in found.changes] == ["NL-CPB"]
    assert (found.reached, found.complete) == (batch.reached, True)


def test_nobody_gets_again_what_it_has() -> None:
    """Who is further than the foremost starts behind its own position."""
    batch = a_batch(a_change(101), a_change(102), reached=110)

    found = part(batch, a_reading(102))

    assert found is not None
    assert [each.position.transaction for each in found.changes] == [102]


def test_a_reading_that_was_cut_before_a_reader_is_none_of_its() -> None:
    """It has to read for itself: what it waits for was not reached."""
    batch = Batch((a_change(101),), Position(101, 1), complete=False)

    assert part(batch, a_reading(101, after=Position(101, 1))) is None
    found = part(batch, a_reading(100))
    assert found is not None
    assert (found.reached, found.complete) == (Position(101, 1), False)


def test_nobody_goes_back() -> None:
    """Who has read further than a complete reading reached stays where it is."""
    found = part(a_batch(reached=50), a_reading(60))

    assert found is not None
    assert found.reached == Position(60, 0)
