"""`python -m settings.serve`: the hub's web processes, under granian."""

import os

from granian import Granian
from granian.constants import Interfaces, Loops


def main() -> None:
    """Serve until a signal ends it; workers are replaced when they die."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.base")
    from django.conf import settings  # noqa: PLC0415 - the settings module must be named first

    Granian(
        "settings.asgi:application",
        address=settings.HUB_BIND_HOST,
        port=settings.HUB_BIND_PORT,
        interface=Interfaces.ASGI,
        workers=settings.HUB_WEB_WORKERS,
        loop=Loops.uvloop,
        backlog=1024,
        backpressure=256,
        respawn_failed_workers=True,
        log_access=False,
        websockets=False,
    ).serve()


if __name__ == "__main__":
    main()
