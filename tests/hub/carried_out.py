"""A message's coroutine carried out in the thread of a test, which may be in a transaction."""

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any, TypeVar

from hub.gateway.steps import End, step

T = TypeVar("T")


def carried_out(work: Coroutine[Any, Any, T]) -> T:
    """Run it to its end; what it waits for has a loop of its own."""
    found = step(partial(work.send, None))
    while not isinstance(found, End):
        waited = asyncio.run(found()) if found is not None else None
        found = step(partial(work.send, waited))
    value: T = found.value
    return value
