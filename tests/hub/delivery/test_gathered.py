"""Questions of many lanes are answered together, and each as if it had asked alone."""

import asyncio
from collections.abc import Awaitable, Sequence
from threading import Event

import pytest

from hub.delivery import gathered
from hub.delivery.gathered import Gathered

PATIENCE = 5.0


class Doubling:
    """Doubles numbers; 13 makes it fail, and until it may go on it answers nothing."""

    def __init__(self) -> None:
        self.answered: list[list[int]] = []
        self.begun, self.may_go_on = Event(), Event()

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        """Double several."""
        self.begun.set()
        assert self.may_go_on.wait(PATIENCE)
        self.answered.append(list(numbers))
        if 13 in numbers:
            raise LookupError("13")
        return [2 * each for each in numbers]


async def _all(*asked: Awaitable[int]) -> list[int | BaseException]:
    return await asyncio.gather(*asked, return_exceptions=True)


def test_what_is_asked_at_once_is_answered_at_once() -> None:
    """Lanes that a change woke together are one statement."""
    work = Doubling()
    work.may_go_on.set()
    doubled = Gathered(work)

    found = gathered.submit(_all(*map(doubled.ask, range(12)))).result(PATIENCE)

    assert found == [2 * each for each in range(12)]
    assert work.answered == [list(range(12))]


def test_what_is_asked_meanwhile_is_answered_together_behind_it() -> None:
    """Nobody waits for a round that is already on its way."""
    work = Doubling()
    doubled = Gathered(work)
    first = gathered.submit(doubled.ask(1))
    assert work.begun.wait(PATIENCE)
    rest = gathered.submit(_all(doubled.ask(2), doubled.ask(3)))
    gathered.submit(asyncio.sleep(0)).result(PATIENCE)
    work.may_go_on.set()

    assert first.result(PATIENCE) == 2
    assert rest.result(PATIENCE) == [4, 6]
    assert work.answered == [[1], [2, 3]]


def test_one_that_fails_fails_alone() -> None:
    """A subscription that is gone holds up no other receiver."""
    work = Doubling()
    work.may_go_on.set()
    doubled = Gathered(work)

    found = gathered.submit(_all(doubled.ask(1), doubled.ask(13), doubled.ask(2))).result(PATIENCE)

    assert (found[0], found[2]) == (2, 4)
    assert isinstance(found[1], LookupError)


def test_a_failure_ends_nothing() -> None:
    """The next question is answered."""
    work = Doubling()
    work.may_go_on.set()
    doubled = Gathered(work)
    with pytest.raises(LookupError):
        gathered.submit(doubled.ask(13)).result(PATIENCE)

    assert gathered.submit(doubled.ask(4)).result(PATIENCE) == 8


def test_who_waits_no_longer_disturbs_nobody() -> None:
    """Others that asked with it are answered all the same."""

    async def ask(doubled: Gathered[int, int]) -> int:
        gone = asyncio.create_task(doubled.ask(1))
        stays = asyncio.create_task(doubled.ask(2))
        await asyncio.sleep(0)
        gone.cancel()
        return await stays

    work = Doubling()
    work.may_go_on.set()
    assert gathered.submit(ask(Gathered(work))).result(PATIENCE) == 4
