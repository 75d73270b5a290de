"""What may die dies: every receiver ends with what the owner has, in order, nothing lost."""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from ocpi.sandbox import misbehaviour
from ocpi.sandbox.platform import SandboxPlatform
from tests.cast import CPA, HUB, a_location
from tests.e2e.living import Hub
from tests.hub.owner import Owner, pushes, received
from tests.ocpi.objects import a_cdr

pytestmark = pytest.mark.timeout(120)
PATIENCE = 40.0


@pytest.fixture
def owner(hub: Hub) -> Owner:
    """NL-CPA, who keeps at it until it is accepted."""
    return Owner(hub.platforms["P1"])


@pytest.fixture
def emsp(hub: Hub) -> Iterator[SandboxPlatform]:
    """DE-MSA, behaving well and having forgotten what it saw."""
    platform = hub.platforms["P2"]
    platform.forget()
    yield platform
    platform.rules.clear()
    if "worker" not in hub.children:
        hub.start_worker()


def put(owner: Owner, name: str, counter: int) -> None:
    """PUT a Location with a counter, again and again until the hub has accepted it."""
    body = {
        **a_location(CPA, 1, evses=1),
        "id": name,
        "x": counter,
        "last_updated": f"2027-01-01T00:{counter // 60:02}:{counter % 60:02}Z",
    }
    end = time.monotonic() + 15
    while not _accepted(owner, name, body):
        assert time.monotonic() < end, f"{name} is not accepted"
        time.sleep(0.05)


def _accepted(owner: Owner, name: str, body: dict[str, Any]) -> bool:
    try:
        return owner.put(name, body=body).status_code == 1000
    except OSError:
        return False


def post_cdr(owner: Owner, name: str) -> None:
    """POST a CDR until the hub has accepted it."""
    body = a_cdr(id=name)
    end = time.monotonic() + 15
    while True:
        try:
            result = owner.platform.hub.post("cdrs", "RECEIVER", "", body, to=HUB, sender=CPA)
        except OSError:
            result = None
        if result is not None and result.status_code == 1000:
            return
        assert time.monotonic() < end, f"{name} is not accepted"
        time.sleep(0.05)


def wait_for_all(owner: Owner, emsp: SandboxPlatform, names: list[str], counter: int) -> None:
    """Wait until the receiver holds the newest state of each, then judge the way it came."""
    end = time.monotonic() + PATIENCE
    keys = {f"NL-CPA/{name}" for name in names}
    while missing := [key for key in keys if received(emsp).get(key, {}).get("x") != counter]:
        assert time.monotonic() < end, f"without the newest state: {sorted(missing)[:5]}"
        time.sleep(0.05)
    for name in (names[0], names[-1]):
        assert received(emsp)[f"NL-CPA/{name}"] == owner.get(name)
    for name, counters in counters_of(emsp, names).items():
        assert counters == sorted(counters), f"{name} went back: {counters}"


def counters_of(emsp: SandboxPlatform, names: list[str]) -> dict[str, list[int]]:
    """Return what was told of each Location, in the order of arrival."""
    told: dict[str, list[int]] = defaultdict(list)
    for seen in pushes(emsp):
        value: Any = seen.json
        if value["id"] in names:
            told[value["id"]].append(value["x"])
    return told


def wait_for_cdrs(emsp: SandboxPlatform, names: set[str]) -> None:
    """Wait until every CDR is there; none may come more than twice."""
    end = time.monotonic() + PATIENCE
    while missing := names - {key for _, _, key in emsp.objects["cdrs"]}:
        assert time.monotonic() < end, f"lost: {sorted(missing)[:5]}"
        time.sleep(0.05)
    posted = (seen.json for seen in emsp.seen if seen.method == "POST")
    times = Counter(value["id"] for value in posted if isinstance(value, dict) and "id" in value)
    assert {times[name] for name in names} <= {1, 2}


def names(prefix: str, number: int) -> list[str]:
    """Name some objects."""
    return [f"{prefix}{each}" for each in range(1, number + 1)]


def test_all_workers_killed_in_the_middle(hub: Hub, owner: Owner, emsp: SandboxPlatform) -> None:
    """SIGKILL while messages are on their way; new workers take the leases over."""
    hub.start_worker("second")
    some, cdrs = names("W", 40), names("CW", 20)
    emsp.hold(0.1, "/W")
    for each in some:
        put(owner, each, 1)
    for each in cdrs:
        post_cdr(owner, each)
    emsp.wait_for("/W", 20, count=5)
    for name in ("worker", "second"):
        hub.kill(name)
    for each in some:
        put(owner, each, 2)
    emsp.rules.clear()
    hub.start_worker()

    wait_for_all(owner, emsp, some, 2)
    wait_for_cdrs(emsp, set(cdrs))


def test_beat_killed(hub: Hub, owner: Owner, emsp: SandboxPlatform) -> None:
    """Delivery is woken without it; what needs it goes on when it is back."""
    hub.kill("beat")
    put(owner, "B1", 1)
    wait_for_all(owner, emsp, ["B1"], 1)

    rule = emsp.answer("PUT", misbehaviour.reset())
    put(owner, "B2", 1)
    emsp.wait_for("/B2", 20)
    rule.cancel()
    hub.start_beat()
    wait_for_all(owner, emsp, ["B2"], 1)


def test_a_web_worker_killed_in_mid_request(hub: Hub, owner: Owner, emsp: SandboxPlatform) -> None:
    """What was accepted is delivered; what was not, its owner sends again."""
    some, cdrs = names("M", 60), names("CM", 30)
    done = threading.Event()

    def work() -> None:
        for counter in (1, 2):
            for each in some:
                put(owner, each, counter)
        for each in cdrs:
            post_cdr(owner, each)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    for _ in range(3):
        time.sleep(0.15)
        hub.kill_web_worker()
    thread.join(60)

    assert done.is_set()
    wait_for_all(owner, emsp, some, 2)
    wait_for_cdrs(emsp, set(cdrs))


def test_the_broker_flushed_and_stopped(hub: Hub, owner: Owner, emsp: SandboxPlatform) -> None:
    """Wake-ups are lost, no change is."""
    some = names("F", 20)
    for each in some:
        put(owner, each, 1)
    hub.flush()
    hub.cut.cut()
    for each in some:
        put(owner, each, 2)
    hub.flush()
    hub.cut.mend()
    for each in some:
        put(owner, each, 3)

    wait_for_all(owner, emsp, some, 3)


def test_a_receiver_that_fails_on_every_third_call(owner: Owner, emsp: SandboxPlatform) -> None:
    """500, from a server that is not quite well: everything arrives, CDRs too."""
    emsp.answer("/receiver/", misbehaviour.every(3, misbehaviour.html(500)))
    some, cdrs = names("T", 40), names("CT", 20)
    for each in some:
        put(owner, each, 1)
    for each in cdrs:
        post_cdr(owner, each)

    wait_for_all(owner, emsp, some, 1)
    end = time.monotonic() + PATIENCE
    while set(cdrs) - {key for _, _, key in emsp.objects["cdrs"]}:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_receiver_that_is_down_while_2000_changes_come(
    hub: Hub, owner: Owner, emsp: SandboxPlatform
) -> None:
    """It catches up by its 50 objects, not by 2,000 changes; the other one waits for nothing."""
    some, other = names("D", 50), hub.platforms["P3"]
    other.forget()
    emsp.answer("", misbehaviour.reset())
    for counter in range(1, 41):
        for each in some:
            put(owner, each, counter)
    wait_for_all(owner, other, some, 40)
    assert not [key for key in received(emsp) if key.startswith("NL-CPA/D")]
    emsp.rules.clear()
    before = len(pushes(emsp))
    emsp.hub.get("locations", "SENDER", to=HUB, sender=emsp.party)

    wait_for_all(owner, emsp, some, 40)
    assert len(pushes(emsp)) - before <= 2 * len(some)
