"""What complete runs found, one line each, so that a slower hub is seen."""

import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from bench.figures import Figure, Key, machine

HISTORY = Path(__file__).parent / "HISTORY.md"
_HEAD = """# Benchmark history

Every complete run of `make bench`, the newest last: ratios to a limit of the same run, unless the
column says milliseconds; in brackets what misses its target. Compare runs of one machine alone.

"""


def append(figures: Iterable[Figure], path: Path = HISTORY) -> None:
    """Add the line of a run; an empty field is what was not measured."""
    if not path.exists():
        columns = ["when", "commit", *Key, "machine"]
        head = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns), ""]
        path.write_text(_HEAD + "\n".join(head), encoding="utf-8")
    with path.open("a", encoding="utf-8") as file:
        file.write(line(figures))


def line(figures: Iterable[Figure]) -> str:
    """Write one run as a row of the table."""
    found = {figure.key: figure for figure in figures if figure.key}
    values = [_shown(found.get(key)) for key in Key]
    when = f"{datetime.now(UTC):%Y-%m-%d %H:%M}"
    return f"| {' | '.join([when, _commit(), *values, machine()])} |\n"


def _shown(figure: Figure | None) -> str:
    if figure is None:
        return ""
    return f"({figure.shown:.2f})" if figure.is_met is False else f"{figure.shown:.2f}"


def _commit() -> str:
    """Name the commit that was measured; a `+` says that files were changed since."""
    command = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip()
