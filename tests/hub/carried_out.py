"""A message's coroutine carried out in the thread of a test, which may be in a transaction."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

from hub.gateway.steps import End, Wait, step

T = TypeVar("T")


def carried_out(work: Coroutine[Any, Any, T]) -> T:
    """Run it to its end; what it waits for has a loop of its own."""
    found = step(partial(work.send, None))
    while not isinstance(found, End):
        found = step(_waited(work, found))
    value: T = found.value
    return value


def _waited(work: Coroutine[Any, Any, Any], found: Wait | None) -> Callable[[], object]:
    try:
        return partial(work.send, asyncio.run(found()) if found is not None else None)
    except Exception as error:  # noqa: BLE001 - the coroutine's own business
        return partial(work.throw, error)
