"""What a measurement yields, how it is printed and how it is kept in RESULTS.md."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "RESULTS.md"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure, the limit it stands against, and the ratio aimed for.

    Rates are per second: more is better. `target` None has nothing to be held to yet.
    """

    what: str
    measured: float
    unit: str
    limit: float
    limited_by: str
    target: float | None

    @property
    def ratio(self) -> float:
        """How much of the limit is reached."""
        return self.measured / self.limit if self.limit else 0.0

    def row(self) -> str:
        """One row of the table."""
        aim = "-" if self.target is None else f"≥ {self.target:g}"
        met = "" if self.target is None else ("yes" if self.ratio >= self.target else "**no**")
        return (
            f"| {self.what} | {self.measured:,.0f} {self.unit} | {self.limited_by}: "
            f"{self.limit:,.0f} | {self.ratio:.2f} | {aim} | {met} |"
        )


def table(figures: Sequence[Figure], notes: Sequence[str]) -> str:
    """Write the table of one run, the machine named."""
    head = [
        "# Benchmark results",
        "",
        "Made by `make bench`; client, server, workers and database share the machine's cores.",
        "",
        f"* when: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        f"* machine: {_machine()}",
        *(f"* {note}" for note in notes),
        "",
        "| work | measured | limit in the same run | ratio | target | met |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join([*head, *(figure.row() for figure in figures), ""])


def _machine() -> str:
    cores = os.cpu_count()
    return (
        f"{cores} cores, {_processor()}, Python {platform.python_version()}, {platform.platform()}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
