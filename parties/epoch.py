"""The epoch: a stretch of time in which no answer about the parties changes.

docs/decisions/0011-answers-remembered.md. One row of `parties_epoch` has its number; triggers raise
it in the transaction of every change of a token, party, agreement or endpoint, and of a platform's
status, version and quirks. What was read in an epoch is good as long as that number stands, and
until the next moment at which an agreement or a token begins or ends by itself.
"""

import os
import time
from asyncio import Future, get_running_loop, shield
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import count
from threading import Lock

import psycopg
from django.db import OperationalError, connection
from psycopg.pq import ExecStatus

from database import own_connection
from parties.sql import EPOCH_NUMBER, NEXT_MOMENT

_PURPOSE = "hub: epoch"
_STATEMENT = b"epoch"


@dataclass(frozen=True, slots=True, eq=False)
class Epoch:
    """One epoch as this process met it: what was read in one is compared by identity.

    `until` is by `time.monotonic()`.
    """

    number: int
    until: float

    @property
    def lasts(self) -> bool:
        """Whether no agreement or token has begun or ended by itself since."""
        return time.monotonic() < self.until


class EpochQuestion:
    """The question for the present epoch: asked once for all who wait for its answer.

    Who comes while one is under way waits for the next: an answer is never older than its asker.
    Its connection is its own, so that it waits for no statement of others.
    """

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget everything, and a connection without closing it: after a fork it is another's."""
        self._arrivals = count(1)
        self._turn = Lock()
        self._answered = 0
        """Who arrived until then was answered by the last question."""
        self._outcome: Epoch | psycopg.Error | None = None
        self._connection: psycopg.Connection | None = None

    def current(self) -> Epoch:
        """Ask which epoch it is; raises Django's `OperationalError`."""
        arrival = next(self._arrivals)
        with self._turn:
            if arrival > self._answered:
                asked_for = next(self._arrivals)
                self._outcome = self._ask()
                self._answered = asked_for
            outcome = self._outcome
        if isinstance(outcome, Epoch):
            return outcome
        raise OperationalError("the epoch of the parties cannot be read") from outcome

    def last(self) -> Epoch | None:
        """Return the epoch of the last answer without asking; None if it is certainly over."""
        outcome = self._outcome
        return outcome if isinstance(outcome, Epoch) and outcome.lasts else None

    def close(self) -> None:
        """Close the connection; the next question opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self) -> Epoch | psycopg.Error:
        try:
            return self._read()
        except psycopg.Error:  # its server was started again, say: another connection may do
            self.close()
        try:
            return self._read()
        except psycopg.Error as error:
            self.close()
            return error

    def _read(self) -> Epoch:
        own = self._connected()
        number = _number(own)
        former = self._outcome
        if isinstance(former, Epoch) and former.number == number and former.lasts:
            return former
        # After the number: what changes in between belongs to the next one, and ends this anyway.
        now = time.monotonic()
        [seconds] = own.execute(NEXT_MOMENT).fetchone() or (None,)
        return Epoch(number, float("inf") if seconds is None else now + seconds)

    def _connected(self) -> psycopg.Connection:
        if self._connection is None:
            self._outcome = None  # another server may count other epochs by the same numbers
            self._connection = own_connection.connect(_PURPOSE)
            self._connection.pgconn.prepare(_STATEMENT, EPOCH_NUMBER.encode())
        return self._connection


class Awaited:
    """The same question for the coroutines of one event loop, which it never blocks.

    One thread asks for all who wait: a question costs one change of threads, however many share it.
    """

    def __init__(self, ask: Callable[[], Epoch] | None = None) -> None:
        """Ask this process's question, unless told another."""
        self._ask = ask or _question.current
        self._thread = ThreadPoolExecutor(1, "epoch")
        self._next: Future[Epoch] | None = None
        """For those who came since the question that is under way was asked."""
        self._is_asking = False

    async def current(self) -> Epoch:
        """Ask which epoch it is; raises Django's `OperationalError`."""
        if self._next is None:
            self._next = get_running_loop().create_future()
        answer = self._next
        if not self._is_asking:
            self._begin()
        return await shield(answer)  # who gives up does not take it from the others

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()

    def _begin(self) -> None:
        answer, self._next = self._next, None
        if answer is not None:
            self._is_asking = True
            asked = get_running_loop().run_in_executor(self._thread, self._ask)
            asked.add_done_callback(partial(self._finish, answer))

    def _finish(self, answer: Future[Epoch], asked: Future[Epoch]) -> None:
        self._is_asking = False
        failure = asked.exception()
        if failure is None:
            answer.set_result(asked.result())
        else:
            answer.set_exception(failure)
            answer.exception()  # nobody may be left to hear of it
        self._begin()


def _number(own: psycopg.Connection) -> int:
    """Read the number by libpq itself: every request asks, and a cursor costs thrice as much."""
    result = own.pgconn.exec_prepared(_STATEMENT, [])
    if result.status != ExecStatus.TUPLES_OK:
        raise psycopg.OperationalError(result.error_message.decode(errors="replace"))
    found = result.get_value(0, 0) if result.ntuples else None
    if found is None:
        raise psycopg.DataError("parties_epoch has no row: nothing that is remembered would end")
    return int(found)


_question = EpochQuestion()
"""Of this process."""
last = _question.last
awaited = Awaited()
"""The same, for the event loop of this process."""
os.register_at_fork(after_in_child=_question.begin_anew)


def current() -> Epoch | None:
    """Ask which epoch it is; None in a transaction. Raises Django's `OperationalError`.

    A transaction sees what it has changed itself: nothing that is remembered is good for it.
    """
    return None if connection.in_atomic_block else _question.current()
