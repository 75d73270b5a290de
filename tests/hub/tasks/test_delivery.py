"""Wake-ups: none is lost, none is repeated for nothing, and a broken broker harms nobody."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from django.conf import LazySettings
from django.db import connection, transaction

from hub import broker, feed, store
from hub.delivery import backlog, wake_up
from hub.models import Change, Subscription
from hub.module_policy import POLICIES
from hub.tasks import delivery as delivery_tasks
from hub.tasks.wake_up_listener import Listening
from ocpi.types import ModuleID
from parties.models import Agreement, Endpoint
from settings.celery import app
from tests.cast import CPA, Cast, a_location
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

    def work(self, most: int = 50) -> list[str]:
        """Run what waits and what that starts, until nothing waits; return the names.

        Whoever hears the wake-ups of that looks at every module.
        """
        done: list[str] = []
        while message := self._take() or self._look():
            name, (args, kwargs, _) = message.headers["task"], message.decode()
            app.tasks[name](*args, **kwargs)
            delivery_tasks.deliverer.wait()
            done.append(name)
            assert len(done) < most, f"it does not end: {done}"
        return done

    def _look(self) -> Any:
        for module in POLICIES:
            delivery_tasks.look(module)
        delivery_tasks.deliverer.wait()
        return self._take()

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


@pytest.fixture
def listening(ready: Owner) -> Iterator[None]:
    """Whoever delivers listens, as in a worker."""
    looked: list[ModuleID] = []

    def look(module: ModuleID) -> bool:
        looked.append(module)
        return delivery_tasks.look(module)

    thread = Listening(look)
    thread.start()
    _until(lambda: set(looked) == set(POLICIES))
    yield
    thread.stop()
    delivery_tasks.deliverer.wait()


def _until(holds: Callable[[], object], seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "nobody woke delivery"
        time.sleep(0.005)


def _hears(cast: Cast, *ids: str) -> None:
    """Wait until DE-MSA has these Locations of NL-CPA, and no others."""
    _until(lambda: set(received(cast["P2"])) == {f"NL-CPA/{each}" for each in ids})


def test_a_change_costs_no_task(cast: Cast, ready: Owner, listening: None, queue: Queue) -> None:
    """It is delivered by who listens; nothing waits in the broker for it."""
    for number in range(1, 6):
        ready.put(f"L{number}", body=a_location(CPA, number))

    _hears(cast, "L1", "L2", "L3", "L4", "L5")
    assert queue.waiting(about="locations") == []


def test_many_agreements_are_one_look(ready: Owner, queue: Queue) -> None:
    """A file of thousands does not fill the queue; what changes behind the look has its own."""
    agreement = Agreement.objects.get()
    for _ in range(2):
        for _ in range(5):
            agreement.save()

        assert sorted(queue.waiting(about=EVERYTHING)) == LOOK
        queue.work()


def test_a_change_behind_a_wake_is_not_lost(cast: Cast, ready: Owner, listening: None) -> None:
    """A wake-up is over before the look begins: what comes later wakes anew."""
    ready.put("L1", body=a_location(CPA, 1))
    _hears(cast, "L1")
    ready.put("L2", body=a_location(CPA, 2))
    _hears(cast, "L1", "L2")


@pytest.mark.parametrize("task", [delivery_tasks.deliver, delivery_tasks.snapshot])
def test_a_change_that_came_while_the_lease_was_held_is_seen(
    ready: Owner, queue: Queue, task: Any
) -> None:
    """A look passes a busy subscription by; the busy worker looks once more."""
    subscription = Subscription.objects.get(module="locations")
    Subscription.objects.update(lease_until="2099-01-01T00:00:00Z")
    ready.put("L1", body=a_location(CPA, 1))
    assert queue.work() == []
    Subscription.objects.update(lease_until=None)

    task(subscription.pk)
    delivery_tasks.deliverer.wait()

    assert Change.objects.count() == 1
    assert not backlog.behind(ModuleID.LOCATIONS)


def test_a_change_nobody_can_read_yet_is_looked_at_again(
    cast: Cast, ready: Owner, listening: None
) -> None:
    """While an older transaction runs it is not final; once that ends it is sent, without beat."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()")
        ready.put("L1", body=a_location(CPA, 1))
        time.sleep(0.5)  # longer than all pauses between looks but the last
        assert feed.is_pending(ModuleID.LOCATIONS)
        assert received(cast["P2"]) == {}

    _hears(cast, "L1")


def test_a_failing_look_ends_no_worker(
    cast: Cast, ready: Owner, queue: Queue, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, and the next wake-up is heard all the same."""
    looked: list[ModuleID] = []

    def look(module: ModuleID) -> bool:
        looked.append(module)
        raise OSError("the database is gone")

    thread = Listening(look)
    with caplog.at_level(logging.ERROR):
        thread.start()
        _until(lambda: set(looked) == set(POLICIES))
        looked.clear()
        wake_up.publish(ModuleID.TOKENS)
        _until(lambda: ModuleID.TOKENS in looked)
        thread.stop()

    assert f"{ModuleID.TOKENS} wait for beat" in caplog.messages


def test_who_ended_looks_no_more(ready: Owner, queue: Queue) -> None:
    """A worker that shuts down begins nothing."""
    looked: list[ModuleID] = []

    def look(module: ModuleID) -> bool:
        looked.append(module)
        return False

    thread = Listening(look)
    thread.start()
    _until(lambda: set(looked) == set(POLICIES))
    thread.stop()
    looked.clear()
    broker.connection().publish(wake_up.CHANNEL, "locations")
    time.sleep(0.1)

    assert looked == []


def test_an_endless_task_ends(cast: Cast, ready: Owner, queue: Queue) -> None:
    """A subscription whose endpoint is gone is not delivered to over and over again."""
    Endpoint.objects.filter(platform__name="P2", role="RECEIVER").delete()
    ready.put("L1", body=a_location(CPA, 1))

    assert queue.work() == []
    delivery_tasks.deliver(Subscription.objects.get(module="locations").pk)
    delivery_tasks.deliverer.wait()
    assert queue.waiting() == []


def test_snapshots_have_a_queue_of_their_own(cast: Cast, ready: Owner, queue: Queue) -> None:
    """Long work does not stand before a status change."""
    cast["P3"]
    ready.put("L1", body=a_location(CPA, 1))
    cast.agree(("NL-CPA", "FR-MSB"))

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
    delivery_tasks.deliverer.wait()
    queue.work()

    assert set(received(cast["P2"])) == {"NL-CPA/L1"}
