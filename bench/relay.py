"""Relaying: real-time authorization through the hub against asking the eMSP directly.

What the hub adds is in milliseconds, at the middle and at the slow end, with one driver waiting,
with 16 and with 100 (spread over all eMSPs, as drivers are); the rate is compared with a bare
reverse proxy in front of the same eMSP. Rounds of the hub and of the way without it take turns.
"""

import itertools
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple
from urllib.parse import urlsplit

from bench import sink
from bench.environment import LOGS, USUAL_RECEIVERS, Testbed, emsp, headers
from bench.figures import Aim, Figure, Key, Round, at_least, at_most, median_round
from bench.load import Outcome, fire, request
from bench.objects import CPO
from local import ports
from local.processes import Family, Program
from ocpi.types import InterfaceRole, ModuleID, PartyRef

SECONDS = 1.5
ROUNDS = 3
WARM_SECONDS = 0.5
WAITING = 200
"""Drivers who wait for an eMSP that does not answer."""
ARRIVING_SECONDS = 1.6
"""Until all requests that will wait are taken in: what that costs is not what is measured."""
HANGING_SECONDS = 1.2
"""While they wait; together less than the time an eMSP has for its answer (3 s)."""
ADDED: Mapping[int, Sequence[tuple[float, Aim | None, Key | None]]] = {
    1: ((0.5, at_most(1.5, 0.8), Key.RELAY_ADDS), (0.99, None, None)),
    16: ((0.5, at_most(6, 3), Key.RELAY_ADDS_16), (0.99, at_most(25, 15), Key.RELAY_P99)),
    100: ((0.5, None, None), (0.99, None, None)),
}
"""By number of drivers waiting: for each quantile of the answers, what is aimed for."""
_PATH = "04A1B2C3D4E5F6/authorize"
_BODY = b'{"location_id":"L1","evse_uids":["E1"]}'


def measure(testbed: Testbed) -> Iterator[Figure]:
    """Measure the hub and the way without it, in turn."""
    parties = [emsp(number) for number in range(USUAL_RECEIVERS)]
    with _proxy(testbed) as proxy:
        for in_flight, levels in ADDED.items():
            some = parties if in_flight > len(parties) * 2 else parties[:2]
            shots = [_through_hub(testbed, each) for each in some]
            rounds = [_round(testbed, shots, proxy, in_flight) for _ in range(ROUNDS)]
            for share, aim, key in levels:
                yield _added(rounds, in_flight, share, aim, key)
            if in_flight == 16:
                yield _against_proxy(rounds)
    yield _beside_one_that_hangs(testbed, parties[0], parties[-1])


class _Ways(NamedTuple):
    """The same requests by each way."""

    hub: Outcome
    direct: Outcome
    proxy: Outcome


def _round(testbed: Testbed, shots: Sequence[bytes], proxy: str, in_flight: int) -> _Ways:
    return _Ways(
        _steady(testbed.url, shots, in_flight),
        _steady(testbed.sinks[0], [_directly(testbed.sinks[0])], in_flight),
        _steady(proxy, [_directly(proxy)], in_flight),
    )


def _added(
    rounds: Sequence[_Ways], in_flight: int, share: float, aim: Aim | None, key: Key | None
) -> Figure:
    found = [(each.hub.quantile(share), each.direct.quantile(share)) for each in rounds]
    through, direct = sorted(found, key=lambda one: one[0] - one[1])[len(found) // 2]
    what = f"authorize, {in_flight} in flight: what the hub adds, p{share * 100:.0f}"
    return Figure(what, through - direct, "ms", direct, "directly, ms", aim, key=key)


def _against_proxy(rounds: Sequence[_Ways]) -> Figure:
    found = {Round(each.hub.rate, each.proxy.rate): each.hub for each in rounds}
    middle = median_round(found)
    return Figure(
        "authorize relayed, 16 in flight",
        middle.measured,
        "/s",
        middle.limit,
        "bare reverse proxy",
        at_least(0.45, 0.7),
        key=Key.RELAY,
        cpu_ms=found[middle].cpu_ms,
    )


@contextmanager
def _proxy(testbed: Testbed) -> Iterator[str]:
    """Start the bare proxy; return its URL."""
    port = ports.free()
    with Family() as family:
        command = [sys.executable, "-m", "bench.proxy", str(port), testbed.sinks[0]]
        family.start(Program(name="proxy", command=command, log=LOGS / "proxy.log"))
        family.wait(10, until=lambda: not ports.is_free(port))
        yield f"http://127.0.0.1:{port}"


def _beside_one_that_hangs(testbed: Testbed, asked: PartyRef, hanging: PartyRef) -> Figure:
    """Measure one eMSP while drivers wait for another's answer, for less than they wait."""
    shots = [_through_hub(testbed, asked)]
    alone = _steady(testbed.url, shots, 1).quantile(0.99)
    with ExitStack() as held:
        for _ in range(WAITING):
            _leave_waiting(testbed, held, _through_hub(testbed, hanging, path=sink.HANGING))
        time.sleep(ARRIVING_SECONDS)
        busy = fire(testbed.url, itertools.cycle(shots), in_flight=1, seconds=HANGING_SECONDS)
    what = f"authorize, p99 while {WAITING} drivers wait for another eMSP"
    return Figure(what, busy.quantile(0.99), "ms", alone, "alone, ms", at_most(2 * alone))


def _leave_waiting(testbed: Testbed, held: ExitStack, shot: bytes) -> None:
    server = urlsplit(testbed.url)
    waiting = socket.create_connection((server.hostname, server.port or 80))
    held.enter_context(waiting).sendall(shot)


def _steady(url: str, shots: Sequence[bytes], in_flight: int) -> Outcome:
    """Warm up, then measure."""
    fire(url, itertools.cycle(shots), in_flight=in_flight, seconds=WARM_SECONDS)
    time.sleep(0.1)
    return fire(url, itertools.cycle(shots), in_flight=in_flight, seconds=SECONDS)


def _through_hub(testbed: Testbed, to: PartyRef, *, path: str = _PATH) -> bytes:
    url = f"{testbed.endpoint(InterfaceRole.SENDER, ModuleID.TOKENS)}/{path}"
    return request("POST", url, headers(testbed.tokens[CPO], sender=CPO, to=to), _BODY)


def _directly(base: str) -> bytes:
    token = headers("token-of-the-emsp", sender=CPO, to=emsp(0))
    return request("POST", f"{base}/tokens/{_PATH}", token, _BODY)
