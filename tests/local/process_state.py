"""Whether a process that is not our child still runs."""

import time
from pathlib import Path


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that waits to be buried does not."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def is_soon_gone(pid: int) -> bool:
    """Wait a little for the end of a process."""
    deadline = time.monotonic() + 5
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_alive(pid)
