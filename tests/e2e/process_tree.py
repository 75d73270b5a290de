"""The process tree of a hub: which kinds of processes it has now, whoever started them.

A kind is found, not listed: the name of the program that a test started, then what the process
below it runs. So a process that the hub begins to need is killed by these tests as all others are.
"""

import os
import re
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from local.processes import Child

_MODULE = re.compile(r"(?:^|\s)-m\s+(\S+)")
_SPAWNED = "spawn_main"
_TRACKER = "tracker"
"""Python's resource tracker is no part of the hub."""


@dataclass(frozen=True, slots=True, order=True)
class HubProcess:
    """A process below a program: `kind` is what it is for, "web: worker"."""

    kind: str
    pid: int
    command: str

    def kill(self) -> None:
        """Kill it without a word."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


def below(children: Mapping[str, Child]) -> list[HubProcess]:
    """Return all processes that programs of the hub have started, oldest first by kind."""
    return sorted(
        HubProcess(f"{name}: {_purpose(command, _command(parent))}", pid, command)
        for name, child in children.items()
        for parent, pid in _descendants(child.process.pid)
        if (command := _command(pid)) and _TRACKER not in command
    )


def kinds(children: Mapping[str, Child]) -> Counter[str]:
    """Count the processes of each kind."""
    return Counter(each.kind for each in below(children))


def _descendants(pid: int) -> Iterator[tuple[int, int]]:
    """Return each process below one, with its parent."""
    for task in _read_directory(f"/proc/{pid}/task"):
        for word in _text(f"{task}/children").split():
            yield pid, int(word)
            yield from _descendants(int(word))


def _command(pid: int) -> str:
    return _text(f"/proc/{pid}/cmdline").replace("\0", " ").strip()


def _purpose(command: str, parent: str) -> str:
    """Return what a process runs, in words; one that was forked or spawned is a worker."""
    if command == parent or _SPAWNED in command:
        return "worker"
    module = _MODULE.search(command)
    if module is not None:
        return module[1].rpartition(".")[2].replace("_", " ")
    return command.split(maxsplit=1)[0].rpartition("/")[2]


def _read_directory(path: str) -> list[Path]:
    with suppress(OSError):
        return list(Path(path).iterdir())
    return []


def _text(path: str) -> str:
    with suppress(OSError):
        return Path(path).read_text(encoding="utf-8", errors="replace")
    return ""
