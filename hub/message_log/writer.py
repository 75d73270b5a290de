"""The one thread of each process that has the log written: by the log process, or by itself.

It looks into the buffer four times a second, so nobody has to wake it; while the database fails,
entries wait there. It ends after the process's main thread, having tried once more to have written
what is left; what was not taken even then is reported as a gap.
Where a log process runs, batches are handed over to it, and this process spends nothing on masking
and writing; where none does, in commands and tests, the thread writes them (`batches.py`). If the
end of a batch is not heard of, it is written again unless its transaction was committed.
"""

import logging
import os
import sys
import threading
from dataclasses import replace
from time import monotonic, time

from django.conf import settings

from hub.message_log import handover
from hub.message_log.batches import BatchRefused, BatchWriter, EntryBatch
from hub.message_log.buffer import Buffer
from hub.message_log.entry import Entry, gap
from hub.message_log.handover import Handover
from hub.message_log.quota import Quota

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 0.25
_RETRY_SECONDS = 2.0
_LAST_SECONDS = 5.0
"""So long an ended process waits for the log process to write what is left."""
_BATCH = 500


class LogWriter:
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
            while self._buffer:
                if not self._write():
                    return False
            return True

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
        self._writing = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._own = BatchWriter()
        self._handover: Handover | None = None
        self._in_trouble = False
        self._missing = 0
        """So many exchanges were dropped of which the log does not say so yet."""
        self._ended_at: float | None = None
        """On the clock of `monotonic`, when this process was seen to end."""
        self._attempt, self._attempted = "", 0
        """Transaction and entries of a batch whose COMMIT has not been answered."""
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
        while not self._is_ending(_PAUSE_SECONDS):
            if not self._flush_and_report():
                self._pause()
        if self._flush_and_report():
            self.flush()  # the gap, if there is one
        if self._buffer:
            log.warning("the message log has a gap: %d exchanges came too late", len(self._buffer))
        self._disconnect()

    def _is_ending(self, seconds: float) -> bool:
        """Wait a little; return whether it is time to end."""
        return self._stop.wait(seconds) or not threading.main_thread().is_alive()

    def _may_wait(self) -> bool:
        """Whether there is time to wait for the log process."""
        if self._thread is None or not self._is_ending(0):
            return True
        if self._ended_at is None:
            self._ended_at = monotonic()
        return monotonic() < self._ended_at + _LAST_SECONDS

    def _pause(self) -> None:
        end = monotonic() + _RETRY_SECONDS
        while monotonic() < end and not self._is_ending(_PAUSE_SECONDS):
            pass

    def _write(self) -> bool:
        """Have one batch written; return whether that worked."""
        entries = self._buffer.first(self._attempted or (1 if self._alone else _BATCH))

        def announce(transaction: str) -> None:
            # Noted before the COMMIT: if its answer is lost, the entries may be in the log, and
            # writing them again would double them.
            self._attempt, self._attempted = transaction, len(entries)

        try:
            self._destination().write(EntryBatch(entries, self._attempt), announce)
        except BatchRefused as refusal:
            self._write_alone(len(entries), refusal)
            return True
        except Exception as error:  # noqa: BLE001 - the next attempt may succeed
            if not self._in_trouble:
                log.warning("the message log waits, it is not written: %s", error)
            self._in_trouble = True
            self._disconnect()
            return False
        self._in_trouble = False
        self._done_with(len(entries))
        return True

    def _write_alone(self, number: int, refusal: BatchRefused) -> None:
        """Go on one by one; what is refused even so, and no code of the hub makes, is dropped."""
        if number > 1:
            self._attempt, self._attempted, self._alone = "", 0, number
            return
        log.warning("the message log has a gap: an exchange cannot be read: %s", refusal)
        self._missing += number
        self._done_with(number)

    def _done_with(self, number: int) -> None:
        self._attempt, self._attempted = "", 0
        self._alone = max(0, self._alone - number)
        self._buffer.remove(number)

    def _destination(self) -> BatchWriter | Handover:
        if self._handover is None:
            self._handover = handover.connect(self._may_wait)
        return self._handover or self._own

    def _disconnect(self) -> None:
        if self._handover is not None:
            self._handover.close()
            self._handover = None
        self._own.close()

    def _flush_and_report(self) -> bool:
        """Write what waits, and say what did not fit; return whether that worked.

        In the message log it stands once that is written again: until then it would only heap up.
        """
        is_written, dropped = self.flush(), self._buffer.take_dropped()
        if dropped:
            log.warning("the message log has a gap: %d exchanges did not fit", dropped)
        self._missing += dropped
        if is_written and self._missing:
            self._buffer.put(gap(self._missing, time()), max_bytes=sys.maxsize)
            self._missing = 0
        return is_written


writer = LogWriter()
"""The writer of this process."""
