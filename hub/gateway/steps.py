"""The coroutine of a message: the event loop runs it, a thread where it may block, nobody waits.

It begins on the loop, where nothing may block until `await in_thread()`. `await waiting(...)` gives
the thread and its database connection back; the loop waits, and goes on with the coroutine itself.
What mostly needs no database is called by `await remembered(...)`: Django refuses the database on a
loop, and what was refused is called again in a thread.
"""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Executor
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from types import coroutine
from typing import Any, TypeVar

from django.core.exceptions import SynchronousOnlyOperation

from database import sql

T = TypeVar("T")
Wait = Callable[[], Coroutine[Any, Any, Any]]
"""Makes what the event loop is to wait for."""


@dataclass(frozen=True, slots=True)
class End:
    """The result of a coroutine that is over."""

    value: Any


@coroutine
def waiting(wait: Callable[[], Coroutine[Any, Any, T]]) -> Generator[Any, Any, T]:
    """Wait on the event loop for what `wait` makes there; return its result, or raise its error."""
    result: T = yield wait
    return result


@coroutine
def in_thread() -> Generator[Any, Any, None]:
    """Go on in a thread, unless it is in one: what follows may block."""
    if _is_on_loop():
        yield None


async def remembered(look: Callable[[], T]) -> T:
    """Return what `look` finds, on the loop if it needs no database, else in a thread.

    It may be called twice: before it asks the database it must do nothing that counts.
    """
    if not _is_on_loop():
        return look()
    try:
        return look()
    except SynchronousOnlyOperation:
        await in_thread()
    return look()


def _is_on_loop() -> bool:
    return asyncio._get_running_loop() is not None  # noqa: SLF001 - as documented, unlike its public sister it raises nothing


async def carry_out(work: Coroutine[Any, Any, T], threads: Executor) -> T:
    """Run the coroutine of a message to its end, in these threads and on the running loop."""
    loop, context = asyncio.get_running_loop(), copy_context()
    go_on: Callable[[], object] = partial(work.send, None)
    blocks = False
    while True:
        if blocks:
            found = await loop.run_in_executor(threads, context.run, _blocking_step, go_on)
        else:
            found = context.run(step, go_on)
        if isinstance(found, End):
            value: T = found.value
            return value
        blocks = found is None
        go_on = partial(work.send, None)
        if found is not None:
            go_on = await _waited(loop.create_task(found(), context=context), work)


async def _waited(
    task: "asyncio.Task[Any]", work: Coroutine[Any, Any, Any]
) -> Callable[[], object]:
    """Wait for a task; return how the coroutine goes on with its result or error."""
    try:
        return partial(work.send, await task)
    except Exception as error:  # noqa: BLE001 - the coroutine's own business
        return partial(work.throw, error)


def step(go_on: Callable[[], object]) -> "Wait | End | None":
    """Go on until the coroutine wants to wait, wants a thread (None), or ends."""
    try:
        return go_on()  # type: ignore[return-value]  # `waiting` and `in_thread` yield nothing else
    except StopIteration as end:
        return End(end.value)


def _blocking_step(go_on: Callable[[], object]) -> "Wait | End | None":
    try:
        return step(go_on)
    finally:
        sql.release()
