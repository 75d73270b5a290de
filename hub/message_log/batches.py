"""Batches of entries made into rows and written, each in one transaction with its figures.

The only place where rows are made: a process writes batches itself, or hands them to the log
process, which does. A transaction's number is announced before its COMMIT, so that whoever does
not hear of the end can have PostgreSQL asked whether that transaction was committed.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import psycopg
from django.db import connections

from hub.message_log import counters, rows, unpublished
from hub.message_log import sql as statements
from hub.message_log.endpoints import Endpoints
from hub.message_log.entry import Entry, LoggedRoute
from hub.message_log.sql import LogRow

log = logging.getLogger(__name__)

BAD_ROW = (psycopg.DataError, psycopg.IntegrityError, ValueError, TypeError)
"""Errors of the row itself, which fails again; all others are the database's, and may pass."""
Announce = Callable[[str], None]
"""Takes the number of a transaction that is about to be committed."""


class CommitUnderWay(Exception):
    """PostgreSQL is still committing a batch, or rolling it back."""


class BatchRefused(Exception):
    """One of several entries is what the database cannot hold; nothing is written."""


@dataclass(frozen=True, slots=True)
class EntryBatch:
    """Entries to write at once; `attempt` is the transaction that may have written them already."""

    entries: Sequence[Entry]
    attempt: str = ""


class BatchWriter:
    """Writes batches on a database connection of its own."""

    def __init__(self) -> None:
        self._endpoints = Endpoints()
        self._connection: psycopg.Connection | None = None

    def write(self, batch: EntryBatch, announce: Announce) -> None:
        """Write a batch, unless its former attempt was committed.

        Raises `BatchRefused`, or what the database raises: then the connection is given up. A
        refused entry that is alone is written without its texts: no peer can keep a row out of the
        log.
        """
        try:
            if not batch.attempt or not self._was_committed(batch.attempt):
                self._write(batch.entries, announce)
        except BatchRefused:
            raise
        except Exception:
            self.close()
            raise

    def close(self) -> None:
        """Give up the database connection; the next batch makes another one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _was_committed(self, transaction: str) -> bool:
        asked = self._connected().execute(statements.TRANSACTION_STATUS, [transaction])
        [status] = asked.fetchone() or (None,)
        if status == "in progress":
            raise CommitUnderWay(f"transaction {transaction} is not over")
        return bool(status == "committed")

    def _write(self, entries: Sequence[Entry], announce: Announce) -> None:
        connection = self._connected()
        self._endpoints.refresh(connection, (each.url for each in entries if not each.is_inbound))
        written = [entry for entry in entries if entry.is_written]
        written_rows = unpublished.without_bodies(
            connection, [self._row(entry) for entry in written]
        )
        counted_rows = [rows.counted_row(entry) for entry in entries if not entry.is_written]
        try:
            self._commit(written_rows, counted_rows, announce)
        except BAD_ROW as error:
            log.warning("the message log has what the database cannot hold: %s", error)
            if len(entries) > 1:
                raise BatchRefused from error
            with suppress(*BAD_ROW):
                self._commit([rows.textless_row(entry) for entry in written], (), announce)

    def _commit(
        self, written_rows: Sequence[LogRow], counted_rows: Sequence[LogRow], announce: Announce
    ) -> None:
        connection = self._connected()
        with connection.transaction():
            self._store(written_rows, counted_rows)
            [[number]] = connection.execute(statements.TRANSACTION_NUMBER).fetchall()
            announce(number)

    def _store(self, written_rows: Sequence[LogRow], counted_rows: Sequence[LogRow]) -> None:
        """Write rows of the log; count them in the figures, with those that are only counted."""
        connection = self._connected()
        with connection.cursor() as cursor, cursor.copy(statements.COPY_ROWS.encode()) as copy:
            for row in written_rows:
                copy.write_row(row)
        messages = [row for row in (*written_rows, *counted_rows) if row.route != LoggedRoute.GAP]
        counters.count(connection, messages, self._endpoints.platforms)

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
