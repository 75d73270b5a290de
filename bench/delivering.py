"""(c) Delivering: a burst of 10,000 status changes to 10 receivers.

Each change is of another EVSE, so that nothing can be collapsed: 100,000 messages. Measured from
the first message that arrives to the last; the worker's own start is not in it. The limit is a bare
aiohttp loop that sends the same requests to the same sinks.
"""

import json
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

from bench.figures import Figure
from bench.ground import CPO, Ground, connection, worker
from bench.load import Shot, fire
from ocpi.sandbox.catalogue import location
from ocpi.types import PartyRef

CHANGES = 10_000
EVSES = 10
PATIENCE = 240.0
_PATH = "/".join(CPO)


def measure(ground: Ground) -> Iterator[Figure]:
    """Measure the burst, then the bare loop."""
    receivers = len(ground.sinks)
    locations = [_location(number) for number in range(CHANGES // EVSES)]
    base = f"{ground.url}/ocpi/2.2.1/receiver/locations/{_PATH}"
    headers = ground.headers(ground.cpo_token, CPO)
    filling = (
        Shot("PUT", f"{base}/{body['id']}", headers, json.dumps(body).encode())
        for body in locations
    )
    fire(filling).all_accepted()
    _forget_what_was(ground)
    fire(_changes(base, headers, locations)).all_accepted()
    before = taken(ground)
    with worker():
        expected = before + CHANGES * receivers
        first = _wait_until(ground, before + 1)
        seconds = _wait_until(ground, expected) - first
    bare = _bare(ground, locations)
    yield Figure(
        f"delivery of {CHANGES:,} changes to {receivers} receivers",
        CHANGES * receivers / seconds,
        "messages/s",
        bare,
        "bare aiohttp loop, same sinks",
        0.5,
    )


def taken(ground: Ground) -> int:
    """Ask the sinks how many messages they took."""
    with urllib.request.urlopen(f"{ground.sinks[0]}/count") as answer:  # noqa: S310 - our own sink
        return int(json.load(answer))


def _location(number: int) -> dict[str, Any]:
    return {**location(number, PartyRef(*CPO), evses=EVSES), "id": f"D{number}"}


def _changes(base: str, headers: dict[str, str], locations: list[dict[str, Any]]) -> Iterator[Shot]:
    for body in locations:
        for evse in body["evses"]:
            url = f"{base}/{body['id']}/{evse['uid']}"
            change = b'{"status":"CHARGING","last_updated":"2027-01-01T00:00:00Z"}'
            yield Shot("PATCH", url, headers, change)


def _forget_what_was(ground: Ground) -> None:
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


def _wait_until(ground: Ground, count: int) -> float:
    end = time.perf_counter() + PATIENCE
    while taken(ground) < count:
        if time.perf_counter() > end:
            message = f"only {taken(ground)} of {count} messages arrived"
            raise RuntimeError(message)
        time.sleep(0.02)
    return time.perf_counter()


def _bare(ground: Ground, locations: list[dict[str, Any]]) -> float:
    headers = ground.headers("token-of-DE-M00", ("NL", "HUB"))
    shots = [
        shot
        for sink in ground.sinks[:2]
        for shot in _changes(f"{sink}/locations/{_PATH}", headers, locations)
    ]
    return fire(shots).rate
