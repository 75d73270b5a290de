"""Relaying: real-time authorization through the hub against asking the eMSP directly.

What the hub adds is told in milliseconds, at the middle and at the slow end, with one driver
waiting, with 16 and with 100 (spread over all eMSPs, as drivers are); the rate is held against the
barest reverse proxy in front of the same eMSP.
"""

import itertools
import socket
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from urllib.parse import urlsplit

from bench import sink
from bench.environment import LOGS, USUAL_RECEIVERS, Ground, emsp, headers
from bench.figures import Figure
from bench.load import Outcome, fire, request
from bench.objects import CPO
from local import ports
from local.processes import Family, Program
from ocpi.types import InterfaceRole, ModuleID, PartyRef

SECONDS = 3.0
WARM_SECONDS = 0.5
IN_FLIGHT = (1, 16, 100)
WAITING = 200
ARRIVING_SECONDS = 1.6
"""Until 200 requests at once are taken in: they cost what requests cost; waiting is measured."""
HANGING_SECONDS = 1.2
"""With the former less than an eMSP has to authorize a driver."""
_PATH = "04A1B2C3D4E5F6/authorize"
_BODY = b'{"location_id":"L1","evse_uids":["E1"]}'


def measure(ground: Ground) -> Iterator[Figure]:
    """Measure the hub and the way without it, in turn."""
    parties = [emsp(number) for number in range(USUAL_RECEIVERS)]
    for in_flight in IN_FLIGHT:
        some = parties if in_flight > len(parties) * 2 else parties[:2]
        hub = _steady(ground.url, [_through_hub(ground, each) for each in some], in_flight)
        direct = _steady(ground.sinks[0], [_directly(ground.sinks[0])], in_flight)
        yield from _added(hub, direct, in_flight)
        if in_flight == 16:
            yield _against_proxy(ground, hub)
    yield _beside_one_that_hangs(ground, parties[0], parties[-1])


def _added(hub: Outcome, direct: Outcome, in_flight: int) -> Iterator[Figure]:
    aims = {16: (3.0, 15.0)}.get(in_flight, (None, None))
    for name, quantile, most in zip(("p50", "p99"), (0.5, 0.99), aims, strict=True):
        added = _quantile(hub, quantile) - _quantile(direct, quantile)
        what = f"authorize, {in_flight} in flight: what the hub adds, {name}"
        yield Figure(
            what, added, "ms", _quantile(direct, quantile), "directly, ms", None, most=most
        )


def _against_proxy(ground: Ground, hub: Outcome) -> Figure:
    port = ports.free()
    url = f"http://127.0.0.1:{port}"
    with Family() as family:
        command = [sys.executable, "-m", "bench.proxy", str(port), ground.sinks[0]]
        family.start(Program(name="proxy", command=command, log=LOGS / "proxy.log"))
        family.wait(10, until=lambda: not ports.is_free(port))
        bare = _steady(url, [_directly(url)], 16)
    return Figure(
        "authorize relayed, 16 in flight", hub.rate, "/s", bare.rate, "bare reverse proxy", None
    )


def _beside_one_that_hangs(ground: Ground, asked: PartyRef, hanging: PartyRef) -> Figure:
    """Measure one eMSP while drivers wait for another's answer, for less than they wait."""
    shots = [_through_hub(ground, asked)]
    alone = _quantile(_steady(ground.url, shots, 1), 0.99)
    with ExitStack() as held:
        for _ in range(WAITING):
            _leave_waiting(ground, held, _through_hub(ground, hanging, path=sink.HANGING))
        time.sleep(ARRIVING_SECONDS)
        busy = fire(ground.url, itertools.cycle(shots), in_flight=1, seconds=HANGING_SECONDS)
    what = f"authorize, p99 while {WAITING} drivers wait for another eMSP"
    most = 2 * alone
    return Figure(what, _quantile(busy, 0.99), "ms", alone, "alone, ms", None, most=most)


def _leave_waiting(ground: Ground, held: ExitStack, shot: bytes) -> None:
    server = urlsplit(ground.url)
    waiting = socket.create_connection((server.hostname, server.port or 80))
    held.enter_context(waiting).sendall(shot)


def _steady(url: str, shots: Sequence[bytes], in_flight: int) -> Outcome:
    """Warm up, then measure."""
    fire(url, itertools.cycle(shots), in_flight=in_flight, seconds=WARM_SECONDS)
    time.sleep(0.1)
    return fire(url, itertools.cycle(shots), in_flight=in_flight, seconds=SECONDS)


def _through_hub(ground: Ground, to: PartyRef, *, path: str = _PATH) -> bytes:
    url = f"{ground.endpoint(InterfaceRole.SENDER, ModuleID.TOKENS)}/{path}"
    return request("POST", url, headers(ground.tokens[CPO], sender=CPO, to=to), _BODY)


def _directly(base: str) -> bytes:
    token = headers("token-of-the-emsp", sender=CPO, to=emsp(0))
    return request("POST", f"{base}/tokens/{_PATH}", token, _BODY)


def _quantile(outcome: Outcome, quantile: float) -> float:
    """Return how many milliseconds so large a part of the answers took at most."""
    cuts = statistics.quantiles(outcome.latencies, n=100)
    return cuts[round(quantile * 100) - 1] * 1000
