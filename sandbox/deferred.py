"""Doing something a little later, in a thread of its own, joined when the platform stops."""

from collections.abc import Callable
from threading import Event, Lock, Thread


class DelayedSender:
    """Work put off; what has not begun when it stops is not done."""

    def __init__(self) -> None:
        self._stopping = Event()
        self._threads: list[Thread] = []
        self._lock = Lock()

    def later(self, seconds: float, work: Callable[[], None]) -> None:
        """Do this after so many seconds."""
        thread = Thread(target=self._run, args=(seconds, work), name="courier")
        with self._lock:
            self._threads = [each for each in self._threads if each.is_alive()]
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Join every thread; afterwards it takes work again."""
        self._stopping.set()
        with self._lock:
            threads, self._threads = self._threads, []
        for thread in threads:
            thread.join()
        self._stopping.clear()

    def _run(self, seconds: float, work: Callable[[], None]) -> None:
        if not self._stopping.wait(seconds):
            work()
