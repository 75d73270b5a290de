"""The CPU time of a run's own processes, by what they are.

Unlike the machine's (`bench.load.machine_cpu`) it does not count what else the machine does. It is
read from `/proc` with the resolution of the kernel's clock, 10 ms mostly; elsewhere it is nothing.
"""

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple


class Part(StrEnum):
    """What the processes of a run are there for."""

    WEB = "web process"
    LOG = "log"
    DELIVERY = "delivery"
    DATABASE = "database"
    BROKER = "broker"
    CLIENT = "sender and receivers"


HUB = (Part.WEB, Part.LOG, Part.DELIVERY, Part.DATABASE, Part.BROKER)
_MARKS = (
    ("settings.log_process", Part.LOG),
    ("settings.serve", Part.WEB),
    ("celery", Part.DELIVERY),
    ("postgres", Part.DATABASE),
    ("valkey", Part.BROKER),
    ("redis-server", Part.BROKER),
)
"""By the first of these words that is in a process's command line."""
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


class Process(NamedTuple):
    """A process; its seconds include those of its children that have ended."""

    parent: int
    command: str
    seconds: float


def seconds() -> Mapping[Part, float]:
    """Return what all processes of this run have used so far.

    They are the descendants of the process that started this one with its servers beside it; a
    server that runs elsewhere is not among them.
    """
    found = dict(_processes())
    used = dict.fromkeys(Part, 0.0)
    for pid in _descendants(found, os.getppid()):
        used[part_of(found[pid].command)] += found[pid].seconds
    return used


def part_of(command: str) -> Part:
    """Return what a process is there for."""
    return next((part for mark, part in _MARKS if mark in command), Part.CLIENT)


def of_hub(before: Mapping[Part, float], after: Mapping[Part, float]) -> float:
    """Return what the hub used between two readings, without those who talk to it."""
    return sum(after[part] - before[part] for part in HUB)


def _descendants(found: Mapping[int, Process], root: int) -> Iterator[int]:
    children = defaultdict(list)
    for pid, process in found.items():
        children[process.parent].append(pid)
    waiting = [*children[root]]
    while waiting:
        pid = waiting.pop()
        yield pid
        waiting += children[pid]


def _processes() -> Iterator[tuple[int, Process]]:
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):
            # The name in brackets may hold anything; what follows the last bracket is numbers.
            fields = (place / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            ticks = sum(int(each) for each in fields[11:15])
            command = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            yield int(place.name), Process(int(fields[1]), command, ticks / _TICKS)
