"""When a module's feed is looked at: at once when idle, and never in a tight loop."""

from hub.delivery.looks import Looks
from ocpi.types import ModuleID

LOCATIONS, SESSIONS = ModuleID.LOCATIONS, ModuleID.SESSIONS


def test_a_wake_is_due_at_once() -> None:
    """A change on an idle hub waits for nothing."""
    looks = Looks()
    looks.wake([LOCATIONS], 10.0)

    assert looks.seconds(10.0, 0.5) == 0
    assert looks.due(10.0) == {LOCATIONS: 0}
    assert looks.due(10.0) == {}


def test_many_wakes_are_one_look() -> None:
    """However many came before it."""
    looks = Looks()
    for number in range(5):
        looks.wake([LOCATIONS], 10.0 + number / 1000)

    assert looks.due(10.1) == {LOCATIONS: 0}
    assert looks.due(10.2) == {}


def test_a_wake_behind_a_look_is_another_one_after_a_pause() -> None:
    """It may be about a change that the look did not see, but a burst must not cost a look each."""
    looks = Looks()
    looks.wake([LOCATIONS], 10.0)
    looks.due(10.0)
    looks.wake([LOCATIONS], 10.001)

    assert looks.due(10.001) == {}
    assert looks.due(10.004) == {LOCATIONS: 0}


def test_another_module_waits_for_nobody() -> None:
    """A pause is one module's."""
    looks = Looks()
    looks.wake([LOCATIONS], 10.0)
    looks.due(10.0)
    looks.wake([SESSIONS, LOCATIONS], 10.001)

    assert looks.due(10.001) == {SESSIONS: 0}


def test_what_comes_too_early_is_repeated_with_longer_pauses() -> None:
    """Mostly a short write holds it up, sometimes a long one: then five looks a second will do."""
    looks, now, pauses = Looks(), 10.0, []
    looks.wake([LOCATIONS], now)
    for _ in range(5):
        [(module, too_early)] = looks.due(now).items()
        looks.again(module, too_early, now)
        pauses.append(looks.seconds(now, 60.0))
        now += pauses[-1] + 1e-9

    assert [round(pause, 3) for pause in pauses] == [0.003, 0.01, 0.2, 0.2, 0.2]


def test_a_wake_takes_the_place_of_a_later_look() -> None:
    """What came while a long transaction holds the feed up may be readable at once."""
    looks = Looks()
    looks.again(LOCATIONS, 2, 10.0)
    looks.wake([LOCATIONS], 10.1)

    assert looks.due(10.1) == {LOCATIONS: 0}


def test_nothing_due_is_as_long_as_one_may_wait() -> None:
    """Who waits for wake-ups looks up now and then."""
    assert Looks().seconds(10.0, 0.5) == 0.5
