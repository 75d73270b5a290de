"""What may go wrong around a living hub: each fault is broken, lasts, and is mended."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from sandbox import misbehaviour
from sandbox.server import Call
from tests.cast import HUB
from tests.e2e.hub_processes import WEB_WORKER, WORKERS, Hub
from tests.e2e.ledger import RECEIVERS, Ledger
from tests.e2e.traffic import Traffic

HOUR = timedelta(hours=1)
_PUSHES = "/receiver/"
_SLOWLY = 0.02


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong, for some seconds or for so many changes."""

    name: str
    cause: Callable[[Hub], None]
    mend: Callable[[Hub], None]
    seconds: float = 1.5
    changes: int = 0

    def __str__(self) -> str:
        return self.name


def ride_out(fault: Fault, ledger: Ledger, *, prefix: str) -> None:
    """Let it happen in the midst of traffic, messages being on their way."""
    hub = ledger.hub
    for name in RECEIVERS:
        hub.platforms[name].hold(_SLOWLY, _PUSHES)
    try:
        with Traffic(ledger, prefix) as traffic:
            time.sleep(0.7)
            fault.cause(hub)
            try:
                if fault.changes:
                    traffic.burst(fault.changes)
                time.sleep(fault.seconds)
            finally:
                fault.mend(hub)
            hub.supervise()
            time.sleep(0.7)
    finally:
        for name in RECEIVERS:
            hub.platforms[name].rules.clear()


def of_each_kind(hub: Hub) -> list[Fault]:
    """Return a fault for each kind of process that the hub's programs have started."""
    return [
        Fault(f"{kind}: one is killed", partial(Hub.kill_one_of, kind=kind), Hub.await_whole)
        for kind in sorted(hub.whole)
    ]


def _nothing(_: Hub) -> None:
    """There is nothing to mend."""


def kill_all_workers(hub: Hub) -> None:
    """Kill all that deliver."""
    for name in WORKERS:
        hub.kill(name)


def start_all_workers(hub: Hub) -> None:
    """Start them again."""
    for name in WORKERS:
        hub.start_worker(name)


def _restart_broker(hub: Hub) -> None:
    hub.servers.stop_broker()
    hub.servers.start_broker()


def _take_down(hub: Hub, *names: str) -> None:
    for name in names:
        hub.platforms[name].stop()


def _bring_back(hub: Hub, *names: str) -> None:
    """Come back and ask the hub for something, as who missed something does."""
    for name in names:
        platform = hub.platforms[name].start()
        platform.hub.get("locations", "SENDER", to=HUB, sender=platform.party)


def _fail_on_every_third(hub: Hub) -> None:
    hub.platforms["P2"].answer(_PUSHES, misbehaviour.every(3, misbehaviour.html(500)))


def _set_clocks(hub: Hub) -> None:
    """The owner's clock is an hour fast, a receiver's is an hour slow."""
    hub.clock_error = HOUR
    hub.platforms["P2"].answer(_PUSHES, _an_hour_ago)


def _an_hour_ago(call: Call) -> None:
    answer = call.usual()
    body = {**json.loads(answer.body), "timestamp": "2026-01-01T00:00:00Z"}
    date = {**answer.headers, "Date": "Thu, 01 Jan 2026 00:00:00 GMT"}
    call.send(replace(answer, body=json.dumps(body).encode(), headers=date))


def _right_clocks(hub: Hub) -> None:
    hub.clock_error = timedelta()


FAULTS = [
    Fault("a worker is killed", Hub.kill, Hub.start_worker),
    Fault("all workers are killed", kill_all_workers, start_all_workers),
    Fault("beat is killed", lambda hub: hub.kill("beat"), Hub.start_beat),
    Fault(
        "a web worker is killed in mid-request",
        lambda hub: hub.kill_one_of(WEB_WORKER),
        Hub.await_whole,
    ),
    Fault("one process of each kind is killed", Hub.kill_one_of_each_kind, Hub.await_whole),
    Fault(
        "the web server is killed with all its processes",
        lambda hub: hub.kill_with_all_below("web"),
        Hub.start_web,
    ),
    Fault("the broker is flushed", lambda hub: hub.servers.flush_broker(), _nothing),
    Fault("the broker is restarted", _restart_broker, _nothing),
    Fault(
        "the broker is stopped",
        lambda hub: hub.servers.stop_broker(),
        lambda hub: hub.servers.start_broker(),
    ),
    Fault(
        "PostgreSQL crashes and is started again",
        lambda hub: hub.servers.stop_postgres(),
        lambda hub: hub.servers.start_postgres(),
    ),
    Fault(
        "a connection's process of PostgreSQL is killed, and all start again",
        lambda hub: hub.servers.kill_connection(),
        lambda hub: hub.servers.await_postgres(),
    ),
    Fault(
        "a receiver is down",
        lambda hub: _take_down(hub, "P3"),
        lambda hub: _bring_back(hub, "P3"),
        seconds=3,
    ),
    Fault("a receiver fails on every third call", _fail_on_every_third, _nothing, seconds=3),
    Fault("clocks of peers are an hour off", _set_clocks, _right_clocks),
]
DOWN_FOR_LONG = Fault(
    "receivers are down for 10,000 changes",
    lambda hub: _take_down(hub, *RECEIVERS),
    lambda hub: _bring_back(hub, *RECEIVERS),
    seconds=0,
    changes=10_000,
)
