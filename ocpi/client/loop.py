"""One event loop on one thread: where threads hand in coroutines and wait for their results.

Django and Celery call from threads, the HTTP library needs a loop.

The thread starts with the first coroutine, never earlier. A forked child finds nothing under its
own process id and starts afresh; the parent's loop remains referenced there and is never touched
again, because closing it would reach through shared descriptors into the parent's connections.
"""

import asyncio
import concurrent.futures
import os
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

T = TypeVar("T")


class _Running:
    """The loop and its thread in one process."""

    def __init__(self) -> None:
        """Prepare; `ensure_started` does the work."""
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self.started = False
        self.belongings: list[object] = []
        self.loop: asyncio.AbstractEventLoop

    def ensure_started(self, name: str) -> None:
        """Start loop and thread unless another thread has done so."""
        with self._starting:
            if not self.started:
                self.loop = uvloop.new_event_loop()
                self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
                self._thread.start()
                self.started = True

    def inside(self) -> bool:
        """Whether the caller runs on the loop's own thread."""
        return threading.current_thread() is self._thread

    def stop(self) -> None:
        """Stop the loop and wait for its thread."""
        if self._thread is not None:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join()

    def _serve(self) -> None:
        """Run until stopped, then let every task end and every transport close."""
        try:
            self.loop.run_forever()
        finally:
            self.loop.run_until_complete(_end_tasks())
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.loop.close()


async def _end_tasks() -> None:
    """Cancel what still runs and give closed transports their last turn."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)


class LoopThread:
    """Runs coroutines for other threads; starts when first used and survives a fork."""

    def __init__(self, name: str = "ocpi-client") -> None:
        """Remember the thread's name; nothing starts yet."""
        self._name = name
        self._closed = False
        self._by_process: dict[int, _Running] = {}

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Hand in a coroutine and return at once."""
        if self._closed:
            coroutine.close()
            raise RuntimeError("the event loop of this client is closed")
        return asyncio.run_coroutine_threadsafe(coroutine, self._running().loop)

    def run(self, coroutine: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """Hand in a coroutine and wait; a caller that stops waiting cancels it."""
        running = self._by_process.get(os.getpid())
        if running is not None and running.inside():
            coroutine.close()
            raise RuntimeError(
                "run() on the loop's own thread would wait for itself: await instead"
            )
        future = self.submit(coroutine)
        try:
            return future.result(timeout)
        except BaseException:
            future.cancel()
            raise

    def belongings(self) -> list[object]:
        """Return the list of what belongs to the loop the caller runs on, which must be this one.

        It hangs on the stack of the loop's thread. A forked child has that stack but not the
        thread, so there its values are never finalized and cannot disturb the parent's connections.
        """
        running = self._by_process.get(os.getpid())
        if running is None or not running.inside():
            raise RuntimeError("this coroutine belongs on the client's own loop: hand it to run()")
        return running.belongings

    @property
    def started(self) -> bool:
        """Whether there is a loop in this process."""
        return os.getpid() in self._by_process

    def close(self) -> None:
        """End tasks, loop and thread of this process; safe to call twice."""
        self._closed = True
        running = self._by_process.pop(os.getpid(), None)
        if running is not None:
            running.stop()

    def _running(self) -> _Running:
        """Return this process's loop, started; `setdefault` lets one of several threads win."""
        pid = os.getpid()
        running = self._by_process.get(pid)
        if running is None:
            running = self._by_process.setdefault(pid, _Running())
        if not running.started:
            running.ensure_started(self._name)
        return running
