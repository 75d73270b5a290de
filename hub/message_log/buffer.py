"""Entries that wait to be written, within a bound of memory."""

import threading
from collections import deque
from itertools import islice

from hub.message_log.entry import Entry


class Buffer:
    """First in, first out. What does not fit is dropped and counted: `put` never waits."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()
        self._lock = threading.Lock()
        self._bytes = 0
        self._dropped = 0

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, entry: Entry, *, max_bytes: int) -> None:
        """Add an entry, unless all of them would then take more than `max_bytes` of memory."""
        size = entry.bytes_in_memory
        with self._lock:
            if self._bytes + size > max_bytes:
                self._dropped += 1
                return
            self._bytes += size
            self._entries.append(entry)

    def first(self, number: int) -> list[Entry]:
        """Return the oldest `number` entries; they stay until `remove` is called."""
        with self._lock:
            return list(islice(self._entries, number))

    def remove(self, number: int) -> None:
        """Remove the oldest `number` entries."""
        with self._lock:
            for _ in range(number):
                self._bytes -= self._entries.popleft().bytes_in_memory

    def take_dropped(self) -> int:
        """Return how many were dropped since the last call, and begin again at zero."""
        with self._lock:
            dropped, self._dropped = self._dropped, 0
        return dropped
