"""Pace: how long a platform is left alone between two pages, by how willingly it answers.

docs/operations.md. A crawl begins with the whole `HUB_PULL_PAUSE`. Each page that comes halves the
pause, down to what the answer took: the platform is busy with the hub half of the time at most. Who
failed or asked for fewer requests (429) just before has the whole pause after every page.
"""


class Pace:
    """The pauses of one crawl, in seconds, none longer than `longest`."""

    def __init__(self, longest: float) -> None:
        """Begin with the longest."""
        self._longest = longest
        self._pause = longest
        self._is_kept = False

    def keep(self) -> None:
        """Spare the platform: no pause of this crawl becomes shorter."""
        self._pause = self._longest
        self._is_kept = True

    def after(self, seconds: float) -> float:
        """Return the pause after a page whose answer took so many seconds."""
        pause = max(self._pause, min(seconds, self._longest))
        if not self._is_kept:
            self._pause = pause / 2
        return pause
