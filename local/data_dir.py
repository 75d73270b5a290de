"""The data directory of a purpose: `.local/<purpose>/` of the checkout, one run at a time.

Several purposes (demo, test, bench, run, or any word) run side by side. Where root's servers
need an account that cannot reach the checkout, only their data goes elsewhere.
"""

import fcntl
import hashlib
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.errors import Trouble
from local.unprivileged import UnprivilegedAccount

CHECKOUT = Path(__file__).resolve().parent.parent
_OUTSIDE = (Path("/var/tmp"), Path("/tmp"))  # noqa: S108 - owner and mode are checked below


@dataclass(frozen=True, slots=True)
class DataDir:
    """The directory of one purpose."""

    purpose: str
    path: Path

    @property
    def logs(self) -> Path:
        """Where its processes write."""
        return self.path / "logs"

    def log(self, name: str) -> Path:
        """Return an emptied log."""
        log = self.logs / f"{name}.log"
        log.write_bytes(b"")
        return log

    def is_locked(self) -> bool:
        """Whether somebody runs here."""
        with (self.path / "lock").open("a+", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return True
        return False

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other runs out; the kernel frees the lock however this process ends."""
        with (self.path / "lock").open("a+", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                lock.seek(0)
                raise Trouble(
                    f"`{self.purpose}` is already running here (process {lock.read().strip()});"
                    " stop it first, or run beside it under another name: PURPOSE=… for make test,"
                    " --purpose … for python -m local"
                ) from None
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner may read, all of it or nothing."""
    unfinished = file.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(text)
    unfinished.replace(file)


def of_purpose(purpose: str) -> DataDir:
    """Return the directory of a purpose, made when missing; LOCAL_DIR moves them all elsewhere."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", purpose):
        raise Trouble(f"{purpose!r} is no purpose: write a small word such as demo or test2")
    root = Path(os.environ.get("LOCAL_DIR") or CHECKOUT / ".local").absolute()
    found = DataDir(purpose, root / purpose)
    try:
        for directory in (root, found.path, found.logs):
            open_directory(directory)
    except PermissionError as error:
        raise Trouble(
            f"{error.filename} cannot be written: it was made by another user;"
            " run as that user, or remove it"
        ) from None
    return found


def open_directory(directory: Path) -> None:
    """Make a directory others may pass through; one that exists is left as it is."""
    if not directory.is_dir():
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o755)
    if not os.access(directory, os.W_OK | os.X_OK):
        raise PermissionError(None, "not ours", str(directory))


def reachable(directory: Path, account: UnprivilegedAccount | None) -> Path:
    """Return the directory, or a stand-in for an account that cannot reach it."""
    if account is None or account.reaches(directory):
        return directory
    for outside in _OUTSIDE:
        if outside.is_dir() and account.reaches(outside):
            stand_in = outside / f"ocpi-hub-{hashlib.sha256(bytes(directory)).hexdigest()[:16]}"
            _make_ours(stand_in)
            return stand_in
    raise Trouble(
        f"the account {account.name} can reach neither {directory} nor a temporary directory;"
        " set DATABASE_URL to a server of yours, or run as an ordinary user"
    )


def _make_ours(directory: Path) -> None:
    """Make a directory in one where everybody may write, and trust it only when it is ours."""
    directory.mkdir(mode=0o755, exist_ok=True)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise Trouble(f"{directory} belongs to somebody else; remove it and start again")
    directory.chmod(0o755)


def copied(source: Path, target: Path) -> Path:
    """Copy a tree once, readable for all; half a copy is never taken for a whole one."""
    if target.is_dir():
        return target
    unfinished = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
    without = shutil.ignore_patterns("include")
    shutil.copytree(source, unfinished, symlinks=True, ignore=without, dirs_exist_ok=True)
    for path in (unfinished, *unfinished.rglob("*")):
        if not path.is_symlink():
            path.chmod(stat.S_IMODE(path.stat().st_mode) | (0o555 if path.is_dir() else 0o444))
            _runnable_for_all(path)
    try:
        unfinished.rename(target)
    except OSError:  # another purpose was faster
        shutil.rmtree(unfinished)
    return target


def _runnable_for_all(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & stat.S_IXUSR:
        path.chmod(mode | 0o111)
