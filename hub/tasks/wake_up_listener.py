"""Listening for wake-ups: a bootstep of the Celery workers that deliver.

docs/architecture.md#delivery.
"""

import logging
import time
from collections.abc import Callable
from threading import Event, Thread

from celery import bootsteps
from celery.worker import WorkController

from database import sql
from hub.delivery.looks import Looks
from hub.delivery.wake_up import Listener
from hub.tasks import delivery
from ocpi.types import ModuleID

log = logging.getLogger(__name__)

QUEUE = "wake"
"""Workers that take this queue deliver."""
_LONGEST_WAIT_SECONDS = 0.5

Look = Callable[[ModuleID], bool]
"""Starts delivery of what is behind of a module; tells whether changes could not be read yet."""


class Listening:
    """A thread that looks at a module's feed when a wake-up names it."""

    def __init__(self, look: Look) -> None:
        """Keep `look`; `start` begins."""
        self._look_at, self._looks = look, Looks()
        self._listener = Listener()
        self._has_ended = Event()
        self._thread = Thread(target=self._run, name="listening", daemon=True)

    def start(self) -> None:
        """Listen from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more; returns once the last look is over."""
        self._has_ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._has_ended.is_set():
            seconds = self._looks.seconds(time.monotonic(), _LONGEST_WAIT_SECONDS)
            self._looks.wake(self._listener.hear(seconds), time.monotonic())
            for module, too_early in self._looks.due(time.monotonic()).items():
                self._look(module, too_early)
        self._listener.close()

    def _look(self, module: ModuleID, too_early: int) -> None:
        try:
            if self._look_at(module):
                self._looks.again(module, too_early, time.monotonic())
        except Exception:
            log.exception("%s wait for beat", module)
        finally:
            sql.release()


class ListeningStep(bootsteps.StartStopStep):
    """Listens for as long as a worker that delivers is at work."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: WorkController, **options: object) -> None:
        """Begin nothing yet."""
        super().__init__(parent, **options)
        self._listening = Listening(delivery.look)

    def include_if(self, parent: WorkController) -> bool:
        """Whether this worker delivers."""
        return QUEUE in parent.app.amqp.queues.consume_from

    def start(self, _: WorkController) -> None:
        """Begin with the worker."""
        self._listening.start()

    def stop(self, _: WorkController) -> None:
        """End before its threads do."""
        self._listening.stop()
