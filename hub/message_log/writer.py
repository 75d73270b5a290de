"""The one thread of each process that writes the log, on a database connection of its own.

It looks four times a second, so nobody has to wake it. While the database does not take what it
has, entries wait in the buffer. It ends after the process's main thread, when all is written.
A batch is a transaction, with what it adds to the figures: whether one whose end was not heard of
was committed is asked before it is written again.
"""

import logging
import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from time import monotonic

import psycopg
from django.conf import settings
from django.db import connections

from hub.message_log import counters, rows, unpublished
from hub.message_log import sql as statements
from hub.message_log.buffer import Buffer
from hub.message_log.endpoints import Endpoints
from hub.message_log.entry import Entry
from hub.message_log.quota import Quota

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 0.25
_RETRY_SECONDS = 2.0
_BATCH = 500
_UNFIT = (psycopg.DataError, psycopg.IntegrityError, ValueError, TypeError)
"""What is wrong with a row, and will be at the next attempt; all else is the database's trouble."""


class _CommitUnderWay(Exception):
    """Nobody knows yet whether a batch is written."""


class Writer:
    """Takes entries at once, writes them soon; the thread starts with a process's first entry."""

    def __init__(self) -> None:
        """Begin with nothing to write."""
        self._starting = threading.Lock()
        self._process = 0
        self._begin()

    def put(self, entry: Entry) -> None:
        """Remember an entry, or count it as dropped; neither waits nor fails."""
        if self._process != os.getpid():
            self._start()
        if entry.is_rationed and not self._quota.take(entry.platform, entry.at):
            entry = replace(entry, is_written=False)
        self._buffer.put(entry, most=settings.HUB_MESSAGE_LOG_BUFFER_BYTES)

    def flush(self) -> bool:
        """Write all that is there now; return whether the database took it."""
        with self._writing:
            while self._buffer and self._write():
                pass
            return not self._buffer

    def close(self) -> None:
        """Write what is there, end the thread and let go of the connection."""
        if self._thread is not None:
            self._stop.set()
            self._thread.join()
        self._process = 0

    def _begin(self) -> None:
        self._buffer = Buffer()
        self._quota = Quota()
        self._endpoints = Endpoints()
        self._writing = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._connection: psycopg.Connection | None = None
        self._in_trouble = False
        self._unconfirmed: tuple[str, int] | None = None

    def _start(self) -> None:
        """Start anew in this process: what a parent had to write is the parent's."""
        with self._starting:
            if self._process != os.getpid():
                self._begin()
                # No daemon: the interpreter waits for it, so that the last entries are written.
                self._thread = threading.Thread(target=self._run, name="message-log", daemon=False)
                self._thread.start()
                self._process = os.getpid()

    def _run(self) -> None:
        main = threading.main_thread()
        while main.is_alive() and not self._stop.wait(_PAUSE_SECONDS):
            if not self.flush():
                self._pause(main)
            self._report_dropped()
        self.flush()
        self._report_dropped()
        self._disconnect()

    def _pause(self, main: threading.Thread) -> None:
        end = monotonic() + _RETRY_SECONDS
        while monotonic() < end and main.is_alive() and not self._stop.wait(_PAUSE_SECONDS):
            pass

    def _write(self) -> bool:
        """Write one batch; return whether that worked."""
        try:
            self._remove_if_committed()
            entries = self._buffer.first(_BATCH)
            self._copy(entries)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next attempt may go well
            if not self._in_trouble:
                log.warning("the message log waits, its database does not take it: %s", error)
            self._in_trouble = True
            self._disconnect()
            return False
        self._in_trouble = False
        self._unconfirmed = None
        self._buffer.remove(len(entries))
        return True

    def _remove_if_committed(self) -> None:
        """Forget the last batch if it was committed although nobody heard of that."""
        if self._unconfirmed is None:
            return
        connection, (transaction, number) = self._connected(), self._unconfirmed
        asked = connection.execute(statements.TRANSACTION_STATUS, [transaction])
        [status] = asked.fetchone() or (None,)
        if status == "in progress":
            raise _CommitUnderWay(transaction)
        self._unconfirmed = None
        if status == "committed":
            self._buffer.remove(number)

    def _copy(self, entries: Sequence[Entry]) -> None:
        connection = self._connected()
        self._endpoints.refresh(connection, (each.url for each in entries if not each.is_inbound))
        written = [entry for entry in entries if entry.is_written]
        written_rows = unpublished.without_bodies(
            connection, [self._row(entry) for entry in written]
        )
        counted_rows = [rows.counted_row(entry) for entry in entries if not entry.is_written]
        try:
            with connection.transaction():
                self._store(written_rows, counted_rows)
                [[number]] = connection.execute(statements.TRANSACTION_NUMBER).fetchall()
                # Before the COMMIT: of one whose answer is lost nobody knows whether the entries
                # are in the log, and written again they might be there twice.
                self._unconfirmed = (number, len(entries))
        except _UNFIT as error:
            log.warning("the message log has what the database cannot hold: %s", error)
            for entry, row in zip(written, written_rows, strict=True):
                self._store_one(entry, row)

    def _store(
        self, written_rows: Sequence[rows.Row], counted_rows: Sequence[rows.Row] = ()
    ) -> None:
        """Write rows of the log, and count them with those that are counted only."""
        connection = self._connected()
        with connection.cursor() as cursor, cursor.copy(statements.COPY_ROWS.encode()) as copy:
            for row in written_rows:
                copy.write_row(row)
        counters.count(connection, [*written_rows, *counted_rows], self._endpoints.platforms)

    def _store_one(self, entry: Entry, row: rows.Row) -> None:
        """Write a row, else what is certain of it: nothing a peer sends keeps it out of the log."""
        for each in (row, rows.textless_row(entry)):
            with suppress(*_UNFIT), self._connected().transaction():
                self._store([each])
                return

    def _row(self, entry: Entry) -> rows.Row:
        try:
            return rows.masked_row(entry, self._endpoints)
        except Exception:
            log.exception("an exchange is logged without its texts: they cannot be masked")
            return rows.textless_row(entry)

    def _connected(self) -> psycopg.Connection:
        if self._connection is None:
            given = connections["default"].get_connection_params()
            del given["context"]
            given |= {"cursor_factory": psycopg.Cursor, "autocommit": True}
            given.setdefault("connect_timeout", 3)
            self._connection = psycopg.connect(**given)
            self._connection.execute(statements.SET_TIMEOUTS)
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _report_dropped(self) -> None:
        dropped = self._buffer.take_dropped()
        if dropped:
            log.warning("the message log has a gap: %d exchanges did not fit", dropped)


writer = Writer()
"""The one of this process."""
