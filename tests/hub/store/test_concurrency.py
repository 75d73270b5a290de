"""Many writers of one object: nothing is lost, nobody waits for ever, the feed is in order."""

import json
from functools import partial
from typing import Any

import pytest

from hub import store
from hub.models import Change, Evse, Location
from tests.cast import CPA, a_location
from tests.hub.concurrency import at_once
from tests.hub.store.write_requests import LOCATIONS, MODULE, location_write

WRITERS, ROUNDS, EVSES = 8, 15, 4


def put(**changes: Any) -> None:
    """PUT the Location everybody writes to."""
    body = a_location(CPA, 1, evses=EVSES, **changes)
    store.apply(location_write("PUT", "L1", body=body))


def patch_evses(writer: int) -> None:
    """Count a member of one's own up, in one EVSE after the other."""
    for number in range(1, ROUNDS + 1):
        for evse in range(1, EVSES + 1):
            body = {f"x{writer}": number, "last_updated": "2026-06-01T00:00:00Z"}
            store.apply(location_write("PATCH", "L1", f"E{evse}", body=body))


def present() -> dict[str, Any]:
    """Return the Location as it is served."""
    assert MODULE.kept is not None
    text = store.get(LOCATIONS, MODULE.kept, store.ObjectQuery(CPA, ("L1",)))
    value: dict[str, Any] = json.loads(text)
    return value


def revisions() -> list[int]:
    """Return the revisions of the feed in its own order."""
    return list(Change.objects.order_by("transaction", "seq").values_list("revision", flat=True))


@pytest.mark.usefixtures("transactional_db")
def test_parallel_patches_lose_nothing() -> None:
    """Each writer finds its last value in every EVSE, each write its revision and its change."""
    put()

    at_once([partial(patch_evses, writer) for writer in range(WRITERS)])

    expected = {f"x{writer}": ROUNDS for writer in range(WRITERS)}
    for evse in present()["evses"]:
        assert expected.items() <= evse.items()
    writes = 1 + WRITERS * ROUNDS * EVSES
    assert Location.objects.get().revision == writes
    assert revisions() == list(range(1, writes + 1))


@pytest.mark.usefixtures("transactional_db")
def test_puts_and_patches_at_the_same_time_are_one_history() -> None:
    """Replaying the feed in its order gives what is stored: every write had one before it."""
    put()

    def replace(writer: int) -> None:
        for number in range(ROUNDS):
            put(name=f"{writer}/{number}")

    patches = [partial(patch_evses, writer) for writer in range(4)]
    puts = [partial(replace, writer) for writer in range(3)]
    at_once([*patches, *puts])

    assert revisions() == list(range(1, Location.objects.get().revision + 1))
    assert present() == replayed()


def replayed() -> dict[str, Any]:
    """Apply the changes of the feed one after the other, in the plainest way."""
    state: dict[str, Any] = {}
    for change in Change.objects.order_by("transaction", "seq"):
        body = json.loads(change.body or "")
        if change.method == "PUT":
            state = body
            continue
        [evse] = [each for each in state["evses"] if each["uid"] == change.part_key]
        evse |= body
        state["last_updated"] = max(state["last_updated"], body["last_updated"])
    return state


@pytest.mark.usefixtures("transactional_db")
def test_the_same_new_object_put_by_many_is_created_once() -> None:
    """Racing inserts end in one row; exactly one of them is told 201 (ST-03)."""
    created: list[bool] = []

    def race(number: int) -> None:
        body = a_location(CPA, 1, name=str(number))
        created.append(store.apply(location_write("PUT", "L1", body=body)).created)

    at_once([partial(race, number) for number in range(12)])

    assert sorted(created) == [False] * 11 + [True]
    assert Location.objects.get().revision == 12
    assert Evse.objects.count() == 2
    assert revisions() == list(range(1, 13))


@pytest.mark.usefixtures("transactional_db")
def test_new_evses_put_at_the_same_time_all_arrive() -> None:
    """Twelve EVSEs join one Location, each told that it is new."""
    put()
    evse = a_location(CPA, 1)["evses"][0]
    created: list[bool] = []

    def join(number: int) -> None:
        message = location_write("PUT", "L1", f"N{number}", body={**evse, "uid": f"N{number}"})
        created.append(store.apply(message).created)

    at_once([partial(join, number) for number in range(12)])

    assert created == [True] * 12
    uids = [evse["uid"] for evse in present()["evses"]]
    assert uids[:EVSES] == ["E1", "E2", "E3", "E4"]
    assert set(uids[EVSES:]) == {f"N{number}" for number in range(12)}
