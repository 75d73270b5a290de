"""The process log is lines, whatever a peer wrote (S-20)."""

import logging

import pytest

from ocpi.printable import acts
from settings.log_lines import Line


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
