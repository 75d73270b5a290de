"""The lines of the process log: one for each record, whatever a peer wrote into it.

They are short, and those of one place in the code are so many a minute: who can make the hub say
something, as a stranger with a foreign Host does, cannot fill the disk by that.
"""

import logging
from threading import Lock
from types import TracebackType
from typing import Any

from ocpi.printable import escaped

LONGEST_LINE = 4_000
"""Characters of a record; of what follows it the end is kept, four times as much."""
MOST_LINES_A_MINUTE = 120
"""Of one place in the code."""
_MINUTE = 60

_Failure = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Flood(logging.Filter):
    """Lets so many records of one place pass in a minute; the next one counts those left out."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = Lock()
        self._passed: dict[tuple[str, int], tuple[int, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is written."""
        place, minute = (record.pathname, record.lineno), int(record.created // _MINUTE)
        with self._lock:
            since, number = self._passed.get(place, (minute, 0))
            left_out = max(0, number - MOST_LINES_A_MINUTE) if since != minute else 0
            number = 1 if since != minute else number + 1
            self._passed[place] = minute, number
        if left_out:
            record.msg = f"{record.getMessage()} (and {left_out:,} more in a minute before)"
            record.args = None
        return number <= MOST_LINES_A_MINUTE


class Line(logging.Formatter):
    """Shows what would act on a terminal; what follows a line is indented, so that none passes."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record; a request that cannot be meant for the hub is no failure of its own."""
        if not record.name.startswith("django.security."):
            return super().format(record)
        bare = {"levelno": logging.WARNING, "levelname": "WARNING", "exc_info": None}
        return super().format(logging.makeLogRecord({**record.__dict__, **bare, "exc_text": None}))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Write one line."""
        return escaped(super().formatMessage(record)[:LONGEST_LINE])

    def formatException(self, ei: _Failure) -> str:  # noqa: N802 - logging's name
        """Write a traceback below it."""
        return _indented(super().formatException(ei))

    def formatStack(self, stack_info: Any) -> str:  # noqa: N802, ANN401 - as logging has it
        """Write a stack below it."""
        return _indented(super().formatStack(stack_info))


def _indented(text: str) -> str:
    end = escaped(text[-4 * LONGEST_LINE :], lines=True)
    return "\n".join(f"  {line}" for line in end.split("\n"))
