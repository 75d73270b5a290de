"""`python -m settings.log_process FILE`: the process that writes the message log.

FILE is the number of a listening socket that it inherits. It ends when its standard input is
closed: after those whose messages it writes, whom a signal to end may reach at the same time.
"""

import os
import shutil
import signal
import socket
import sys
from pathlib import Path

import django


def main(number: str) -> None:
    """Be the log process."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.base")
    django.setup()
    from hub.message_log import log_process  # noqa: PLC0415 - Django must be set up first

    with socket.socket(fileno=int(number)) as listener:
        log_process.serve(listener, sys.stdin.fileno())
        # Who made the directory may have been killed.
        shutil.rmtree(Path(listener.getsockname()).parent, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
