"""The deliverer of a worker: works on the subscriptions that are behind, each once at a time.

A subscription that is behind is handed to it as it is found, without a message to the broker for
each receiver. Nothing is known to it alone: if the worker is killed, beat's next round finds the
subscriptions that waited for their turn, and those that were worked on once their leases have
ended.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Future, wait
from threading import Lock

from hub.delivery import gathered
from hub.delivery.gathered import Gathered
from ocpi.types import ModuleID

log = logging.getLogger(__name__)

Work = Callable[[int], Awaitable[ModuleID | None]]
"""Delivers to a subscription; returns its module, or None while another worker is at it."""
Look = Callable[[ModuleID, Sequence[int]], None]
"""Looks whether more came for subscriptions of a module while their leases were held."""


class Deliverer:
    """Works on each subscription in one task at a time, on so many at once at most."""

    def __init__(self, work: Work, look: Look, *, most: int) -> None:
        """Call `work` for each subscription, and `look` after it."""
        self._work, self._look = work, look
        self._looks = Gathered[tuple[ModuleID, int], None](self._look_after)
        self._places = asyncio.Semaphore(most)
        # Subscriptions that wait for a place or are worked on.
        self._taken: set[int] = set()
        self._lock = Lock()
        self._running: set[Future[None]] = set()
        self._is_closed = False

    def submit(self, subscription_ids: Iterable[int]) -> None:
        """Deliver to these soon, except those that already wait or are worked on here."""
        with self._lock:
            added = [each for each in subscription_ids if each not in self._taken]
            if not added or self._is_closed:
                return
            self._taken.update(added)
            future = gathered.submit(self._deliver_each(added))
            self._running.add(future)
        future.add_done_callback(self._running.discard)

    def close(self) -> None:
        """Begin nothing more. Takes no lock: a signal handler may interrupt whoever holds it."""
        self._is_closed = True

    def wait(self) -> None:
        """Return once all that was begun is done, and what that submitted in turn."""
        while running := self._running.copy():
            wait(running)

    async def _deliver_each(self, subscription_ids: list[int]) -> None:
        await asyncio.gather(*map(self._deliver, subscription_ids))

    async def _deliver(self, subscription_id: int) -> None:
        try:
            async with self._places:
                await self._work_and_look(subscription_id)
        except Exception:
            log.exception("subscription %s waits for the next round", subscription_id)

    async def _work_and_look(self, subscription_id: int) -> None:
        try:
            module = None if self._is_closed else await self._work(subscription_id)
        finally:  # before the look, which may submit this subscription again
            with self._lock:
                self._taken.discard(subscription_id)
        if module is not None:
            await self._looks.ask((module, subscription_id))

    def _look_after(self, worked_on: Sequence[tuple[ModuleID, int]]) -> list[None]:
        for module in {module for module, _ in worked_on}:
            self._look(module, [each for of, each in worked_on if of == module])
        return [None] * len(worked_on)
