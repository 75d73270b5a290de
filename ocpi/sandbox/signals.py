"""Waiting in a process that ends by SIGTERM or SIGINT, and reports on SIGUSR1 without ending."""

import select
import signal
import socket
from collections.abc import Callable
from time import monotonic
from types import FrameType

ENDING = (signal.SIGTERM, signal.SIGINT)


class Signals:
    """Turns signals into something the main thread waits for; nothing happens inside a handler.

    An interrupted change would leave a platform's truth ahead of what it told the hub.
    """

    def __init__(self, report: Callable[[], None]) -> None:
        self.ended = False
        self._report_due = False
        self._report = report
        self._reader, self._writer = socket.socketpair()
        self._reader.settimeout(0)
        self._writer.settimeout(0)

    def install(self) -> None:
        """Handle the signals from now on; in the main thread only."""
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in ENDING:
            signal.signal(number, self._end)
        signal.signal(signal.SIGUSR1, self._ask)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait that long, or for ever; True as soon as the process is to end."""
        deadline = None if seconds is None else monotonic() + seconds
        while not self.ended:
            left = None if deadline is None else max(0.0, deadline - monotonic())
            ready, _, _ = select.select([self._reader], [], [], left)
            if not ready:
                return False
            self._reader.recv(4096)
            if self._report_due:
                self._report_due = False
                self._report()
        return True

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self.ended = True

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self._report_due = True
