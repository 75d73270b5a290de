"""Rows of the log for what anybody can cause: so many a minute, whoever sends how much.

Beyond them a request of a stranger, or of a platform over its rate, is only counted: it costs the
disk nothing, and the figures say how many there were. Each process has its own.
"""

from collections import Counter
from threading import Lock

from django.conf import settings

_MINUTE = 60


class Quota:
    """How many rows of this minute are taken, for each platform and for all strangers together."""

    def __init__(self) -> None:
        """Begin with none."""
        self._lock = Lock()
        self._minute = 0
        self._taken: Counter[str] = Counter()

    def take(self, platform: str, at: float) -> bool:
        """Take a row for a platform, or for all strangers together; return whether one was left."""
        minute = int(at // _MINUTE)
        with self._lock:
            if minute > self._minute:
                self._minute = minute
                self._taken.clear()
            self._taken[platform] += 1
            most: int = settings.HUB_STRANGER_ROWS_PER_MINUTE
            return self._taken[platform] <= most
