"""What waits in the broker is bounded: one task for all changes, one for each snapshot."""

import logging
import threading
from collections.abc import Iterator

import pytest

from hub import broker
from hub.delivery import backlog
from hub.module_policy import POLICIES
from hub.tasks import delivery as delivery_tasks
from hub.tasks.wakeup import Waker
from settings.celery import app
from tests.cast import CPA, Cast, a_location
from tests.hub.location_owner import Owner


@pytest.fixture
def behind(cast: Cast) -> Iterator[Owner]:
    """NL-CPA, whose Location DE-MSA waits for; nothing is queued."""
    owner = Owner(cast["P1"])
    cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    delivery_tasks.dispatch()
    owner.put("L1", body=a_location(CPA, 1))
    broker.connection().flushdb()
    yield owner
    broker.connection().flushdb()


def _waiting() -> int:
    return int(broker.connection().llen("realtime")) + int(broker.connection().llen("bulk"))


def _snapshots() -> list[int]:
    return [
        pk for module in POLICIES for pk, has_snapshot in backlog.behind(module) if has_snapshot
    ]


def test_a_snapshot_waits_in_the_queue_once(behind: Owner) -> None:
    """However often beat comes by while all workers are busy."""
    for _ in range(5):
        delivery_tasks.dispatch()
    delivery_tasks.pool.wait()
    assert _waiting() == len(_snapshots()) > 0


def test_a_task_that_begins_makes_place_for_the_next(behind: Owner) -> None:
    """What comes while it works can be queued behind it."""
    [waiting, *_] = _snapshots()
    delivery_tasks.dispatch()
    key = f"hub:queued:{waiting}"
    assert broker.connection().exists(key)

    delivery_tasks.snapshot(waiting)

    assert not broker.connection().exists(key)


def test_dispatching_has_a_queue_of_its_own() -> None:
    """It does not stand behind the deliveries it started."""
    assert app.amqp.router.route({}, "hub.dispatch")["queue"].name == "wake"


def test_the_waker_survives_whatever_it_calls(caplog: pytest.LogCaptureFixture) -> None:
    """The next change is sent all the same."""
    called = threading.Event()
    calls: list[int] = []

    def send(_: str) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise KeyError("broken")
        called.set()

    waker = Waker(send)
    with caplog.at_level(logging.ERROR):
        waker.wake("locations")
        while not calls:
            pass
        waker.wake("locations")

    assert called.wait(1)
