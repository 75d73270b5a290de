"""Delivery by real processes: quick, and complete whatever dies."""

import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.platform import SandboxPlatform
from tests.cast import CPA, HUB, a_location, route
from tests.e2e.faults import kill_all_workers, start_all_workers
from tests.e2e.hub_processes import WORKERS, Hub
from tests.e2e.ledger import Ledger
from tests.hub.location_owner import Owner, pushes, received
from tests.ocpi.objects import a_session

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def owner(hub: Hub) -> Owner:
    """NL-CPA, which is a party to nobody else's troubles."""
    return Owner(hub.platforms["P1"])


@pytest.fixture
def emsp(hub: Hub) -> Iterator[SandboxPlatform]:
    """DE-MSA, behaving well and having forgotten what it saw."""
    platform = hub.platforms["P2"]
    platform.forget()
    yield platform
    platform.rules.clear()


def wait_until_equal(owner: Owner, emsp: SandboxPlatform, ids: list[str], seconds: float) -> None:
    """Wait until the receiver has what the hub holds."""
    expected = {f"NL-CPA/{each}": owner.get(each) for each in ids}
    end = time.monotonic() + seconds
    while True:
        has = received(emsp)
        if expected.items() <= has.items():
            return
        assert time.monotonic() < end, _difference(expected, has)
        time.sleep(0.05)


def _difference(expected: dict[str, Any], has: dict[str, Any]) -> str:
    missing = [key for key in expected if key not in has]
    wrong = [key for key in expected if key in has and has[key] != expected[key]]
    return f"missing {missing}, different {wrong}"


def put_all(owner: Owner, ids: list[str], **members: Any) -> None:
    """Have Locations of one EVSE each accepted."""
    for number, each in enumerate(ids, start=1):
        owner.put(each, body={**a_location(CPA, number, evses=1), "id": each, **members})


def counted(value: Any) -> int:
    """Return the counter a message carries."""
    return int(value.get("x", 0))


def test_an_accepted_change_is_received_within_a_moment(
    owner: Owner, emsp: SandboxPlatform, capsys: pytest.CaptureFixture[str]
) -> None:
    """On an idle hub: from the owner's answer to the receiver's request."""
    owner.put("Q1", body={**a_location(CPA, 1), "id": "Q1"})
    emsp.wait_for("/Q1", 15)
    latencies = []
    for number in range(1, 41):
        body = {"x": number, "last_updated": "2027-01-01T00:00:00Z"}
        assert owner.patch("Q1", "E1", body=body).status_code == 1000
        accepted = time.monotonic()
        seen = emsp.wait_for(lambda seen: "/E1" in seen.path, 5, count=number)
        latencies.append(seen.at - accepted)
        time.sleep(0.02)

    latencies.sort()
    with capsys.disabled():
        p50, p99 = latencies[20] * 1000, latencies[-1] * 1000
        sys.stdout.write(f" accepted to received: p50 {p50:.0f} ms, p99 {p99:.0f} ms ")
    assert latencies[20] < 0.5
    assert latencies[-1] < 1


@pytest.mark.conformance("TF-64", "TF-108")
def test_hanging_receivers_delay_neither_the_owner_nor_others(
    hub: Hub, owner: Owner, emsp: SandboxPlatform
) -> None:
    """FR-MSB sleeps: NL-CPA is answered and DE-MSA has it, each within a second."""
    owner.put("H0", body={**a_location(CPA, 1), "id": "H0"})
    emsp.wait_for("/H0", 15)
    hanging = hub.platforms["P3"]
    hanging.hold(20)
    try:
        for number in range(1, 4):
            body = {**a_location(CPA, number), "id": f"H{number}"}
            accepted = owner.put(f"H{number}", body=body)
            assert (accepted.http_status, accepted.status_code) == (201, 1000)
            assert accepted.elapsed < 1
            assert route(accepted) == (CPA, HUB)
            emsp.wait_for(f"/H{number}", 1)
    finally:
        hanging.rules.clear()


def test_a_worker_killed_in_the_middle_loses_nothing_and_swaps_nothing(
    hub: Hub, owner: Owner, emsp: SandboxPlatform
) -> None:
    """180 changes, a SIGKILL, a new worker: all arrives, nothing goes back, at most one repeat."""
    ids = [f"K{number}" for number in range(1, 61)]
    kill_all_workers(hub)
    put_all(owner, ids, x=0)
    for turn in (1, 2):
        for each in ids:
            owner.patch(each, "E1", body={"x": turn, "last_updated": "2027-01-01T00:00:00Z"})
    emsp.hold(0.2, "/K")
    start_all_workers(hub)
    emsp.wait_for("/K", 30, count=24)
    kill_all_workers(hub)
    killed_at = len(pushes(emsp))
    changed = ids[::7]
    for each in changed:
        owner.patch(each, "E1", body={"x": 3, "last_updated": "2027-01-01T00:00:00Z"})
    hub.servers.flush_broker()
    start_all_workers(hub)
    wait_until_equal(owner, emsp, ids, 60)

    assert killed_at < len(ids)
    for states in _states(emsp, ids).values():
        assert states == sorted(states)
    repeats = Counter((seen.method, seen.path, seen.body) for seen in pushes(emsp))
    assert max(repeats.values()) <= 2
    assert {counted(received(emsp)[f"NL-CPA/{each}"]["evses"][0]) for each in changed} == {3}


def test_a_worker_that_is_told_to_end_finishes_what_it_delivers(
    hub: Hub, owner: Owner, emsp: SandboxPlatform
) -> None:
    """Each message arrives once: what was taken is written down before the process is gone."""
    ids = [f"T{number}" for number in range(1, 61)]
    kill_all_workers(hub)
    put_all(owner, ids)
    emsp.hold(0.2, "/T")
    start_all_workers(hub)
    emsp.wait_for("/T", 30, count=8)

    output = "".join(map(hub.end, WORKERS))

    start_all_workers(hub)
    wait_until_equal(owner, emsp, ids, 60)
    repeats = Counter((seen.method, seen.path, seen.body) for seen in pushes(emsp))
    assert max(repeats.values()) == 1
    assert "Traceback" not in output


def test_a_worker_killed_in_the_middle_takes_no_session_back(
    hub: Hub, ledger: Ledger, emsp: SandboxPlatform
) -> None:
    """Every message counts, yet no older one follows a newer when a batch is sent again."""
    names, owner = [f"KS{number}" for number in range(1, 21)], hub.platforms["P1"]
    kill_all_workers(hub)
    for turn in range(3):
        moment = f"2027-01-01T00:00:0{turn}Z"
        state = {"country_code": "NL", "party_id": "CPB", "x": turn, "last_updated": moment}
        for each in names:
            assert owner.publish("sessions", {**a_session(id=each), **state}).status_code == 1000
    emsp.hold(0.2, "/sessions/")
    start_all_workers(hub)
    emsp.wait_for("/sessions/", 30, count=30)
    kill_all_workers(hub)
    start_all_workers(hub)

    assert ledger.balances(60) == []


def _states(emsp: SandboxPlatform, ids: list[str]) -> dict[str, list[int]]:
    """Return the counters of each Location that were received, in the order of arrival."""
    states: dict[str, list[int]] = defaultdict(list)
    for seen in pushes(emsp):
        _, _, rest = seen.path.partition("/CPA/")
        value: Any = seen.json
        if rest.split("/")[0] in ids:
            states[rest.split("/")[0]].append(
                counted(value["evses"][0] if "evses" in value else value)
            )
    return states
