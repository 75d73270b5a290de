"""Messages to a party, while another party's platform hangs."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bench.environment import headers
from bench.load import request
from sandbox import SandboxPlatform, misbehaviour
from tests.cast import CPA, MSA, MSB
from tests.e2e.hub_processes import Hub
from tests.e2e.impatient_clients import PAUSE_SECONDS

pytestmark = pytest.mark.timeout(90)

WAITING = 200
ASKED = 100
ROUNDS = 3
AUTHORIZE = "TOKEN-1/authorize"
JITTER_SECONDS = 0.05
"""What tests on the same two cores take now and then; who waits for the hanging peer waits 1 s."""


@pytest.fixture
def hanging(hub: Hub) -> Iterator[SandboxPlatform]:
    """DE-MSA, which takes a minute to authorize anybody."""
    platform = hub.platforms["P2"]
    with platform.answer("POST /ocpi/2.2.1/sender/tokens", misbehaviour.hang(60)):
        yield platform


@contextmanager
def waiting(hub: Hub) -> Iterator[None]:
    """Let 200 clients in a process of their own wait for DE-MSA."""
    client = hub.platforms["P1"].hub
    url = f"{client.endpoint('tokens', 'SENDER').rstrip('/')}/{AUTHORIZE}"
    file = hub.folder / "request"
    file.write_bytes(request("POST", url, headers(client.token, sender=CPA, to=MSA)))
    where = ("127.0.0.1", hub.environment["HUB_BIND_PORT"], str(WAITING), str(file))
    hub.start("waiting", "-m", "tests.e2e.impatient_clients", *where)
    try:
        time.sleep(PAUSE_SECONDS + 1)
        yield
        assert hub.children["waiting"].ended() is None, hub.children["waiting"].complaint()
    finally:
        hub.kill("waiting")


def quickest(hub: Hub) -> float:
    """Return within what time all but a hundredth of FR-MSB's answers come, in the best round."""
    return min(slowest(hub) for _ in range(ROUNDS))


def slowest(hub: Hub) -> float:
    """Return how long all but the slowest hundredth of the answers of FR-MSB take."""
    client = hub.platforms["P1"].hub
    seconds = []
    for _ in range(ASKED):
        result = client.send("POST", "tokens", "SENDER", AUTHORIZE, to=MSB, sender=CPA)
        seconds.append(result.elapsed)
        assert result.http_status in {200, 404}, str(result)
    return sorted(seconds)[round(ASKED * 0.99) - 1]


def test_a_hanging_party_costs_the_others_nothing(
    hub: Hub, hanging: SandboxPlatform, capsys: pytest.CaptureFixture[str]
) -> None:
    """200 clients wait for one platform; another answers within twice its time on an idle hub."""
    slowest(hub)
    idle = quickest(hub)
    with waiting(hub):
        busy = quickest(hub)

    with capsys.disabled():
        sys.stdout.write(f" p99 idle {idle * 1000:.0f} ms, beside {busy * 1000:.0f} ms ")
    assert busy <= max(2 * idle, idle + JITTER_SECONDS)
