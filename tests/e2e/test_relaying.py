"""Messages to a party, while another party's platform hangs."""

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from ocpi.sandbox import Result, SandboxPlatform, misbehaviour
from ocpi.types import PartyRef
from tests.cast import CPA, MSA, MSB
from tests.e2e.living import Hub

pytestmark = pytest.mark.timeout(90)

WAITING = 200
ASKED = 100
NOISE_SECONDS = 0.25
"""What 200 clients in this process add to its slowest answers; who waits in vain waits 1 s."""


@pytest.fixture
def hanging(hub: Hub) -> Iterator[SandboxPlatform]:
    """DE-MSA, which takes a minute to authorize anybody."""
    platform = hub.platforms["P2"]
    with platform.answer("POST /ocpi/2.2.1/sender/tokens", misbehaviour.hang(60)):
        yield platform


def authorize(hub: Hub, to: PartyRef) -> Result:
    """Ask an eMSP for a driver, as NL-CPA."""
    path = "TOKEN-1/authorize"
    return hub.platforms["P1"].hub.send("POST", "tokens", "SENDER", path, to=to, sender=CPA)


def slowest(hub: Hub) -> float:
    """Return how long all but the slowest hundredth of the answers of FR-MSB take."""
    seconds = []
    for _ in range(ASKED):
        begun = time.monotonic()
        result = authorize(hub, MSB)
        seconds.append(time.monotonic() - begun)
        assert result.http_status in {200, 404}, str(result)
    return sorted(seconds)[round(ASKED * 0.99) - 1]


def test_a_hanging_party_costs_the_others_nothing(
    hub: Hub, hanging: SandboxPlatform, capsys: pytest.CaptureFixture[str]
) -> None:
    """200 messages wait for one platform; another answers as fast as on an idle hub."""
    slowest(hub)
    idle = slowest(hub)
    over = Event()

    def wait_for_nothing(number: int) -> None:
        time.sleep(2 * number / WAITING)  # not all at once, ever again
        while not over.wait(2):
            assert authorize(hub, MSA).status_code in {4002, 4003}

    with ThreadPoolExecutor(WAITING) as pool:
        waiting = [pool.submit(wait_for_nothing, number) for number in range(WAITING)]
        time.sleep(3)
        busy = slowest(hub)
        over.set()
        for each in waiting:
            each.result()

    with capsys.disabled():
        sys.stdout.write(f" p99 idle {idle * 1000:.0f} ms, beside {busy * 1000:.0f} ms ")
    assert busy < 2 * idle + NOISE_SECONDS
