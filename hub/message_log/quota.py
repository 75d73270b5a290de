"""How many rows a minute the log has for requests that anybody can send.

These are requests of strangers (callers without a token of the hub), and of platforms over their
rate. Beyond the quota they are only counted: that takes no disk, and the figures have their number.
Each process has a quota of its own.
"""

from collections import Counter
from threading import Lock

from django.conf import settings

_MINUTE_SECONDS = 60


class Quota:
    """The rows taken in this minute: by each platform, and by all strangers together."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._minute = 0
        self._taken: Counter[str] = Counter()

    def take(self, platform: str, at: float) -> bool:
        """Take a row for a platform, or for strangers if it is empty; return whether one was left.

        `at` is in seconds since 1970.
        """
        minute = int(at // _MINUTE_SECONDS)
        with self._lock:
            if minute > self._minute:
                self._minute = minute
                self._taken.clear()
            self._taken[platform] += 1
            quota: int = settings.HUB_STRANGER_ROWS_PER_MINUTE
            return self._taken[platform] <= quota
