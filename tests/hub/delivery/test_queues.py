"""What waits in the broker is bounded: one task for each snapshot, none for changes."""

from collections.abc import Iterator

import pytest

from hub import broker
from hub.delivery import backlog
from hub.module_policy import POLICIES
from hub.tasks import delivery as delivery_tasks
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
    delivery_tasks.deliverer.wait()
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
