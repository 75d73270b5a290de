"""The one thread of each process that writes the log, on a database connection of its own.

It looks into the buffer four times a second, so nobody has to wake it; while the database fails,
entries wait there. It ends after the process's main thread, having tried once more to write what is
left; what the database did not take even then is reported as a gap.
A batch of entries is one transaction, together with what it adds to the figures; of a batch with a
row that the database cannot hold, each entry is. If the connection breaks during the COMMIT, the
writer asks PostgreSQL whether that transaction was committed before it writes the batch again.
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
from hub.message_log.sql import LogRow

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 0.25
_RETRY_SECONDS = 2.0
_BATCH = 500
_BAD_ROW = (psycopg.DataError, psycopg.IntegrityError, ValueError, TypeError)
"""Errors of the row itself, which fails again; all others are the database's, and may pass."""


class _CommitUnderWay(Exception):
    """PostgreSQL is still committing the last batch, or rolling it back."""


class Writer:
    """Takes entries at once and writes them soon; its thread starts with the first entry."""

    def __init__(self) -> None:
        self._starting = threading.Lock()
        self._process = 0
        self._begin()

    def put(self, entry: Entry) -> None:
        """Add an entry to the buffer, or count it as dropped; this neither waits nor fails."""
        if self._process != os.getpid():
            self._start()
        if entry.is_rationed and not self._quota.take(entry.platform, entry.at):
            entry = replace(entry, is_written=False)
        self._buffer.put(entry, max_bytes=settings.HUB_MESSAGE_LOG_BUFFER_BYTES)

    def flush(self) -> bool:
        """Write all entries that wait; return whether the database took them."""
        with self._writing:
            while self._buffer and self._write():
                pass
            return not self._buffer

    def close(self) -> None:
        """End the thread, which tries once to write what is left and closes its connection.

        What was not written even then is reported as a gap, and forgotten.
        """
        if self._thread is not None:
            self._stop.set()
            self._thread.join()
        self._process = 0
        self._begin()

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
        """Transaction number and entries of a batch whose COMMIT has not been answered."""
        self._alone = 0
        """So many entries are written each by itself: one of them is what the database refuses."""

    def _start(self) -> None:
        """Start anew in this process: after a fork, the parent writes what is in the buffer."""
        with self._starting:
            if self._process != os.getpid():
                self._begin()
                # Not a daemon: the interpreter waits for it to try the last entries.
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
        if self._buffer:
            log.warning("the message log has a gap: %d exchanges came too late", len(self._buffer))
        self._disconnect()

    def _pause(self, main: threading.Thread) -> None:
        end = monotonic() + _RETRY_SECONDS
        while monotonic() < end and main.is_alive() and not self._stop.wait(_PAUSE_SECONDS):
            pass

    def _write(self) -> bool:
        """Write one batch; return whether that worked."""
        try:
            self._remove_if_committed()
            entries = self._buffer.first(1 if self._alone else _BATCH)
            done = self._copy(entries)
        except Exception as error:  # noqa: BLE001 - the next attempt may succeed
            if not self._in_trouble:
                log.warning("the message log waits, its database does not take it: %s", error)
            self._in_trouble = True
            self._disconnect()
            return False
        self._in_trouble = False
        self._unconfirmed = None
        self._buffer.remove(done)
        return True

    def _remove_if_committed(self) -> None:
        """Remove the last batch from the buffer if only the answer to its COMMIT was lost."""
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

    def _copy(self, entries: Sequence[Entry]) -> int:
        """Write entries; return how many are dealt with: none when one of several is refused.

        Alone, a refused one is written without its texts: no peer can keep a row out of the log.
        """
        connection = self._connected()
        self._endpoints.refresh(connection, (each.url for each in entries if not each.is_inbound))
        written = [entry for entry in entries if entry.is_written]
        written_rows = unpublished.without_bodies(
            connection, [self._row(entry) for entry in written]
        )
        counted_rows = [rows.counted_row(entry) for entry in entries if not entry.is_written]
        try:
            self._commit(written_rows, counted_rows, len(entries))
        except _BAD_ROW as error:
            log.warning("the message log has what the database cannot hold: %s", error)
            if len(entries) > 1:
                self._alone = len(entries)
                return 0
            with suppress(*_BAD_ROW):
                self._commit([rows.textless_row(entry) for entry in written], (), 1)
        self._alone = max(0, self._alone - len(entries))
        return len(entries)

    def _commit(
        self, written_rows: Sequence[LogRow], counted_rows: Sequence[LogRow], entries: int
    ) -> None:
        connection = self._connected()
        with connection.transaction():
            self._store(written_rows, counted_rows)
            [[number]] = connection.execute(statements.TRANSACTION_NUMBER).fetchall()
            # Set before the COMMIT: if its answer is lost, the entries may be in the log, and
            # writing them again would double them.
            self._unconfirmed = (number, entries)

    def _store(self, written_rows: Sequence[LogRow], counted_rows: Sequence[LogRow]) -> None:
        """Write rows of the log; count them in the figures, with those that are only counted."""
        connection = self._connected()
        with connection.cursor() as cursor, cursor.copy(statements.COPY_ROWS.encode()) as copy:
            for row in written_rows:
                copy.write_row(row)
        counters.count(connection, [*written_rows, *counted_rows], self._endpoints.platforms)

    def _row(self, entry: Entry) -> LogRow:
        try:
            return rows.masked_row(entry, self._endpoints)
        except Exception:
            log.exception("an exchange is logged without its texts: they cannot be masked")
            return rows.textless_row(entry)

    def _connected(self) -> psycopg.Connection:
        if self._connection is None:
            given = connections["default"].get_connection_params()
            del given["context"]  # Django's adapters: psycopg's own do here
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
"""The writer of this process."""
