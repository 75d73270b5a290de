"""The account a server runs as: PostgreSQL refuses to run as root, so root starts it as `nobody`.

No account is created and no existing directory is opened for it: what `nobody` cannot reach is
put somewhere it can (`local.data_dir`).
"""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from local.errors import Trouble


class Spawn(TypedDict, total=False):
    """The arguments of a new process that choose its account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class UnprivilegedAccount:
    """An account of this machine other than our own."""

    name: str
    uid: int
    gid: int

    def spawn(self) -> Spawn:
        """Return how a process is started under it."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def reaches(self, path: Path) -> bool:
        """Whether it may read and enter a directory, or read and run a file: by trying."""
        test = ["/bin/sh", "-c", 'test -r "$1" && test -x "$1"', "sh", str(path)]
        return subprocess.run(test, check=False, cwd="/", **self.spawn()).returncode == 0

    def owns(self, directory: Path) -> None:
        """Hand a directory over, closed to everybody else."""
        directory.chmod(0o700)
        os.chown(directory, self.uid, self.gid)


def for_postgres() -> UnprivilegedAccount | None:
    """Return whom PostgreSQL runs as, or None for ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise Trouble(
            "PostgreSQL does not run as root and this machine has no account `nobody`;"
            " set DATABASE_URL to a server of yours, or run as an ordinary user"
        ) from None
    return UnprivilegedAccount(entry.pw_name, entry.pw_uid, entry.pw_gid)


def owner_of(directory: Path) -> UnprivilegedAccount | None:
    """Return the ordinary account a directory belongs to: its data remain its own."""
    uid = directory.stat().st_uid
    if uid == 0:
        return None
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise Trouble(f"{directory} belongs to an account without a name; remove it") from None
    return UnprivilegedAccount(entry.pw_name, entry.pw_uid, entry.pw_gid)
