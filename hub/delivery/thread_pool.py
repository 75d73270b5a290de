"""The threads of a worker that deliver: each works on one subscription at a time.

A subscription that is behind is handed to them as it is found, without a message to the broker for
each receiver. Nothing is known to them alone: if the worker is killed, beat's next round finds the
subscriptions that waited for a thread, and those that were worked on once their leases have ended.
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
"""Looks whether more came for a subscription of a module while its lease was held."""


class DeliveryPool:
    """Works on each subscription in one thread at a time; threads start with the first one."""

    def __init__(self, work: Work, look: Look, *, threads: int) -> None:
        """Call `work` for each subscription, and `look` after it."""
        self._work, self._look = work, look
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="delivery")
        # Subscriptions that wait for a thread or are worked on.
        self._taken: set[int] = set()
        self._lock = Lock()
        self._running: set[Future[None]] = set()
        self._is_closed = False

    def submit(self, subscription_ids: Iterable[int]) -> None:
        """Deliver to these soon, except those that already wait or are worked on here."""
        for subscription_id in subscription_ids:
            with self._lock:
                if subscription_id not in self._taken and not self._is_closed:
                    self._taken.add(subscription_id)
                    future = self._threads.submit(self._deliver, subscription_id)
                    self._running.add(future)
                    future.add_done_callback(self._running.discard)

    def close(self) -> None:
        """Begin nothing more. Takes no lock: a signal handler may interrupt whoever holds it."""
        self._is_closed = True

    def wait(self) -> None:
        """Return once all that was begun is done, and what that submitted in turn."""
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
        finally:  # before the look, which may submit this subscription again
            with self._lock:
                self._taken.discard(subscription_id)
        if module is not None:
            self._look(module, subscription_id)
