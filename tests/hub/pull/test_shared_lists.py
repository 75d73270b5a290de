"""A platform that ignores OCPI-to has one list: it is read once for all its parties."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import F
from django.utils import timezone

from hub.models import Location, PullState, Quarantined
from ocpi.types import PartyRef
from parties import deviations
from parties.models import ObservedDeviation
from sandbox import SandboxPlatform
from tests.cast import Cast, a_location, command, route
from tests.hub.pull.workers import asked, offer, read_all, state

BBB = PartyRef("NL", "BBB")
PARTIES = [PartyRef("NL", "AAA"), BBB, PartyRef("NL", "CCC"), PartyRef("NL", "DDD")]
PAGE = 3
Aggregator = Callable[..., SandboxPlatform]


@pytest.fixture
def aggregator(cast: Cast) -> Any:
    """Give a platform of four CPOs, two Locations and a broken one of each, in pages of three."""
    made: list[SandboxPlatform] = []

    def make(*, ignore_to: bool = True) -> SandboxPlatform:
        roles = [("CPO", party.country_code, party.party_id) for party in PARTIES]
        platform = SandboxPlatform(roles, ignore_to=ignore_to, page_limit=PAGE)
        platform.__enter__()
        made.append(platform)
        words = [f"--role={':'.join(role)}" for role in roles]
        answer = command("invite_platform", "AGG", *words, f"--quirk=page_limit={PAGE}")
        platform.register_with(cast.versions_url, answer["token_a"])
        for party in PARTIES:
            offer(platform, "locations", *(a_location(party, number) for number in (1, 2)))
            offer(platform, "locations", {**a_location(party, 3), "city": None})
        platform.forget()
        return platform

    yield make
    for platform in made:
        platform.__exit__(None, None, None)


def lists() -> list[PullState]:
    """Return how the lists of Locations stand."""
    return [state("locations", party) for party in PARTIES]


def later(hours: float = 20, *, full: bool = False) -> None:
    """Let time pass since the lists were read, so that all are due."""
    moved = timedelta(days=3) if full else timedelta(hours=hours)
    columns = ("started_at", "complete_since", "full_since", "requested_at", "date_from")
    PullState.objects.update(due_at=timezone.now(), **{each: F(each) - moved for each in columns})


def requests(platform: SandboxPlatform) -> list[int]:
    """Return how often each party's list was asked for since the platform forgot, ascending."""
    return sorted(Counter(route(seen)[0] for seen in asked(platform)).values())


def leader() -> PullState:
    """Return the one list that was read by itself."""
    [found] = [each for each in lists() if each.read_with is None]
    return found


def test_one_list_is_read_once_for_all_parties(aggregator: Aggregator) -> None:
    """One party's crawl has all pages; of each other party one page shows that it is the same."""
    platform = aggregator()

    read_all()

    assert requests(platform) == [1, 1, 1, 4]
    assert Location.objects.count() == 8
    first = leader()
    assert (first.seen, first.stored, first.quarantined) == (12, 8, 4)
    for other in lists():
        if other == first:
            continue
        assert (other.read_with, other.seen, other.last_error) == (first, 0, "")
        assert other.complete_since == other.full_since == first.complete_since
        assert f"the same list as that of {first.party.ref}" in other.remark


def test_what_is_broken_is_in_quarantine_once(aggregator: Aggregator) -> None:
    """And found by its owner, whichever party's list was read."""
    aggregator()

    read_all()

    assert Quarantined.objects.count() == 4
    [found] = command("quarantine", "--party", "NL-CCC")
    assert (found["owner"], found["party"], found["id"]) == ("NL-CCC", leader().party.key, "L3")


def test_it_is_noted_and_shown(aggregator: Aggregator) -> None:
    """As a deviation of the platform, and by the command that shows the lists."""
    aggregator()

    read_all()

    deviations.write()
    row = ObservedDeviation.objects.get(deviation="to_ignored", about="GET locations")
    assert row.times == 3
    assert "OCPI-to" in deviations.sentence(row.deviation)
    out = StringIO()
    call_command("pulls", stdout=out)
    assert out.getvalue().count(f"IDLE, read with the list of {leader().party.key}") == 3


def test_a_platform_that_honours_ocpi_to_is_read_party_by_party(aggregator: Aggregator) -> None:
    """Its lists differ; also when all are empty nothing is shared."""
    platform = aggregator(ignore_to=False)

    read_all()

    assert requests(platform) == [1, 1, 1, 1]
    assert {each.read_with for each in PullState.objects.all()} == {None}
    deviations.write()
    assert not ObservedDeviation.objects.filter(deviation="to_ignored").exists()


@pytest.mark.parametrize("full", [False, True])
def test_each_round_reads_it_once(aggregator: Aggregator, *, full: bool) -> None:
    """Of changes as of everything: what changed for any party is stored, by whoever was read."""
    platform = aggregator()
    read_all()
    later(full=full)
    platform.forget()
    changed = a_location(BBB, 1, last_updated="2027-01-01T00:00:00Z", name="changed")
    offer(platform, "locations", changed)

    read_all()

    assert requests(platform)[:3] == [1, 1, 1]
    assert leader().phase == "IDLE"
    assert Location.objects.filter(text__contains="changed").count() == 1
    assert all(each.last_error == "" for each in lists())


def test_it_is_undone_when_the_platform_honours_ocpi_to(aggregator: Aggregator) -> None:
    """The next round asks for each party anyway: what differs is read by itself."""
    platform = aggregator()
    read_all()
    object.__setattr__(platform.quirks, "ignore_to", False)  # it is mended
    later(full=True)
    platform.forget()

    read_all()

    assert [each.read_with for each in lists()] == [None] * 4
    assert [each.seen for each in lists()] == [3] * 4
    assert {each.remark for each in lists()} == {""}
    assert Quarantined.objects.count() == 4


def test_a_list_that_moves_while_it_is_read_is_still_one(aggregator: Aggregator) -> None:
    """What is on the first page changes: the other party's is asked for once more, beside it."""
    platform = aggregator()

    def move(seen: Any, _: object) -> None:
        if "/sender/locations" in str(seen) and len(asked(platform)) == 4:
            store = platform.own["locations"]
            store.pop(("NL", "AAA", "L1"), None)

    platform.watchers.append(move)

    read_all()

    assert leader().seen == 12


@pytest.mark.parametrize("turn", range(4))
def test_what_vanishes_from_the_one_list_is_missed_of_every_party(
    aggregator: Aggregator, turn: int
) -> None:
    """Not only of the party for which it was read, whichever that is in a round."""
    platform = aggregator()
    read_all()
    del platform.own["locations"]["NL", "CCC", "L1"]
    for number in range(2):
        later(full=True)
        first = PARTIES[(turn + number) % len(PARTIES)]
        earlier = F("due_at") - timedelta(hours=1)
        PullState.objects.filter(party__key=str(first)).update(due_at=earlier)
        read_all()

    missed = Location.objects.filter(missed__gte=2).values_list("owner", "object_id")
    assert list(missed) == [("NL-CCC", "L1")]


def test_an_operators_reading_is_a_reading(aggregator: Aggregator) -> None:
    """What was read hours ago for another party is no answer to `pull`."""
    platform = aggregator()
    read_all()
    later(hours=0.1)
    platform.forget()

    command("pull", "NL-BBB", "--module", "locations", "--full")

    assert requests(platform) == [4]
    assert state("locations", BBB).read_with is None
