"""The deliverer of a worker: each subscription once at a time, and none forgotten."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event

import pytest

from hub.delivery.deliverer import Deliverer, Look
from ocpi.types import ModuleID

PATIENCE = 5.0


class Work:
    """Work that goes on until it may end."""

    def __init__(self, *, ends: bool = True) -> None:
        self.done: list[int] = []
        self.looked: list[int] = []
        self.begun, self.may_end = Event(), Event()
        if ends:
            self.may_end.set()

    async def __call__(self, subscription_id: int) -> ModuleID | None:
        """Work on a subscription; on 13 it fails, on 0 another worker is at it."""
        self.begun.set()
        assert await asyncio.to_thread(self.may_end.wait, PATIENCE)
        if subscription_id == 13:
            raise OSError("the database is gone")
        self.done.append(subscription_id)
        return ModuleID.LOCATIONS if subscription_id else None

    def look(self, module: ModuleID, subscription_ids: Sequence[int]) -> None:
        """Note that somebody looked once more."""
        assert module == ModuleID.LOCATIONS
        self.looked += subscription_ids


@contextmanager
def deliverer(work: Work, look: Look) -> Iterator[Deliverer]:
    """Have one that works on one subscription at a time and ends with the test."""
    found = Deliverer(work, look, most=1)
    yield found
    work.may_end.set()
    found.close()
    found.wait()


def test_a_subscription_is_taken_on_once() -> None:
    """However often it is found behind before its turn has come."""
    work = Work(ends=False)
    with deliverer(work, work.look) as found:
        found.submit([1])
        assert work.begun.wait(PATIENCE)
        for _ in range(5):
            found.submit([1, 2])
        work.may_end.set()
        found.wait()

    assert (work.done, work.looked) == ([1, 2], [1, 2])


def test_one_that_takes_its_time_holds_no_other() -> None:
    """Others go on beside it, up to their number."""
    slow, quick = Event(), Event()

    async def work(subscription_id: int) -> None:
        if subscription_id == 1:
            assert await asyncio.to_thread(slow.wait, PATIENCE)
        else:
            quick.set()

    found = Deliverer(work, Work().look, most=2)
    found.submit([1, 2])
    try:
        assert quick.wait(PATIENCE)
    finally:
        slow.set()
        found.wait()


def test_what_came_meanwhile_is_worked_on() -> None:
    """The look that follows may take the same subscription on again."""
    work = Work()

    def look(module: ModuleID, subscription_ids: Sequence[int]) -> None:
        work.look(module, subscription_ids)
        if len(work.looked) < 3:
            found.submit(subscription_ids)

    with deliverer(work, look) as found:
        found.submit([1])
        found.wait()

    assert work.done == [1, 1, 1]


def test_nobody_looks_after_what_another_worker_is_at() -> None:
    """It looks itself when it is done."""
    work = Work()
    with deliverer(work, work.look) as found:
        found.submit([0])
        found.wait()

    assert (work.done, work.looked) == ([0], [])


def test_a_failure_ends_no_worker(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and what failed can be taken on again."""
    work = Work()
    with caplog.at_level(logging.ERROR), deliverer(work, work.look) as found:
        found.submit([13, 1])
        found.wait()
        found.submit([13])
        found.wait()

    assert work.done == [1]
    messages = [
        each.getMessage() for each in caplog.records if each.name == "hub.delivery.deliverer"
    ]
    assert messages == ["subscription 13 waits for the next round"] * 2


def test_who_leaves_ends_what_is_begun_alone() -> None:
    """The rest is another worker's: nothing was written about it."""
    work = Work(ends=False)
    with deliverer(work, work.look) as found:
        found.submit([1, 2])
        assert work.begun.wait(PATIENCE)
        found.close()
        found.submit([3])
        work.may_end.set()
        found.wait()

    assert work.done == [1]
