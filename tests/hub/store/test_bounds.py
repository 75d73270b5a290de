"""Large objects make short pages, of lists and of snapshots."""

from collections.abc import Callable

import pytest

from console.lag import Lag
from hub.delivery import backlog, current_state
from hub.models import Subscription
from hub.module_policy import POLICIES
from hub.store import reads
from hub.store.reads import Viewer
from ocpi.types import ModuleID
from sandbox.platform import SandboxPlatform
from tests.cast import CPA, HUB, MSA, Cast, a_location, push

FIVE = ["L1", "L2", "L3", "L4", "L5"]


@pytest.fixture
def reader(pair: tuple[SandboxPlatform, SandboxPlatform]) -> SandboxPlatform:
    """DE-MSA, with five locations of NL-CPA to read."""
    for number in range(1, 6):
        push(pair[0], a_location(CPA, number))
    return pair[1]


@pytest.mark.parametrize("most, pages", [(1, 5), (5_000_000, 1)])
def test_a_list_of_large_objects_comes_in_short_pages(
    reader: SandboxPlatform, monkeypatch: pytest.MonkeyPatch, most: int, pages: int
) -> None:
    """At least one object a page, and each once."""
    monkeypatch.setattr(reads, "MOST_BYTES", most)

    crawl = reader.hub.list("locations", {}, to=HUB)

    assert [each["id"] for page in crawl.pages for each in page.data] == FIVE
    assert len(crawl.pages) == pages


def test_a_snapshot_of_large_objects_comes_in_short_pieces(
    cast: Cast,
    reader: SandboxPlatform,
    deliver_all: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each piece goes on behind the one before, up to the last."""
    monkeypatch.setattr(current_state, "MOST_BYTES", 1)
    policy = POLICIES[ModuleID.LOCATIONS]

    piece = current_state.objects(policy, Viewer(MSA, frozenset({"NL-CPA"})), after=0, limit=100)
    assert ([each.object_id for each in piece.objects], piece.is_last) == (["L1"], False)

    deliver_all()
    assert len(reader.objects["locations"]) == 5


def test_nobody_is_counted_to_the_end(
    cast: Cast,
    reader: SandboxPlatform,
    deliver_all: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Far behind is far behind; and only who is asked for is counted."""
    deliver_all()
    for number in range(1, 6):
        push(cast["P1"], a_location(CPA, number, name="changed"))
    pk = Subscription.objects.get(receiver__platform__name="P2", module="locations").pk

    [(changes, seconds)] = backlog.lag(ModuleID.LOCATIONS, [pk]).values()
    assert (changes, 0 <= seconds < 60) == (5, True)
    assert backlog.lag(ModuleID.LOCATIONS, [pk + 1]) == {}

    monkeypatch.setattr(backlog, "COUNTED_UP_TO", 3)
    [(changes, _)] = backlog.lag(ModuleID.LOCATIONS, [pk]).values()
    assert changes == 4
    assert "3+ behind" in Lag(changes, 1.0).shown()
