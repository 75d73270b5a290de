"""Running functions at the same time, each in a thread with a database connection of its own."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import psycopg
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


def wait_for_a_lock(
    observer: psycopg.Connection[tuple[object, ...]], kind: str = "advisory"
) -> None:
    """Return as soon as somebody waits for an object's lock; or for its row, a `transactionid`."""
    end = time.monotonic() + 10
    blocked = """SELECT 1 FROM pg_locks WHERE locktype = %s AND NOT granted AND coalesce(database
        = (SELECT oid FROM pg_database WHERE datname = current_database()), true)"""
    while not observer.execute(blocked, [kind]).fetchall():
        assert time.monotonic() < end
        time.sleep(0.01)


def closing(work: Callable[[], object]) -> Callable[[], None]:
    """Let a function be called in somebody else's thread, whose connection is closed behind it."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    return run
