"""How fast a list is read: as fast as its platform is willing, and no faster."""

import time

import pytest
from django.conf import LazySettings

from hub.pull.pace import Pace
from parties.models import Platform
from sandbox import SandboxPlatform
from sandbox.misbehaviour import first, hang, say
from tests.cast import CPA, Cast, a_location
from tests.hub.pull.workers import asked, offer, read

PAGES = 8


@pytest.fixture
def cpo(cast: Cast) -> SandboxPlatform:
    """P1, whose pages have one of its eight locations."""
    platform = cast.join("P1", page_limit=1)
    offer(platform, "locations", *(a_location(CPA, number) for number in range(1, PAGES + 1)))
    platform.forget()
    return platform


def seconds_to_read(cpo: SandboxPlatform) -> float:
    """Read the list to its end; return how long that took."""
    cpo.forget()
    begun = time.monotonic()
    done = read(full=True)
    assert (done.seen, done.last_error, len(asked(cpo))) == (PAGES, "", PAGES)
    return time.monotonic() - begun


def test_the_first_pause_is_whole_and_each_page_halves_it() -> None:
    """A platform that answers at once is soon asked at once."""
    pace = Pace(0.8)
    assert [pace.after(0) for _ in range(5)] == [0.8, 0.4, 0.2, 0.1, 0.05]


def test_a_pause_is_as_long_as_the_answer_took_up_to_the_longest() -> None:
    """A platform is busy with the hub half of the time; one that became slow has longer pauses."""
    pace = Pace(0.5)
    assert [pace.after(each) for each in (0.1, 0.1, 0.2, 0.2, 0.3, 9)] == [
        0.5,
        0.25,
        0.2,
        0.2,
        0.3,
        0.5,
    ]


def test_who_is_spared_has_the_whole_pause() -> None:
    """Whatever the pauses were before, and however quickly it answers."""
    pace = Pace(0.5)
    pace.after(0)
    pace.keep()
    assert [pace.after(0) for _ in range(3)] == [0.5] * 3


def test_a_willing_platform_is_read_faster_than_with_whole_pauses(
    cpo: SandboxPlatform, settings: LazySettings
) -> None:
    """Seven pauses of a second would be seven seconds; the first of them is whole."""
    settings.HUB_PULL_PAUSE = 1.0

    assert 1.0 < seconds_to_read(cpo) < PAGES - 1


def test_a_slow_platform_is_left_alone_as_long_as_it_took(
    cpo: SandboxPlatform, settings: LazySettings
) -> None:
    """Eight answers of a tenth of a second, and seven pauses of as much at least."""
    settings.HUB_PULL_PAUSE = 0.1
    with cpo.answer("GET /sender/locations", hang(0.1)):
        assert seconds_to_read(cpo) > 0.1 * (2 * PAGES - 1)


@pytest.mark.parametrize("status", [429, 500])
def test_who_asked_for_fewer_requests_or_failed_is_read_with_whole_pauses(
    cpo: SandboxPlatform, settings: LazySettings, status: int
) -> None:
    """The next reading after a 429 or a failure takes its time."""
    settings.HUB_PULL_PAUSE = 0.2
    with cpo.answer("GET /sender/locations", first(1, say(status, b""))):
        assert read(full=True).failures == 1
    Platform.objects.update(next_attempt_at=None)  # the time that it asked for is over

    assert seconds_to_read(cpo) > 0.2 * (PAGES - 1)
