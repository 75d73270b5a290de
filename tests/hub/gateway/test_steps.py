"""The coroutine of a message: in a thread where it may block, on the loop or nowhere otherwise."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from functools import partial
from typing import Any

import pytest
from django.core.exceptions import SynchronousOnlyOperation

from hub.gateway.steps import carry_out, in_thread, remembered, waiting
from parties.models import Platform
from tests.database_backend.pool import held


def _run(*works: Coroutine[Any, Any, Any]) -> list[Any]:
    """Carry out all at once, with one thread."""

    async def all_of_them() -> list[Any]:
        return await asyncio.gather(*(carry_out(work, threads) for work in works))

    with ThreadPoolExecutor(1) as threads:
        return asyncio.run(all_of_them())


async def _later(value: object) -> object:
    await asyncio.sleep(0.01)
    return value


def test_it_is_in_a_thread_from_where_it_asks_for_one_to_its_next_wait() -> None:
    """It begins on the loop; it may block only where it asked for a thread."""
    loop = threading.current_thread()

    async def work() -> list[bool]:
        seen = [threading.current_thread() is loop]
        await in_thread()
        seen.append(threading.current_thread() is loop)
        assert await waiting(partial(_later, "found")) == "found"
        seen.append(threading.current_thread() is loop)
        await in_thread()
        return [*seen, threading.current_thread() is loop]

    assert _run(work()) == [[True, False, True, False]]


def test_who_waits_holds_no_thread() -> None:
    """With one thread, one message can wait for what another does meanwhile."""
    done = asyncio.Event()

    async def waits() -> str:
        await waiting(done.wait)
        return "waited"

    async def does() -> str:
        await waiting(partial(_later, None))
        done.set()
        return "done"

    assert _run(waits(), does()) == ["waited", "done"]


def test_who_waits_holds_no_connection(transactional_db: None) -> None:
    """Neither while it waits nor at its end is a connection of the pool in its hands."""

    async def lent() -> int:
        return held()

    async def work() -> int:
        await in_thread()
        Platform.objects.count()
        return await waiting(lent)

    Platform.objects.count()
    with_own = held()
    assert _run(work()) == [with_own]
    assert held() == with_own


def test_the_loop_is_not_blocked_by_mistake(transactional_db: None) -> None:
    """Whoever asks the database without asking for a thread gets an error, not the loop."""

    async def work() -> None:
        Platform.objects.count()

    with pytest.raises(SynchronousOnlyOperation):
        _run(work())


def test_an_error_is_raised_where_it_was_waited_for() -> None:
    """A failure of what it waits for is the coroutine's; of the coroutine, the caller's."""

    async def fails() -> None:
        raise ZeroDivisionError

    async def handles() -> str:
        try:
            await waiting(fails)
        except ZeroDivisionError:
            await in_thread()
            return "handled"
        return "missed"

    async def does_not() -> None:
        await waiting(fails)

    assert _run(handles()) == ["handled"]
    with pytest.raises(ZeroDivisionError):
        _run(does_not())


def test_each_has_a_context_of_its_own() -> None:
    """What it notes in a context variable is there in all its steps and waits, and for no other."""
    name: ContextVar[str] = ContextVar("name", default="nobody")

    async def now() -> str:
        await asyncio.sleep(0.01)
        return name.get()

    async def work(own: str) -> list[str]:
        name.set(own)
        waited = await waiting(now)
        on_loop = name.get()
        await in_thread()
        return [waited, on_loop, name.get()]

    assert _run(work("a"), work("b")) == [["a"] * 3, ["b"] * 3]
    assert name.get() == "nobody"


def test_what_is_remembered_needs_no_thread() -> None:
    """What needs no database is found on the loop, in one call."""
    loop = threading.current_thread()

    async def work() -> bool:
        return await remembered(lambda: threading.current_thread() is loop)

    assert _run(work()) == [True]


def test_what_is_not_remembered_is_asked_in_a_thread(transactional_db: None) -> None:
    """What turns out to need the database is called anew in a thread, where the rest goes on."""
    loop = threading.current_thread()
    calls: list[bool] = []

    def look() -> int:
        calls.append(threading.current_thread() is loop)
        return Platform.objects.count()

    async def work() -> tuple[int, bool]:
        return await remembered(look), threading.current_thread() is loop

    assert _run(work()) == [(0, False)]
    assert calls == [True, False]
