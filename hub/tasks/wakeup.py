"""Wake-ups of delivery: one for any number of accepted changes, off the request's path.

A request only notes which module it is; one thread in each process sees it and wakes by broker. So
a burst costs one message, and a broker that does not answer slows nobody down: beat looks every few
seconds anyway (docs/architecture.md#delivery).
"""

import logging
import os
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 0.01
"""After a wake-up; in a burst each costs more than what it is about."""


class Waker:
    """Calls `send` soon after `wake`, once for all wakes about the same in between."""

    def __init__(self, send: Callable[[str], None]) -> None:
        """Remember what to call; the thread starts with the first wake of each process."""
        self._send = send
        self._about: set[str] = set()
        self._due = threading.Event()
        self._lock = threading.Lock()
        self._process = 0

    def wake(self, about: str) -> None:
        """Have `send` called soon."""
        if self._process != os.getpid():
            self._start()
        self._about.add(about)
        self._due.set()

    def _start(self) -> None:
        with self._lock:
            if self._process != os.getpid():
                self._about, self._due = set(), threading.Event()
                threading.Thread(target=self._run, name="waker", daemon=True).start()
                self._process = os.getpid()

    def _run(self) -> None:
        due = self._due
        while True:
            due.wait()
            due.clear()
            for about in list(self._about):
                self._about.discard(about)  # before it is sent: what comes now is sent again
                self._send_one(about)
            time.sleep(_PAUSE_SECONDS)

    def _send_one(self, about: str) -> None:
        try:
            self._send(about)
        except Exception:
            log.exception("delivery waits for beat, waking it failed")
