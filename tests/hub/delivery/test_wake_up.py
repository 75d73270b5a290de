"""One wake-up for any number of accepted changes."""

import logging
import os
import threading
import time
from collections.abc import Iterator

import pytest
import redis

from hub import broker
from hub.delivery import wake_up
from hub.delivery.wake_up import Listener, Waker
from hub.module_policy import POLICIES
from ocpi.types import ModuleID


def test_a_wake_is_told_soon() -> None:
    """A change on an idle hub does not wait for beat."""
    sent: list[str] = []
    heard = threading.Event()

    def send(about: str) -> None:
        sent.append(about)
        heard.set()

    Waker(send).wake("locations")

    assert heard.wait(1)
    assert sent == ["locations"]


def test_a_burst_is_told_a_few_times_and_its_last_change_is_not_missed() -> None:
    """However many wakes come, the broker hears of few, and of one after the last."""
    calls: list[int] = []
    wakes = 0
    waker = Waker(lambda _: calls.append(wakes))

    for wakes in range(1, 1_001):  # noqa: B007 - read by the waker's thread
        waker.wake("locations")
    time.sleep(0.2)

    assert calls[-1] == 1_000
    assert len(calls) < 500


def test_whatever_a_wake_is_about_is_told() -> None:
    """A change of a session is not hidden by one of a location."""
    sent: list[str] = []
    waker = Waker(sent.append)

    for about in ("locations", "sessions", "locations"):
        waker.wake(about)
    time.sleep(0.2)

    assert set(sent) == {"locations", "sessions"}


def test_it_rests_also_while_wakes_keep_coming() -> None:
    """A broker that takes its time is not asked again at once."""
    calls: list[float] = []

    def send(_: str) -> None:
        calls.append(time.monotonic())
        waker.wake("locations")
        time.sleep(0.0005)

    waker = Waker(send)
    waker.wake("locations")
    time.sleep(0.3)

    assert 1 < len(calls) < 0.3 / 0.005


def test_a_forked_process_wakes_by_itself() -> None:
    """A web server forks after importing: each process has its own thread."""
    reading, writing = os.pipe()

    def send(_: str) -> None:
        os.write(writing, b"x")

    waker = Waker(send)
    waker.wake("locations")
    assert os.read(reading, 1) == b"x"

    child = os.fork()
    if child == 0:
        waker.wake("locations")
        time.sleep(0.5)
        os._exit(0)
    heard = os.read(reading, 1)
    os.waitpid(child, 0)
    os.close(reading)
    os.close(writing)

    assert heard == b"x"


def _heard(listener: Listener, module: ModuleID) -> bool:
    """Whether a wake-up about a module arrives within some seconds."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        if module in listener.hear(0.1):
            return True
    return False


@pytest.fixture
def listener() -> Iterator[Listener]:
    """Somebody who hears wake-ups and was told to look at everything at the beginning."""
    listener = Listener()
    assert listener.hear(1) == set(POLICIES)
    yield listener
    listener.close()


def test_whoever_listens_hears_of_a_module(listener: Listener) -> None:
    """One PUBLISH reaches each worker that delivers."""
    other = Listener()
    other.hear(1)
    wake_up.publish(ModuleID.SESSIONS)

    assert _heard(listener, ModuleID.SESSIONS)
    assert _heard(other, ModuleID.SESSIONS)
    other.close()


def test_all_that_waits_is_heard_at_once(listener: Listener) -> None:
    """A hundred wake-ups that came during a look are one more look, not a hundred."""
    for _ in range(100):
        broker.connection().publish(wake_up.CHANNEL, "locations")
    end = time.monotonic() + 5
    heard = 0
    while time.monotonic() < end and not heard:
        heard += bool(listener.hear(0.1))
    while listener.hear(0.1):
        heard += 1

    assert 1 <= heard < 10


def test_a_name_that_is_no_module_wakes_nothing(listener: Listener) -> None:
    """Another version of the hub may know more modules."""
    broker.connection().publish(wake_up.CHANNEL, "unheard-of")
    broker.connection().publish(wake_up.CHANNEL, b"\xff")
    broker.connection().publish(wake_up.CHANNEL, "tokens")

    assert _heard(listener, ModuleID.TOKENS)


def test_without_redis_a_listener_waits_and_raises_nothing() -> None:
    """It neither ends nor asks in a tight loop: beat looks meanwhile."""
    listener = Listener("redis://127.0.0.1:9/0")
    began = time.monotonic()

    assert listener.hear(0.2) == set()
    assert time.monotonic() - began >= 0.2


def test_a_connection_that_broke_may_have_missed_anything(listener: Listener) -> None:
    """So everything is looked at once it is there again."""
    broker.connection().client_kill_filter(_type="pubsub")
    found: list[set[ModuleID]] = []
    end = time.monotonic() + 5
    while set(POLICIES) not in found and time.monotonic() < end:
        found.append(listener.hear(0.05))

    assert set(POLICIES) in found


def test_publishing_without_redis_delays_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The request only notes the module."""
    nobody = redis.Redis(host="127.0.0.1", port=9, socket_connect_timeout=1)
    monkeypatch.setattr(broker, "connection", lambda: nobody)
    began = time.monotonic()
    for _ in range(1_000):
        wake_up.publish(ModuleID.LOCATIONS)

    assert time.monotonic() - began < 1


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
