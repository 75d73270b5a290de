"""The directory: what the database answered about parties, remembered for an epoch.

docs/decisions/0011-answers-remembered.md. SQL decides who may what, and nothing does it again here:
a `Question` asks one statement, and equal questions of one epoch have the same answer. How a
platform is connected changes without an epoch. An answer that tells of it is kept for a second at
most, and ends when this process notes something of that platform.
"""

import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Collection, Sized
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any, Final, Generic, TypeVar

from django.db import connection, transaction

from parties.epoch import Epoch

A = TypeVar("A", bound=Sized)

MOST_KEPT: Final = 200_000
"""Items of all the answers that a process remembers, and one for each answer."""
HEALTH_SECONDS: Final = 1.0
"""For so long an answer is kept that tells how a platform is connected."""


class Question(ABC, Generic[A]):
    """A question to the database; a frozen dataclass, as it is compared with others."""

    __slots__ = ()

    @abstractmethod
    def ask(self) -> A:
        """Ask the database, in one statement."""

    def is_kept(self, answer: A) -> bool:
        """Whether an answer is worth remembering: not what anybody can ask about nothing."""
        return len(answer) > 0

    def platforms(self, answer: A) -> Collection[int]:
        """Return the ids of platforms whose connection health the answer tells."""
        del answer
        return ()


@dataclass(frozen=True, slots=True)
class _Entry:
    answer: Any
    epoch: Epoch
    asked_at: float
    until: float
    platforms: Collection[int]

    @property
    def size(self) -> int:
        return 1 + len(self.answer)


class Memory:
    """The remembered answers, those least recently used the first to go; for any thread."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        """Make an empty one for so many items."""
        self._most = most
        self._size = 0
        self._entries: OrderedDict[Question[Any], _Entry] = OrderedDict()
        self._noted: dict[int, float] = {}
        self._lock = Lock()

    def known(self, question: Question[A], epoch: Epoch | None) -> A | None:
        """Return what is remembered for an epoch, without asking anybody; None for nothing."""
        entry = self._entries.get(question)
        if entry is None or entry.epoch is not epoch or not self._is_good(entry):
            return None
        with self._lock:
            if question in self._entries:
                self._entries.move_to_end(question)
        answer: A = entry.answer
        return answer

    def remember(
        self,
        question: Question[A],
        answer: A,
        epoch: Epoch,
        *,
        asked_at: float,
        platforms: Collection[int] = (),
    ) -> None:
        """Keep an answer that was asked for in an epoch, at this `time.monotonic()`.

        It tells of the connection health of `platforms`, if of any.
        """
        until = min(epoch.until, asked_at + HEALTH_SECONDS) if platforms else epoch.until
        entry = _Entry(answer, epoch, asked_at, until, platforms)
        with self._lock:
            self._drop(question)
            self._entries[question] = entry
            self._size += entry.size
            while self._size > self._most:
                self._drop(next(iter(self._entries)))

    def forget(self, question: Question[Any]) -> None:
        """Forget one answer."""
        with self._lock:
            self._drop(question)

    def health_changed(self, platform_id: int) -> None:
        """Trust no answer that was asked for earlier and tells how this platform is connected."""
        self._noted[platform_id] = time.monotonic()

    @property
    def size(self) -> int:
        """How many items it holds."""
        return self._size

    def _drop(self, question: Question[Any]) -> None:
        entry = self._entries.pop(question, None)
        if entry is not None:
            self._size -= entry.size

    def _is_good(self, entry: _Entry) -> bool:
        if time.monotonic() >= entry.until:
            return False
        return all(self._noted.get(each, 0) < entry.asked_at for each in entry.platforms)


memory = Memory()
"""What this process remembers."""


def answer(question: Question[A], epoch: Epoch | None) -> A:
    """Return what is remembered for an epoch, else ask; None: ask in any case."""
    if connection.in_atomic_block:
        epoch = None
    known = memory.known(question, epoch)
    if known is not None:
        return known
    asked_at = time.monotonic()
    found = question.ask()
    if epoch is not None and question.is_kept(found):
        platforms = question.platforms(found)
        memory.remember(question, found, epoch, asked_at=asked_at, platforms=platforms)
    return found


def health_changed(platform_id: int) -> None:
    """Say, after its commit, that it was noted how a platform is connected."""
    transaction.on_commit(partial(memory.health_changed, platform_id))
