"""Entries that wait to be written: as many as fit into the memory they may take."""

import threading
from collections import deque
from itertools import islice

from hub.message_log.entry import Entry


class Buffer:
    """First in, first out; what does not fit is dropped and counted, nobody waits."""

    def __init__(self) -> None:
        """Begin empty."""
        self._entries: deque[Entry] = deque()
        self._lock = threading.Lock()
        self._weight = 0
        self._dropped = 0

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, entry: Entry, *, most: int) -> None:
        """Add an entry, unless all of them would then be heavier than `most`."""
        weight = entry.weight
        with self._lock:
            if self._weight + weight > most:
                self._dropped += 1
                return
            self._weight += weight
            self._entries.append(entry)

    def first(self, number: int) -> list[Entry]:
        """Return the oldest entries, which stay until they are removed."""
        with self._lock:
            return list(islice(self._entries, number))

    def remove(self, number: int) -> None:
        """Forget the oldest entries."""
        with self._lock:
            for _ in range(number):
                self._weight -= self._entries.popleft().weight

    def take_dropped(self) -> int:
        """Return how many were dropped since this was last asked."""
        with self._lock:
            dropped, self._dropped = self._dropped, 0
        return dropped
