"""The memory that the processes of a run hold, as Linux counts it; elsewhere it is 0."""

import os
from contextlib import suppress
from pathlib import Path

from bench.environment import Testbed, connection


def web(testbed: Testbed) -> float:
    """Return the resident size in MB of the largest web process of this run."""
    return max((_megabytes(pid, "VmRSS") for pid in _web_processes(testbed)), default=0.0)


def own() -> float:
    """Return the resident size in MB of this process."""
    return _megabytes(os.getpid(), "VmRSS")


def database(testbed: Testbed) -> float:
    """Return what the largest of the hub's database backends has for itself, in MB."""
    with connection(testbed) as db:
        found = db.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ).fetchall()
    return max((_megabytes(pid, "RssAnon") for (pid,) in found), default=0.0)


def _web_processes(testbed: Testbed) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            ours = testbed.url.encode() in (process / "environ").read_bytes()
            if ours and b"settings.serve" in (process / "cmdline").read_bytes():
                found.append(int(process.name))
    return found


def _megabytes(pid: int, name: str) -> float:
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith(name))) / 1024
    return 0.0
