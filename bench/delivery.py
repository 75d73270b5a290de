"""Delivering: a burst of 10,000 status changes to 10 receivers.

Each change is of another EVSE, so that nothing can be collapsed: 100,000 messages. Measured from
the first message that arrives to the last; the worker's own start is not in it. The limit is a bare
aiohttp loop that sends the same requests to the same sinks.
"""

import asyncio
import json
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

import aiohttp
import uvloop

from bench import objects
from bench.environment import (
    HUB,
    USUAL_RECEIVERS,
    Ground,
    connection,
    emsp,
    headers,
    reaching,
    worker,
)
from bench.figures import Figure
from bench.load import fire
from bench.objects import Template
from bench.requests import shots
from ocpi.types import ModuleID

CHANGES = 10_000
EVSES = 10
PATIENCE = 240.0
BARE_SINKS = 2
IN_FLIGHT = 16


def measure(ground: Ground) -> Iterator[Figure]:
    """Measure the burst, then the bare loop."""
    receivers = USUAL_RECEIVERS
    numbers = range(CHANGES // EVSES)
    filling = objects.put(ModuleID.LOCATIONS, evses=EVSES)
    changes = [objects.status_of_evse(EVSES, each) for each in range(EVSES)]
    fire(ground.url, shots(ground, filling, numbers))
    forget_what_was(ground)
    for change in changes:
        fire(ground.url, shots(ground, change, numbers))
    before = taken(ground)
    with reaching(ground, receivers), worker():
        expected = before + CHANGES * receivers
        first = wait_until(ground, before + 1)
        seconds = wait_until(ground, expected) - first
    yield Figure(
        f"delivery of {CHANGES:,} changes to {receivers} receivers",
        CHANGES * receivers / seconds,
        "messages/s",
        _bare(ground, changes),
        "bare aiohttp loop, same sinks",
        0.5,
    )


def taken(ground: Ground) -> int:
    """Ask the sinks how many messages they took."""
    with urllib.request.urlopen(f"{ground.sinks[0]}/count") as answer:  # noqa: S310 - our own sink
        return int(json.load(answer))


def forget_what_was(ground: Ground) -> None:
    """Put every receiver at the present end of the feed, nothing of the past still owed."""
    from hub.delivery import subscriptions  # noqa: PLC0415 - Django is set up by now

    subscriptions.reconcile()
    with connection(ground) as db:
        db.execute("UPDATE hub_snapshot SET finished_at = now()")
        db.execute(
            "UPDATE hub_subscription SET seq = 9223372036854775807, "
            "transaction = pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1"
        )
        db.execute("VACUUM ANALYZE hub_change")


def wait_until(ground: Ground, count: int) -> float:
    """Wait until the sinks took so many messages; return when that was."""
    end = time.perf_counter() + PATIENCE
    while taken(ground) < count:
        if time.perf_counter() > end:
            message = f"only {taken(ground)} of {count} messages arrived"
            raise RuntimeError(message)
        time.sleep(0.02)
    return time.perf_counter()


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
        for path, body in (change.numbered(number, 0) for number in range(CHANGES // EVSES))
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
