"""From any number of accepted changes to one wake-up of delivery, off the request's path.

A request only sets a flag; one thread in each process sees it and tells the broker. So a burst
costs one message, and a broker that does not answer slows nobody down: beat looks every few
seconds anyway (architecture chapter 6).
"""

import logging
import os
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 0.002


class Waker:
    """Calls `send` soon after `wake`, once for all wakes in between."""

    def __init__(self, send: Callable[[], None]) -> None:
        """Remember what to call; the thread starts with the first wake of each process."""
        self._send = send
        self._due = threading.Event()
        self._lock = threading.Lock()
        self._process = 0

    def wake(self) -> None:
        """Have `send` called soon."""
        if self._process != os.getpid():
            self._start()
        self._due.set()

    def _start(self) -> None:
        with self._lock:
            if self._process != os.getpid():
                self._due = threading.Event()
                threading.Thread(target=self._run, name="waker", daemon=True).start()
                self._process = os.getpid()

    def _run(self) -> None:
        due = self._due
        while True:
            due.wait()
            due.clear()
            try:
                self._send()
            except Exception:
                log.exception("delivery waits for beat, waking it failed")
            time.sleep(_PAUSE_SECONDS)
