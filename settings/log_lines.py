"""The lines of the process log: one for each record, whatever a peer wrote into it.

Lines are short, and each place in the code may write only so many a minute: a stranger who can
make the hub log something, by a foreign Host for example, cannot fill the disk with it.
"""

import logging
from threading import Lock
from types import TracebackType
from typing import Any

from ocpi.printable import escaped

LONGEST_LINE = 4_000
"""Characters of a record; of a traceback below it the end is kept, four times as much."""
MOST_LINES_A_MINUTE = 120
"""Of one place in the code."""
_MINUTE = 60

_Failure = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Flood(logging.Filter):
    """Bounds the records of each place in the code; the first of a later minute counts the rest."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = Lock()
        self._passed: dict[tuple[str, int], tuple[int, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is written."""
        place, minute = (record.pathname, record.lineno), int(record.created // _MINUTE)
        with self._lock:
            counted, number = self._passed.get(place, (minute, 0))
            left_out = max(0, number - MOST_LINES_A_MINUTE) if counted != minute else 0
            number = 1 if counted != minute else number + 1
            self._passed[place] = minute, number
        if left_out:
            record.msg = f"{record.getMessage()} (and {left_out:,} more in a minute before)"
            record.args = None
        return number <= MOST_LINES_A_MINUTE


class Line(logging.Formatter):
    """Escapes what would act on a terminal; indents tracebacks, lest one looks like a record."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record; Django's about suspicious requests are warnings without a traceback."""
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
