"""Objects that are missing from complete lists: flagged after two, never made up as REMOVED."""

from collections.abc import Callable

import pytest

from hub.models import Change, Listed, Location
from sandbox import SandboxPlatform
from sandbox.misbehaviour import relinked, reply
from tests.cast import CPA, MSA, MSB, Cast, a_location, push
from tests.hub.location_owner import T2, Owner, listed, pushes
from tests.hub.pull.workers import offer, read, read_days_later
from tests.ocpi.objects import a_session

Pair = tuple[SandboxPlatform, SandboxPlatform]


@pytest.fixture
def owner(pair: Pair) -> SandboxPlatform:
    """P1, whose list had L1 and L2, and has L1 alone by now."""
    offer(pair[0], "locations", a_location(CPA, 1), a_location(CPA, 2))
    read(full=True)
    del pair[0].own["locations"]["NL", "CPA", "L2"]
    return pair[0]


@pytest.mark.conformance("LOC-23")
def test_what_two_full_crawls_miss_has_vanished(
    owner: SandboxPlatform, pair: Pair, deliver_all: Callable[[], int]
) -> None:
    """After one it is still served; after two it is flagged and in no list, and nothing is sent."""
    emsp = pair[1]
    deliver_all()
    before = Change.objects.count(), len(pushes(emsp))

    read_days_later()
    assert sorted(listed(emsp, MSA)) == ["L1", "L2"]
    read_days_later()
    deliver_all()

    assert list(listed(emsp, MSA)) == ["L1"]
    assert emsp.hub.list("locations").pages[0].headers["X-Total-Count"] == "1"
    assert Location.objects.get(object_id="L2").missed == 2
    assert (Change.objects.count(), len(pushes(emsp))) == before
    assert not Listed.objects.exists()


@pytest.mark.parametrize("way", ["list", "push", "same push"])
def test_what_is_spoken_of_again_is_back(owner: SandboxPlatform, pair: Pair, way: str) -> None:
    """Its list has it again, or its owner pushes it, even unchanged."""
    read_days_later()
    read_days_later()
    if way == "list":
        offer(owner, "locations", a_location(CPA, 2))
        read_days_later()
    else:
        location = a_location(CPA, 2)
        push(owner, {**location, "last_updated": T2} if way == "push" else location)

    assert sorted(listed(pair[1], MSA)) == ["L1", "L2"]


@pytest.mark.parametrize("way", ["list", "older list", "same push", "same patch"])
def test_what_is_back_reaches_who_came_meanwhile(
    owner: SandboxPlatform, cast: Cast, deliver_all: Callable[[], int], way: str
) -> None:
    """A newcomer's snapshot lacked it: it gets it now, although nothing changed."""
    read_days_later()
    read_days_later()
    newcomer = cast["P3"]
    cast.agree(("NL-CPA", "FR-MSB"))
    deliver_all()
    assert [seen.json["id"] for seen in pushes(newcomer)] == ["L1"]
    location = a_location(CPA, 2)

    if way.endswith("list"):
        old = {"last_updated": "2020-01-01T00:00:00Z", "name": "old", "evses": []}
        offer(owner, "locations", location | (old if way == "older list" else {}))
        read(full=True)
    elif way == "same push":
        push(owner, location)
    else:
        same = {name: location[name] for name in ("name", "last_updated")}
        assert Owner(owner).patch("L2", body=same).status_code == 1000
    deliver_all()

    last = pushes(newcomer)[-1]
    assert (last.json["id"], last.json["name"]) == ("L2", location["name"])
    assert sorted(listed(newcomer, MSB)) == ["L1", "L2"]


def test_readings_shortly_after_each_other_are_one(owner: SandboxPlatform, pair: Pair) -> None:
    """A list may be empty for a while: an operator who looks twice makes nothing vanish."""
    for _ in range(4):
        read(full=True)

    assert sorted(listed(pair[1], MSA)) == ["L1", "L2"]


def test_a_crawl_of_changes_misses_nothing(owner: SandboxPlatform, pair: Pair) -> None:
    """What did not change is not in it."""
    for _ in range(3):
        read()

    assert sorted(listed(pair[1], MSA)) == ["L1", "L2"]


@pytest.mark.parametrize("total", ["2", "50"])
def test_a_crawl_that_may_have_passed_something_over_proves_nothing(
    owner: SandboxPlatform, pair: Pair, total: str
) -> None:
    """The total says that more is there, or an object could not be identified."""
    with owner.answer("GET /sender/locations", relinked(None, X_Total_Count=total)):
        for _ in range(3):
            read_days_later()
    with owner.answer("GET /sender/locations", reply([a_location(CPA, 1), {"id": 2}])):
        for _ in range(3):
            read_days_later()

    assert sorted(listed(pair[1], MSA)) == ["L1", "L2"]


def test_what_is_listed_broken_is_not_missing(owner: SandboxPlatform, pair: Pair) -> None:
    """It is in quarantine; what the hub has of it stays."""
    broken = {**a_location(CPA, 2), "coordinates": "unknown"}
    with owner.answer("GET /sender/locations", reply([a_location(CPA, 1), broken])):
        for _ in range(3):
            read_days_later()

    assert sorted(listed(pair[1], MSA)) == ["L1", "L2"]


def test_what_is_pushed_during_a_crawl_is_not_missing(owner: SandboxPlatform, pair: Pair) -> None:
    """The page was made before the push: it says nothing about it."""
    watched: list[object] = []

    def push_meanwhile(seen: object, answer: object) -> None:
        if "/sender/locations" in str(seen):
            watched.append(answer)
            push(owner, a_location(CPA, 2, last_updated=f"2027-0{len(watched)}-01T00:00:00Z"))

    owner.watchers.append(push_meanwhile)
    for _ in range(3):
        read_days_later()

    assert len(watched) == 3
    assert Location.objects.get(object_id="L2").missed == 0


def test_sessions_and_cdrs_may_leave_their_lists(cast: Cast) -> None:
    """What is over may be taken off; it is not flagged."""
    cpo, emsp = cast["P1"], cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    offer(cpo, "sessions", a_session())
    read_days_later("sessions")
    cpo.own["sessions"].clear()
    for _ in range(3):
        read_days_later("sessions")

    assert [each["id"] for each in emsp.hub.list("sessions").data] == ["S1"]
