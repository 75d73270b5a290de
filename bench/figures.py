"""What a measurement yields, what is aimed for, and the tables of a run."""

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from statistics import median_low

_WITHOUT_FRACTION = 100


class Key(StrEnum):
    """The figures by which runs are compared, and their columns in HISTORY.md."""

    PUT_TOKEN = "PUT token"  # noqa: S105 - a driver's
    PUT_LOCATION = "PUT location"
    POST_CDR = "POST CDR"
    PATCH_EVSE = "PATCH EVSE"
    EVSES = "200 against 2 EVSEs"
    RELAY = "relay"
    RELAY_ADDS = "relay adds, 1, ms"
    RELAY_ADDS_16 = "relay adds, 16, ms"
    RELAY_P99 = "relay adds, 16, p99 ms"
    PAGE = "page"
    DELIVERY = "delivery"
    ARRIVAL = "to 1, ms"
    ARRIVAL_P99 = "to 1, p99 ms"
    ARRIVAL_10 = "to 10, ms"
    SNAPSHOT = "snapshot"
    PULL = "pull"
    CRAWL = "crawl"
    PEER_PUT = "PUT, of ocpi-python"
    PEER_PAGE = "page, of ocpi-python"


@dataclass(frozen=True, slots=True)
class Aim:
    """What a figure has to be: its ratio at least, or what is measured at most, in its unit.

    The moonshot is what it might be one day; missing it is no failure.
    """

    target: float
    moonshot: float | None = None
    is_most: bool = False


def at_least(target: float, moonshot: float | None = None) -> Aim:
    """Ask for at least this share of the limit."""
    return Aim(target, moonshot)


def at_most(target: float, moonshot: float | None = None) -> Aim:
    """Ask for no more than this, in the figure's unit."""
    return Aim(target, moonshot, is_most=True)


@dataclass(frozen=True, slots=True)
class Round:
    """What was measured, and its limit measured right before or after."""

    measured: float
    limit: float

    @property
    def ratio(self) -> float:
        """How much of the limit is reached."""
        return self.measured / self.limit if self.limit else 0.0


def median_round(rounds: Iterable[Round]) -> Round:
    """Return the round whose ratio is the median: both of its numbers are of the same moment."""
    found = list(rounds)
    middle = median_low(each.ratio for each in found)
    return next(each for each in found if each.ratio == middle)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure, the limit it is compared with, and what is aimed for.

    Rates are per second; memory at the beginning is compared with the end. Figures with a `key` are
    in the history. `cpu_ms` is the CPU time of the whole machine for one message.
    """

    what: str
    measured: float
    unit: str
    limit: float
    limited_by: str
    aim: Aim | None = None
    key: Key | None = field(default=None, kw_only=True)
    cpu_ms: float | None = field(default=None, kw_only=True)

    @property
    def ratio(self) -> float:
        """How much of the limit is reached."""
        return Round(self.measured, self.limit).ratio

    @property
    def is_met(self) -> bool | None:
        """Whether it is as it should be; None when nothing is asked of it."""
        return None if self.aim is None else self._reaches(self.aim, self.aim.target)

    @property
    def is_missed_target(self) -> bool:
        """Whether it is one of those that runs are compared by, and not as it should be."""
        return self.key is not None and self.is_met is False

    @property
    def shown(self) -> float:
        """What its aim is about: the ratio, or what was measured."""
        return self.measured if self.aim is not None and self.aim.is_most else self.ratio

    def row(self) -> str:
        """One row of the table."""
        target, moonshot = self._aims()
        met = {None: "", True: "yes", False: "**no**"}[self.is_met]
        cpu = "" if self.cpu_ms is None else f", {self.cpu_ms:.2f} ms CPU"
        return (
            f"| {self.what} | {_number(self.measured)} {self.unit}{cpu} | {self.limited_by}: "
            f"{_number(self.limit)} | {self.ratio:.2f} | {target} | {moonshot} | {met} |"
        )

    def _reaches(self, aim: Aim, bound: float) -> bool:
        return self.measured <= bound if aim.is_most else self.ratio >= bound

    def _aims(self) -> tuple[str, str]:
        """Return target and moonshot as the table has them; a moonshot that is reached says so."""
        aim = self.aim
        if aim is None:
            return "-", "-"
        sign, unit = ("≤", f" {self.unit}") if aim.is_most else ("≥", "")
        if aim.moonshot is None:
            return f"{sign} {aim.target:g}{unit}", "-"
        reached = " (reached)" if self._reaches(aim, aim.moonshot) else ""
        return f"{sign} {aim.target:g}{unit}", f"{sign} {aim.moonshot:g}{unit}{reached}"


def _number(number: float) -> str:
    if abs(number) >= _WITHOUT_FRACTION:
        return f"{number:,.0f}"
    return f"{number:.1f}" if abs(number) >= 1 else f"{number:.2f}"


def table(
    sections: Mapping[str, Sequence[Figure]], notes: Sequence[str], *, made_by: str = "make bench"
) -> str:
    """Write the tables of one run below the machine it ran on, figures with a key first."""
    head = [
        "# Benchmark results",
        "",
        f"Made by `{made_by}`; client, server, workers and database share the machine's cores.",
        "",
        f"* when: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        f"* machine: {machine()}",
        *(f"* {note}" for note in notes),
    ]
    every = [each for figures in sections.values() for each in figures]
    keyed = [each for key in Key for each in every if each.key is key]
    parts = [_section("Targets", keyed)] if keyed else []
    parts += [_section(title, figures) for title, figures in sections.items()]
    return "\n".join([*head, *parts, ""])


def duration(took: Mapping[str, float], most: float) -> str:
    """Say how many seconds a run and each of its parts took, and whether that is too long."""
    total = sum(took.values())
    parts = ", ".join(f"{name} {seconds:,.0f}" for name, seconds in took.items())
    late = f", more than the {most:,.0f} s it may take" if total > most else ""
    return f"the run took {total:,.0f} s{late}: {parts}"


def unmeasured(sections: Mapping[str, Sequence[Figure]]) -> list[str]:
    """Name the figures with a target that a run did not yield, in one note or none."""
    found = {figure.key for figures in sections.values() for figure in figures}
    missing = [key for key in Key if key not in found]
    return [f"not measured: {', '.join(missing)}"] if missing else []


def _section(title: str, figures: Sequence[Figure]) -> str:
    rows = (figure.row() for figure in figures)
    return "\n".join(
        [
            f"\n## {title}\n",
            "| work | measured | limit in the same run | ratio | target | moonshot | met |",
            "|---|---|---|---|---|---|---|",
            *rows,
        ]
    )


def machine() -> str:
    """Name what this was measured on."""
    cores, python = os.cpu_count(), platform.python_version()
    return f"{cores} cores, {_processor()}, Python {python}, {platform.platform()}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
