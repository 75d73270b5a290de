"""A process that waits does what other threads leave to it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from time import monotonic

import pytest

from sandbox.demo.signals import Signals


@pytest.fixture
def signals() -> Iterator[Signals]:
    """A process that reports to nobody."""
    with closing(Signals(lambda: None)) as made:
        yield made


def test_errands_are_run_by_the_thread_that_rests(signals: Signals) -> None:
    """In order, and without waiting for the time to be over."""
    done: list[tuple[str, int]] = []
    began = monotonic()

    def errand(name: str) -> Callable[[], None]:
        return lambda: done.append((name, threading.get_ident()))

    def leave() -> None:
        for name in ("one", "two"):
            signals.add_errand(errand(name))

    other = threading.Thread(target=leave)
    other.start()
    other.join()
    assert not signals.run_errands(0.1)

    here = threading.get_ident()
    assert done == [("one", here), ("two", here)]
    assert monotonic() - began < 1


def test_waiting_leaves_errands_alone(signals: Signals) -> None:
    """In the middle of one business nothing else is done."""
    done: list[int] = []
    signals.add_errand(lambda: done.append(1))

    assert not signals.wait(0.05)
    assert done == []
    assert not signals.run_errands(0)
    assert done == [1]
