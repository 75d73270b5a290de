"""`python -m settings.serve`: the hub's web processes, under granian.

A connection that sends nothing, or not enough of a request, is cut off; so is one that stays quiet
after an answer. The time for that is short, so that silent connections cannot take up all those a
process serves at once; clients of any make simply open a new one.
"""

import os
import resource
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings

MOST_SECONDS_FOR_A_HEAD = 5
"""Until the headers of a request are there: after connecting, and after the last answer."""
_FILES = 65_536
"""Open files a process asks the system for; each connection is one."""


def main() -> None:
    """Serve until a signal ends it; workers and the log process are replaced when they die."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.base")
    from django.conf import settings  # noqa: PLC0415 - the settings module must be named first

    from settings import message_log  # noqa: PLC0415 - that, too

    _raise_open_files()
    message_log.start()
    Granian(
        "settings.asgi:application",
        address=settings.HUB_BIND_HOST,
        port=settings.HUB_BIND_PORT,
        interface=Interfaces.ASGI,
        workers=settings.HUB_WEB_WORKERS,
        loop=Loops.uvloop,
        respawn_failed_workers=True,
        **how_to_serve(),
    ).serve()


def how_to_serve() -> dict[str, Any]:
    """Return granian's options that decide what happens on a connection."""
    from django.conf import settings  # noqa: PLC0415 - the settings module must be named first

    from settings.refusals import MOST_HEADER_BYTES  # noqa: PLC0415 - that, too

    return {
        "http": HTTPModes.http1,
        "http1_settings": HTTP1Settings(
            header_read_timeout=MOST_SECONDS_FOR_A_HEAD * 1_000,
            max_buffer_size=MOST_HEADER_BYTES,
        ),
        "backlog": 1024,
        "backpressure": settings.HUB_WEB_CONNECTIONS,
        "log_access": False,
        "websockets": False,
    }


def _raise_open_files() -> None:
    """Let a process have a file for each connection; many systems allow 1,024 until it asks."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


if __name__ == "__main__":
    main()
