"""The lines of the process log: one for each record, whatever a peer wrote into it."""

import logging
from types import TracebackType
from typing import Any

from ocpi.printable import escaped

_Failure = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Line(logging.Formatter):
    """Shows what would act on a terminal; what follows a line is indented, so that none passes."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record; a request that cannot be meant for the hub is no failure of its own."""
        if not record.name.startswith("django.security."):
            return super().format(record)
        told = {"levelno": logging.WARNING, "levelname": "WARNING", "exc_info": None}
        return super().format(logging.makeLogRecord({**record.__dict__, **told, "exc_text": None}))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Write one line."""
        return escaped(super().formatMessage(record))

    def formatException(self, ei: _Failure) -> str:  # noqa: N802 - logging's name
        """Write a traceback below it."""
        return _indented(super().formatException(ei))

    def formatStack(self, stack_info: Any) -> str:  # noqa: N802, ANN401 - as logging has it
        """Write a stack below it."""
        return _indented(super().formatStack(stack_info))


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in escaped(text, lines=True).split("\n"))
