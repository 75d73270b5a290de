"""Waiting in a process that ends by SIGTERM or SIGINT, and reports on SIGUSR1 without ending.

Other threads queue errands for the main thread, so that only one thread changes a platform's data.
"""

import select
import signal
import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from types import FrameType

ENDING = (signal.SIGTERM, signal.SIGINT)
Errand = Callable[[], None]


class Signals:
    """Turns signals into something the main thread waits for; nothing happens inside a handler.

    A handler that raised between storing an object and pushing it would leave the hub without it.
    """

    def __init__(self, report: Callable[[], None]) -> None:
        self.is_ending = False
        self._report_due = False
        self._report = report
        self._errands: deque[Errand] = deque()
        self._reader, self._writer = socket.socketpair()
        self._reader.settimeout(0)
        self._writer.settimeout(0)

    def install(self) -> None:
        """Handle the signals from now on; in the main thread only."""
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in ENDING:
            signal.signal(number, self._request_end)
        signal.signal(signal.SIGUSR1, self._request_report)

    def add_errand(self, errand: Errand) -> None:
        """Have the main thread run something at its next `run_errands`; from any thread."""
        self._errands.append(errand)
        with suppress(BlockingIOError):  # so many bytes wait already that it will wake up
            self._writer.send(b"\0")

    def run_errands(self, seconds: float | None = None) -> bool:
        """Wait as `wait` does, running errands meanwhile; one at a time, in this thread."""
        deadline = None if seconds is None else monotonic() + seconds
        while True:
            left = None if deadline is None else max(0.0, deadline - monotonic())
            ended = self.wait(left, until=lambda: bool(self._errands))
            if ended or not self._errands:
                return ended
            self._errands.popleft()()

    def wait(
        self, seconds: float | None = None, *, until: Callable[[], bool] = lambda: False
    ) -> bool:
        """Wait so long, for ever, or until something holds; True if the process is to end.

        Errands stay queued: its callers are in the middle of a change.
        """
        deadline = None if seconds is None else monotonic() + seconds
        while not self.is_ending and not until():
            left = None if deadline is None else max(0.0, deadline - monotonic())
            ready, _, _ = select.select([self._reader], [], [], left)
            if not ready:
                return False
            self._reader.recv(4096)
            if self._report_due:
                self._report_due = False
                self._report()
        return self.is_ending

    def close(self) -> None:
        """Close the sockets; not to be used afterwards."""
        self._reader.close()
        self._writer.close()

    def _request_end(self, _number: int, _frame: FrameType | None) -> None:
        self.is_ending = True

    def _request_report(self, _number: int, _frame: FrameType | None) -> None:
        self._report_due = True
