"""One wake-up for any number of accepted changes."""

import os
import threading
import time

from hub.tasks.wakeup import Waker


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
