"""The threads of a worker that deliver: as many subscriptions at once, each by one of them.

What is behind is handed to them as it is found, without a message to the broker for each receiver.
They know nothing that is not in the database: what a worker that was killed had taken on is found
by beat as soon as its leases ran out.
"""

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Lock

from database import sql
from ocpi.types import ModuleID

log = logging.getLogger(__name__)

Work = Callable[[int], ModuleID | None]
"""Delivers to a subscription; returns its module, or None while another worker is at it."""
Look = Callable[[ModuleID, int], None]
"""Sees whether more came for a subscription of a module while its lease was held."""


class DeliveryPool:
    """Takes each subscription on once at a time; the threads start with the first."""

    def __init__(self, work: Work, look: Look, *, threads: int) -> None:
        """Remember what to do, and what to do after that."""
        self._work, self._look = work, look
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="delivery")
        self._taken: set[int] = set()
        self._lock = Lock()
        self._running: set[Future[None]] = set()
        self._is_closed = False

    def submit(self, subscription_ids: Iterable[int]) -> None:
        """Deliver to these soon, but for those somebody here is about to deliver to."""
        for subscription_id in subscription_ids:
            with self._lock:
                if subscription_id not in self._taken and not self._is_closed:
                    self._taken.add(subscription_id)
                    begun = self._threads.submit(self._deliver, subscription_id)
                    self._running.add(begun)
                    begun.add_done_callback(self._running.discard)

    def close(self) -> None:
        """Begin nothing more. It takes no lock: a signal may come whatever the process is at."""
        self._is_closed = True

    def wait(self) -> None:
        """Return once all is done that was taken on, and what came of it."""
        while running := self._running.copy():
            wait(running)

    def _deliver(self, subscription_id: int) -> None:
        try:
            self._work_and_look(subscription_id)
        except Exception:
            log.exception("subscription %s waits for the next round", subscription_id)
        finally:
            sql.release()

    def _work_and_look(self, subscription_id: int) -> None:
        try:
            module = None if self._is_closed else self._work(subscription_id)
        finally:  # before the look: what is found behind from now on is taken on again
            with self._lock:
                self._taken.discard(subscription_id)
        if module is not None:
            self._look(module, subscription_id)
