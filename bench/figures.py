"""What a measurement yields, how it is printed and how it is kept in RESULTS.md."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_WITHOUT_FRACTION = 100
RESULTS = Path(__file__).parent / "RESULTS.md"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure, the limit it stands against, and the ratio aimed for.

    More is better: rates are per second, memory at the beginning stands against the end.
    `target` None has nothing to be held to yet. What shall be small has the `most` it may be
    instead.
    """

    what: str
    measured: float
    unit: str
    limit: float
    limited_by: str
    target: float | None
    most: float | None = None

    @property
    def ratio(self) -> float:
        """How much of the limit is reached."""
        return self.measured / self.limit if self.limit else 0.0

    @property
    def is_met(self) -> bool | None:
        """Whether it is as it should be; None when nothing is asked of it."""
        if self.most is not None:
            return self.measured <= self.most
        return None if self.target is None else self.ratio >= self.target

    def row(self) -> str:
        """One row of the table."""
        aim = "-" if self.target is None else f"≥ {self.target:g}"
        aim = aim if self.most is None else f"≤ {self.most:g} {self.unit}"
        met = {None: "", True: "yes", False: "**no**"}[self.is_met]
        return (
            f"| {self.what} | {_shown(self.measured)} {self.unit} | {self.limited_by}: "
            f"{_shown(self.limit)} | {self.ratio:.2f} | {aim} | {met} |"
        )


def _shown(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= _WITHOUT_FRACTION else f"{number:.1f}"


def table(
    sections: Mapping[str, Sequence[Figure]], notes: Sequence[str], *, made_by: str = "make bench"
) -> str:
    """Write the tables of one run, the machine named."""
    head = [
        "# Benchmark results",
        "",
        f"Made by `{made_by}`; client, server, workers and database share the machine's cores.",
        "",
        f"* when: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        f"* machine: {_machine()}",
        *(f"* {note}" for note in notes),
    ]
    parts = [_section(title, figures) for title, figures in sections.items()]
    return "\n".join([*head, *parts, ""])


def _section(title: str, figures: Sequence[Figure]) -> str:
    rows = (figure.row() for figure in figures)
    return "\n".join(
        [
            f"\n## {title}\n",
            "| work | measured | limit in the same run | ratio | target | met |",
            "|---|---|---|---|---|---|",
            *rows,
        ]
    )


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
