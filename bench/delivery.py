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
    Testbed,
    emsp,
    headers,
    only_receivers,
    worker,
)
from bench.figures import Figure, Key, Round, at_least, median_round
from bench.load import fire
from bench.objects import Template
from bench.receivers import skip_to_present, taken, wait_until
from bench.requests import shots
from ocpi.types import ModuleID

CHANGES = 3_000
ROUNDS = 3
EVSES = 10
BARE_SINKS = 2
_NUMBERS = range(CHANGES // EVSES)
IN_FLIGHT = 16


def measure(testbed: Testbed) -> Iterator[Figure]:
    """Measure bursts and the bare loop in turns."""
    fire(testbed.url, shots(testbed, objects.put(ModuleID.LOCATIONS, evses=EVSES), _NUMBERS))
    changes = [objects.status_of_evse(EVSES, each) for each in range(EVSES)]
    bursts = (_burst(testbed, changes, since=number * CHANGES) for number in range(ROUNDS))
    middle = median_round(Round(burst, _bare(testbed, changes)) for burst in bursts)
    yield Figure(
        f"delivery of {CHANGES:,} changes to {USUAL_RECEIVERS} receivers",
        middle.measured,
        "messages/s",
        middle.limit,
        "bare aiohttp loop, same sinks",
        at_least(0.5, 0.8),
        key=Key.DELIVERY,
    )
    yield snapshot.to_newcomer(testbed, middle.measured)


def _burst(testbed: Testbed, changes: list[Template], *, since: int) -> float:
    """Have changes accepted while no worker runs; return how many a second one delivers then."""
    skip_to_present(testbed)
    for change in changes:
        fire(testbed.url, shots(testbed, change, _NUMBERS, since=since))
    before, messages = taken(testbed), CHANGES * USUAL_RECEIVERS
    with only_receivers(testbed, USUAL_RECEIVERS), worker():
        first = wait_until(testbed, before + 1)
        return messages / (wait_until(testbed, before + messages) - first)


@dataclass(frozen=True, slots=True)
class _Push:
    """One request to a sink."""

    url: str
    body: bytes


def _bare(testbed: Testbed, changes: list[Template]) -> float:
    """Return how many such requests a second aiohttp sends when that is all it does."""
    pushes = [
        _Push(f"{sink}/locations/{path}", body)
        for sink in testbed.sinks[:BARE_SINKS]
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
