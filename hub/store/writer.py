"""The writer of this process: while a batch of writes is on its way, the next one gathers.

A batch has writes of one module and kind, each of another object; the second write of an object
waits until the first is over, so that each object keeps its order. Batches are written by a few
threads, each on a database connection of its own. A write is answered when its transaction is
committed. A batch that the database refuses is written one by one. When the connection breaks,
nobody knows whether the batch was committed: its writes are answered with the error, and repeating
them is safe.
"""

import atexit
import logging
import os
import threading
from collections import OrderedDict, deque
from collections.abc import Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg
from django.db import connection as django_connection

from database import own_connection, sql
from hub.module_policy import ModulePolicy
from hub.store import batch
from hub.store.batch import Applied, Outcome
from hub.store.merge import Draft, Kind, draft
from hub.store.write_request import WriteRequest
from ocpi.errors import OcpiError, ServerError

log = logging.getLogger(__name__)

MOST_WAITING = 4_000
"""Writes that may wait in one process."""
MOST_WAITING_BYTES = 64_000_000
"""Bytes of their bodies, altogether."""
_MOST_IN_A_BATCH = 100
_MOST_BYTES_IN_A_BATCH = 4_000_000
_CONNECTIONS = 2
"""While one waits for its COMMIT, another batch is on its way."""
_END_SECONDS = 10
"""How long the end of the process waits for the writes that were accepted."""
_UNKNOWN = "the hub stops, and does not know whether this was stored: send it again"
_TIMEOUTS = "SET statement_timeout = '10s'; SET lock_timeout = '5s'"

PURPOSE = "hub: writer"
"""By which operators find its connections."""

_Group = tuple[ModulePolicy, bool, Kind]


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """A write that was accepted, and the future by which it is answered."""

    draft: Draft
    answer: "Future[Applied]" = field(default_factory=Future)

    @property
    def group(self) -> _Group:
        """What the writes of a batch have in common."""
        request = self.draft.request
        return request.policy, request.is_fed, self.draft.kind


class Writer:
    """Takes writes from any thread; its own threads start with the first of them."""

    def __init__(self) -> None:
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def submit(self, request: WriteRequest, *, epoch: int | None = None) -> "Future[Applied]":
        """Take a write; the future gives its result, or raises what `store.apply` raises.

        With an `epoch` it raises `EpochPassed` unless that is the present one of the parties. It
        cannot be cancelled. Raises nothing itself.
        """
        try:
            waiting = _Waiting(draft(request, epoch))
            waiting.answer.set_running_or_notify_cancel()
            self._accept(waiting)
        except OcpiError as error:
            refused: Future[Applied] = Future()
            refused.set_exception(error)
            return refused
        return waiting.answer

    def close(self) -> None:
        """Write what was accepted, answer what could not be written in time, and end."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(_END_SECONDS)
        with self._changed:
            left = [*self._all]
        for waiting in left:
            with suppress(InvalidStateError):  # a thread may have answered it
                waiting.answer.set_exception(ServerError(_UNKNOWN, http_status=503))

    def _begin(self) -> None:
        """Start anew: after a fork, the parent writes what it accepted."""
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._is_closing = False
        self._all: set[_Waiting] = set()
        """Accepted and not answered."""
        self._bytes = 0
        self._ready: OrderedDict[_Group, deque[_Waiting]] = OrderedDict()
        """Those whose object nobody else writes."""
        self._behind: dict[str, deque[_Waiting]] = {}
        """By the lock of each object that is being written: who writes it next."""

    def _accept(self, waiting: _Waiting) -> None:
        size = len(waiting.draft.request.body)
        with self._changed:
            if self._is_closing:
                raise _refusal("the hub stops")
            if len(self._all) >= MOST_WAITING or self._bytes + size > MOST_WAITING_BYTES:
                raise _refusal("too much waits to be stored")
            if not self._threads:
                self._start()
            self._all.add(waiting)
            self._bytes += size
            name = waiting.draft.lock
            if name in self._behind:
                self._behind[name].append(waiting)
            else:
                self._behind[name] = deque()
                self._make_ready(waiting)

    def _make_ready(self, waiting: _Waiting) -> None:
        self._ready.setdefault(waiting.group, deque()).append(waiting)
        self._changed.notify()

    def _start(self) -> None:
        # Daemons: until the interpreter's last moment others may wait for them; `close` ends them.
        atexit.register(self.close)
        for number in range(_CONNECTIONS):
            thread = threading.Thread(target=self._run, name=f"writer-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)  # only one that runs: without any, the next write tries

    def _run(self) -> None:
        connection = _Connection()
        while gathered := self._gathered():
            answers: Sequence[Applied | Exception] = ()
            try:
                answers = connection.write([waiting.draft for waiting in gathered])
            finally:
                self._answer(gathered, answers)
        connection.close()

    def _gathered(self) -> list[_Waiting]:
        """Return the next batch, waiting for one; empty once the writer is closed and done."""
        with self._changed:
            while not self._ready:
                if self._is_closing and not self._all:
                    self._changed.notify_all()
                    return []
                self._changed.wait()
            group, ready = self._ready.popitem(last=False)
            gathered = [ready.popleft()]
            octets = len(gathered[0].draft.request.body)
            while ready and len(gathered) < _MOST_IN_A_BATCH:
                octets += len(ready[0].draft.request.body)
                if octets > _MOST_BYTES_IN_A_BATCH:
                    break
                gathered.append(ready.popleft())
            if ready:
                self._ready[group] = ready  # behind the other groups
                self._changed.notify()
            return gathered

    def _answer(self, gathered: Sequence[_Waiting], answers: Sequence[Applied | Exception]) -> None:
        """Answer writes, and let those go on that waited for their objects."""
        with self._changed:
            for waiting in gathered:
                self._all.discard(waiting)
                self._bytes -= len(waiting.draft.request.body)
                behind = self._behind[waiting.draft.lock]
                if behind:
                    self._make_ready(behind.popleft())
                else:
                    del self._behind[waiting.draft.lock]
        unanswered = RuntimeError("the writer failed")
        for number, waiting in enumerate(gathered):
            answer = answers[number] if number < len(answers) else unanswered
            with suppress(InvalidStateError):  # `close` may have answered it
                if isinstance(answer, Exception):
                    waiting.answer.set_exception(answer)
                else:
                    waiting.answer.set_result(answer)


class _Connection:
    """A database connection of one thread, opened when it is needed."""

    def __init__(self) -> None:
        self._opened: psycopg.Connection | None = None

    def write(self, drafts: Sequence[Draft]) -> Sequence[Applied | Exception]:
        """Write drafts and return what became of each; this does not fail."""
        try:
            with django_connection.wrap_database_errors:
                return batch.run(self._connected(), drafts)
        except Exception as error:  # noqa: BLE001 - whoever waits for an answer gets this one
            is_lost = self._opened is None or self._opened.closed
            if is_lost:
                self.close()
            if is_lost or len(drafts) == 1:
                return [error] * len(drafts)
            log.warning("a batch of %d writes is written one by one: %s", len(drafts), error)
        return [answer for draft in drafts for answer in self.write([draft])]

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _connected(self) -> psycopg.Connection:
        if self._opened is not None and sql.is_closed(self._opened):
            self.close()
        if self._opened is None:
            opened = own_connection.connect(PURPOSE)
            opened.execute(_TIMEOUTS)
            self._opened = opened
        return self._opened


def _refusal(why: str) -> OcpiError:
    return ServerError(f"{why}; nothing was stored: send it again", http_status=503)


writer = Writer()
"""The writer of this process."""


def submit(request: WriteRequest, *, epoch: int | None = None) -> "Future[Applied]":
    """Hand a write to the writer of this process: see `Writer.submit`."""
    return writer.submit(request, epoch=epoch)


def apply(request: WriteRequest) -> Applied:
    """Store a write and append it to the feed; raises `OcpiError` and stores nothing if refused.

    It is committed when this returns, unless the caller is in a transaction: then the write is a
    part of that. The object's lock must be taken before the transaction number, which a transaction
    gets with its first write. So do not call it in a transaction that has written.
    """
    if not django_connection.in_atomic_block:
        django_connection.close()  # back into the pool: its thread waits now
        return submit(request).result()
    with sql.driver_connection() as connection:
        [outcome] = batch.run(connection, [draft(request)])
    return _result(outcome)


def repeat_post(request: WriteRequest) -> Applied | None:
    """Count a POST that was stored for its audience before; None if it was not.

    Raises `InvalidParameters` if its id was posted with other content, for whatever audience.
    """
    with sql.driver_connection() as connection:
        outcome = batch.repeat_post(connection, Draft(request, Kind.POST))
    return None if outcome is None else _result(outcome)


def _result(outcome: Outcome) -> Applied:
    if isinstance(outcome, Applied):
        return outcome
    raise outcome
