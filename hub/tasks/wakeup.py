"""Wake-ups of delivery: one for any number of accepted changes, off the request's path.

A request only notes its module; one thread in each process sends the wake-up to the broker. So a
burst costs one message, and a broker that does not answer slows no request down: beat looks every
few seconds anyway (docs/architecture.md#delivery).
"""

import logging
import os
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 0.01
"""After a wake-up: in a burst, one for each change would cost more than the changes."""


class Waker:
    """Calls `send` with a module soon after `wake`, once for all calls of `wake` in between."""

    def __init__(self, send: Callable[[str], None]) -> None:
        """Keep `send`; the thread starts with the first wake-up of each process (after a fork)."""
        self._send = send
        self._modules: set[str] = set()
        self._due = threading.Event()
        self._lock = threading.Lock()
        self._process = 0

    def wake(self, module: str) -> None:
        """Have `send` called soon."""
        if self._process != os.getpid():
            self._start()
        self._modules.add(module)
        self._due.set()

    def _start(self) -> None:
        with self._lock:
            if self._process != os.getpid():
                self._modules, self._due = set(), threading.Event()
                threading.Thread(target=self._run, name="waker", daemon=True).start()
                self._process = os.getpid()

    def _run(self) -> None:
        due = self._due
        while True:
            due.wait()
            due.clear()
            for module in list(self._modules):
                self._modules.discard(module)  # before it is sent: what comes now is sent again
                self._send_one(module)
            time.sleep(_PAUSE_SECONDS)

    def _send_one(self, module: str) -> None:
        try:
            self._send(module)
        except Exception:
            log.exception("delivery waits for beat, waking it failed")
