"""Workers of a test: what beat and Celery do, with threads in this process."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

from hub.delivery import backlog, engine, subscriptions
from hub.module_policy import POLICIES
from tests.hub.concurrency import start


@contextmanager
def workers(number: int = 4) -> Iterator[None]:
    """Deliver whatever is behind, several subscriptions at a time, while the block runs."""
    stop = threading.Event()
    with ThreadPoolExecutor(number + 1) as pool:
        busy: dict[int, Future[object]] = {}

        def dispatch() -> None:
            subscriptions.reconcile()
            while not stop.wait(0.02):
                for pk in [pk for module in POLICIES for pk, _ in backlog.behind(module)]:
                    if pk not in busy or busy[pk].done():
                        busy[pk] = start(pool, partial(engine.deliver_and_wait, pk))

        dispatcher = start(pool, dispatch)
        try:
            yield
        finally:
            stop.set()
            dispatcher.result(timeout=30)
            for future in busy.values():
                future.result(timeout=30)
