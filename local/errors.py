"""The error of everything that goes wrong on this machine: one sentence."""

from pathlib import Path


class Trouble(Exception):
    """A sentence for the person at the terminal, with the end of a log where there is one."""


def last_lines(log: Path, *, count: int = 12) -> str:
    """Return the end of a log, indented, to go below a sentence."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return "".join(f"\n    {line}" for line in lines[-count:])
