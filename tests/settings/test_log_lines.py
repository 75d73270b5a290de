"""The process log is lines, whatever a peer wrote (S-20), and so many of them (S-02)."""

import logging
from typing import Any

import pytest
from django.conf import settings

from ocpi.printable import acts
from settings.log_lines import LONGEST_LINE, MOST_LINES_A_MINUTE, Flood, Line


@pytest.mark.security("S-20")
def test_a_record_of_the_process_log_is_one_line() -> None:
    """A peer's text begins no line of its own; what follows a line is indented, and shown too."""
    error = ValueError("\x1b[2J\r2026-01-01 INFO forged\n2026-01-01 INFO forged")
    failure = (ValueError, error, None)
    record = logging.LogRecord(
        "x", logging.INFO, "x.py", 1, "said %s", ("\x1b[31m\r\n2026 INFO forged\u202e",), failure
    )

    first, *rest = Line("%(levelname)s %(message)s").format(record).split("\n")

    assert first == "INFO said \\u001b[31m\\u000d\\u000a2026 INFO forged\\u202e"
    assert rest
    assert all(line.startswith("  ") and not acts(line) for line in rest)


def _record(text: str, at: float = 0.0, line: int = 1) -> logging.LogRecord:
    record = logging.LogRecord("x", logging.WARNING, "x.py", line, "said %s", (text,), None)
    record.created = at
    return record


@pytest.mark.security("S-02")
def test_a_record_is_short() -> None:
    """A header of a stranger, or what an exception quotes, takes so much of the disk."""
    long = "x" * 1_000_000
    record = _record(long)
    record.exc_info = (ValueError, ValueError(f"{long}the end"), None)

    first, *rest = Line("%(levelname)s %(message)s").format(record).split("\n")

    assert len(first) == LONGEST_LINE
    assert rest[-1].endswith("the end")
    assert len("".join(rest)) < 5 * LONGEST_LINE


@pytest.mark.security("S-02")
def test_who_makes_the_hub_say_the_same_again_and_again_fills_no_disk() -> None:
    """Records of one place pass so often a minute; others do not suffer, and none is forgotten."""
    flood = Flood()
    records = [_record("this", at=600.0 + number / 100) for number in range(1_000)]

    assert sum(map(flood.filter, records)) == MOST_LINES_A_MINUTE
    assert flood.filter(_record("that", at=605.0, line=2))
    later = _record("this", at=660.0)
    assert flood.filter(later)
    assert later.getMessage() == "said this (and 880 more in a minute before)"
    handlers: Any = settings.LOGGING["handlers"]
    assert handlers["console"]["filters"] == ["flood"]
