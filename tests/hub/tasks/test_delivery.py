"""Wake-ups: none is lost, none is repeated for nothing, and a broken broker harms nobody."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import LazySettings
from django.db import connection, transaction

from hub import broker, feed, store
from hub.delivery import backlog
from hub.models import Change, Subscription
from hub.tasks import delivery as delivery_tasks
from ocpi.types import ModuleID
from parties.models import Agreement, Endpoint
from settings.celery import app
from tests.cast import CPA, Cast, a_location
from tests.hub.concurrency import at_once
from tests.hub.location_owner import Owner, received
from tests.hub.store.write_requests import location_write

QUEUES = ("wake", "realtime", "bulk")
EVERYTHING = "()"
LOOK = ["hub.client_info", "hub.dispatch", "hub.start_pulls"]


@pytest.fixture
def queue(settings: LazySettings, transactional_db: None) -> Iterator["Queue"]:
    """The broker's queues, empty before and after."""
    queue = Queue()
    queue.clear()
    yield queue
    queue.clear()


class Queue:
    """What is waiting in the broker, and a worker that takes it one by one."""

    def __init__(self) -> None:
        self.redis = broker.connection()

    def clear(self) -> None:
        """Forget every task and every wake."""
        self.redis.flushdb()

    def waiting(self, *, about: str = "") -> list[str]:
        """Return the names of the waiting tasks, oldest first; or of those about one module."""
        return [each["task"] for each in self._headers() if about in each["argsrepr"]]

    def booked(self) -> list[str]:
        """Return the names of those that wait for a moment to come."""
        return [headers["task"] for headers in self._headers() if headers["eta"]]

    def expect_wake(self) -> None:
        """Wait for the dispatch a change asks for: it is sent off the request's path."""
        end = time.monotonic() + 5
        while "hub.dispatch" not in self.waiting():
            assert time.monotonic() < end, "nobody woke delivery"
            time.sleep(0.005)

    def work(self, most: int = 50) -> list[str]:
        """Run what waits and what that starts, until nothing waits; return the names."""
        done: list[str] = []
        while message := self._take():
            name, (args, kwargs, _) = message.headers["task"], message.decode()
            time.sleep(delivery_tasks._LOOK_AGAIN_SECONDS if message.headers["eta"] else 0)
            app.tasks[name](*args, **kwargs)
            delivery_tasks.pool.wait()
            done.append(name)
            assert len(done) < most, f"it does not end: {done}"
        return done

    def _take(self) -> Any:
        with app.connection_for_read() as opened:
            found = (opened.SimpleQueue(name).queue.get(no_ack=True) for name in QUEUES)
            return next(filter(None, found), None)

    def _headers(self) -> list[dict[str, Any]]:
        raw = [each for name in QUEUES for each in reversed(self._all(name))]
        return [json.loads(each)["headers"] for each in raw]

    def _all(self, name: str) -> list[bytes]:
        found: list[bytes] = self.redis.lrange(name, 0, -1)  # type: ignore[assignment]
        return found


@pytest.fixture
def ready(cast: Cast, queue: Queue) -> Owner:
    """NL-CPA, with DE-MSA subscribed and everything delivered."""
    owner = Owner(cast["P1"])
    cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    queue.work()
    return owner


def test_changes_in_between_are_one_wake(ready: Owner, queue: Queue) -> None:
    """However many changes come before the dispatcher runs, it is asked once."""
    for number in range(1, 6):
        ready.put(f"L{number}", body=a_location(CPA, number))
    queue.expect_wake()
    time.sleep(0.05)

    assert queue.waiting(about="locations") == ["hub.dispatch"]


def test_many_agreements_are_one_look(ready: Owner, queue: Queue) -> None:
    """A file of thousands does not fill the queue; what changes behind the look has its own."""
    agreement = Agreement.objects.get()
    for _ in range(2):
        for _ in range(5):
            agreement.save()

        assert sorted(queue.waiting(about=EVERYTHING)) == LOOK
        queue.work()


def test_a_change_behind_a_wake_is_not_lost(cast: Cast, ready: Owner, queue: Queue) -> None:
    """The dispatcher forgets the wake before it looks: what comes later wakes it anew."""
    for number in (1, 2):
        ready.put(f"L{number}", body=a_location(CPA, number))
        queue.expect_wake()
        queue.work()

    assert set(received(cast["P2"])) == {"NL-CPA/L1", "NL-CPA/L2"}
    assert queue.waiting() == []


@pytest.mark.parametrize("task", [delivery_tasks.deliver, delivery_tasks.snapshot])
def test_a_change_that_came_while_the_lease_was_held_is_seen(
    ready: Owner, queue: Queue, task: Any
) -> None:
    """The dispatcher passes a busy subscription by; the busy worker looks once more."""
    subscription = Subscription.objects.get(module="locations")
    Subscription.objects.update(lease_until="2099-01-01T00:00:00Z")
    ready.put("L1", body=a_location(CPA, 1))
    queue.expect_wake()
    assert set(queue.work()) == {"hub.dispatch"}
    Subscription.objects.update(lease_until=None)

    task(subscription.pk)
    delivery_tasks.pool.wait()

    assert Change.objects.count() == 1
    assert not backlog.behind(ModuleID.LOCATIONS)


def test_a_change_nobody_can_read_yet_is_looked_at_again(
    cast: Cast, ready: Owner, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While an older transaction runs nothing is dispatched in vain; one more look is booked."""
    monkeypatch.setattr(delivery_tasks, "_LOOK_AGAIN_SECONDS", 2)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()")
        ready.put("L1", body=a_location(CPA, 1))
        queue.expect_wake()
        looked: list[list[str]] = []

        def look() -> None:
            delivery_tasks.dispatch("locations")
            delivery_tasks.dispatch("locations")
            looked.append(queue.booked())

        at_once([look])
        assert looked == [["hub.dispatch"]]
        assert feed.is_pending(ModuleID.LOCATIONS)

    end = time.monotonic() + 5
    while feed.is_pending(ModuleID.LOCATIONS):
        assert time.monotonic() < end
    queue.work()
    assert set(received(cast["P2"])) == {"NL-CPA/L1"}


def test_an_endless_task_ends(cast: Cast, ready: Owner, queue: Queue) -> None:
    """A subscription whose endpoint is gone is not delivered to over and over again."""
    Endpoint.objects.filter(platform__name="P2", role="RECEIVER").delete()
    ready.put("L1", body=a_location(CPA, 1))
    queue.expect_wake()

    assert set(queue.work()) == {"hub.dispatch"}
    delivery_tasks.deliver(Subscription.objects.get(module="locations").pk)
    delivery_tasks.pool.wait()
    assert queue.waiting() == []


def test_snapshots_have_a_queue_of_their_own(cast: Cast, ready: Owner, queue: Queue) -> None:
    """Long work does not stand before a status change."""
    cast["P3"]
    ready.put("L1", body=a_location(CPA, 1))
    cast.agree(("NL-CPA", "FR-MSB"))

    queue.expect_wake()
    done = queue.work()

    assert "hub.snapshot" in done
    assert app.amqp.router.route({}, "hub.snapshot")["queue"].name == "bulk"
    assert set(received(cast["P3"])) == {"NL-CPA/L1"}


def test_without_the_broker_a_push_is_accepted_all_the_same(
    ready: Owner, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Accepted and stored at once: beat will find it."""
    nobody = redis.Redis(host="127.0.0.1", port=9, socket_connect_timeout=1)
    monkeypatch.setattr(broker, "connection", lambda: nobody)

    result = ready.put("L1", body=a_location(CPA, 1))

    assert (result.http_status, result.elapsed < 1) == (201, True)
    assert Change.objects.count() == 1


def test_beat_finds_what_nobody_woke_it_for(cast: Cast, ready: Owner, queue: Queue) -> None:
    """Whatever became of the wake, the next round of beat dispatches what is behind."""
    store.apply(location_write("PUT", "L1", body=a_location(CPA, 1)))
    assert queue.waiting() == []

    delivery_tasks.dispatch()
    delivery_tasks.pool.wait()
    queue.work()

    assert set(received(cast["P2"])) == {"NL-CPA/L1"}
