"""The log process beside a server or worker: started with it, started again when it dies.

Its socket lies in a directory that only this user can enter, and outlives it: who connects while it
is started again is served then. It inherits the socket, and its standard input is closed when who
started it has ended (`settings/log_process.py`).
"""

import atexit
import logging
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

log = logging.getLogger(__name__)

_SOCKET = "HUB_MESSAGE_LOG_SOCKET"
_RESTART_SECONDS = 1.0
_LAST_SECONDS = 10.0
"""So long it may go on writing when everybody else has ended."""
_CHECKOUT = Path(__file__).resolve().parent.parent


class LogProcess:
    """The log process as seen by who started it, with the socket that outlives it."""

    def __init__(self) -> None:
        self._directory = tempfile.mkdtemp(prefix="hub-log-")  # entered by this user alone
        self.path = f"{self._directory}/socket"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen()
        self._lifeline, self._lifelines_end = os.pipe()
        self._ending = threading.Event()
        self._process = self._start()
        threading.Thread(target=self._watch, name="log-process", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        """Let it end when it has written what it was sent."""
        self._ending.set()
        self._listener.close()
        os.close(self._lifelines_end)
        try:
            self._process.wait(_LAST_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
        os.close(self._lifeline)
        shutil.rmtree(self._directory, ignore_errors=True)

    def _start(self) -> "subprocess.Popen[bytes]":
        inherited = self._listener.fileno()
        return subprocess.Popen(
            [sys.executable, "-m", "settings.log_process", str(inherited)],
            stdin=self._lifeline,
            pass_fds=[inherited],
            cwd=_CHECKOUT,
        )

    def _watch(self) -> None:
        while True:
            code = self._process.wait()
            if self._ending.wait(_RESTART_SECONDS):
                return
            log.warning("the log process ended with %d and is started again", code)
            try:
                self._process = self._start()
            except OSError as error:  # its former end is met again at once: tried each second
                log.warning("the log process cannot be started: %s", error)


def socket_path() -> str:
    """Return where the log process listens that an ancestor of this process started, if any."""
    return os.environ.get(_SOCKET, "")


def start() -> None:
    """Start the log process, if a log is kept, for this process and those that it starts."""
    from django.conf import settings  # noqa: PLC0415 - its module may have been named just now

    if settings.HUB_MESSAGE_LOG_DAYS:
        process = LogProcess()
        os.environ[_SOCKET] = settings.HUB_MESSAGE_LOG_SOCKET = process.path
        # After the thread of this process that hands over its last entries: that is no daemon.
        atexit.register(process.stop)
