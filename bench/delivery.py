"""Delivering: bursts of 3,000 status changes to 10 receivers.

Each change is of another EVSE, so that nothing can be collapsed: 30,000 messages. Measured from the
first message that arrives to the last; the worker's own start is not in it. The limit is a bare
aiohttp loop that sends the same requests to the same sinks.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass

import aiohttp
import uvloop

from bench import objects, snapshot
from bench.environment import (
    HUB,
    USUAL_RECEIVERS,
    Ground,
    emsp,
    headers,
    reaching,
    worker,
)
from bench.figures import Figure, Key, Round, at_least, median_round
from bench.load import fire
from bench.objects import Template
from bench.receivers import forget_what_was, taken, wait_until
from bench.requests import shots
from ocpi.types import ModuleID

CHANGES = 3_000
ROUNDS = 3
EVSES = 10
BARE_SINKS = 2
_NUMBERS = range(CHANGES // EVSES)
IN_FLIGHT = 16


def measure(ground: Ground) -> Iterator[Figure]:
    """Measure bursts and the bare loop in turns."""
    fire(ground.url, shots(ground, objects.put(ModuleID.LOCATIONS, evses=EVSES), _NUMBERS))
    changes = [objects.status_of_evse(EVSES, each) for each in range(EVSES)]
    bursts = (_burst(ground, changes, since=number * CHANGES) for number in range(ROUNDS))
    middle = median_round(Round(burst, _bare(ground, changes)) for burst in bursts)
    yield Figure(
        f"delivery of {CHANGES:,} changes to {USUAL_RECEIVERS} receivers",
        middle.measured,
        "messages/s",
        middle.limit,
        "bare aiohttp loop, same sinks",
        at_least(0.5, 0.8),
        key=Key.DELIVERY,
    )
    yield snapshot.to_newcomer(ground, middle.measured)


def _burst(ground: Ground, changes: list[Template], *, since: int) -> float:
    """Have changes accepted while nobody delivers; return how many a second arrive then."""
    forget_what_was(ground)
    for change in changes:
        fire(ground.url, shots(ground, change, _NUMBERS, since=since))
    before, messages = taken(ground), CHANGES * USUAL_RECEIVERS
    with reaching(ground, USUAL_RECEIVERS), worker():
        first = wait_until(ground, before + 1)
        return messages / (wait_until(ground, before + messages) - first)


@dataclass(frozen=True, slots=True)
class _Push:
    """One request to a sink."""

    url: str
    body: bytes


def _bare(ground: Ground, changes: list[Template]) -> float:
    """Return how many such requests a second aiohttp sends when that is all it does."""
    pushes = [
        _Push(f"{sink}/locations/{path}", body)
        for sink in ground.sinks[:BARE_SINKS]
        for change in changes
        for path, body in (change.numbered(number, 0) for number in _NUMBERS)
    ]
    started = time.perf_counter()
    uvloop.run(_send(iter(pushes), headers("token-of-DE-M00", sender=HUB, to=emsp(0))))
    return len(pushes) / (time.perf_counter() - started)


async def _send(pushes: Iterator[_Push], common: dict[str, str]) -> None:
    async def work(session: aiohttp.ClientSession) -> None:
        for push in pushes:
            async with session.patch(push.url, headers=common, data=push.body) as answer:
                await answer.read()
                answer.raise_for_status()

    connector = aiohttp.TCPConnector(limit=IN_FLIGHT)
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(work(session) for _ in range(IN_FLIGHT)))
