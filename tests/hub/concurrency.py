"""Running functions at the same time, each in a thread with a database connection of its own."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from django.db import connection


def start(pool: ThreadPoolExecutor, work: Callable[[], object]) -> Future[object]:
    """Start a function whose connection is closed at its end."""

    def run() -> object:
        try:
            return work()
        finally:
            connection.close()

    return pool.submit(run)


def at_once(work: Sequence[Callable[[], object]]) -> None:
    """Run all functions from the same moment on; raises what any of them raised."""
    barrier = threading.Barrier(len(work))

    def behind_barrier(function: Callable[[], object]) -> Callable[[], object]:
        def run() -> object:
            barrier.wait()
            return function()

        return run

    with ThreadPoolExecutor(len(work)) as pool:
        started = [start(pool, behind_barrier(function)) for function in work]
        for future in started:
            future.result()


def closing(work: Callable[[], object]) -> Callable[[], None]:
    """Let a function be called in somebody else's thread, whose connection is closed behind it."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    return run
