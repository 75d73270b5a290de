"""The ground every measurement stands on: a migrated database, a running hub, known parties.

Parties are put into the database directly, as a completed handshake leaves them: the handshake is
not what is measured.
"""

import json
import os
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from local import ports, postgres
from local.processes import Family, Program
from ocpi.transport.authorization import header

HUB_PORT_WAIT = 30.0
CPO = ("NL", "CPA")
LOGS = Path(".local/bench/logs")


@dataclass(frozen=True, slots=True)
class Ground:
    """Where the hub is, with which tokens to speak to it, and the sinks behind its receivers."""

    url: str
    cpo_token: str
    emsp_token: str
    sinks: tuple[str, ...]
    database_url: str

    def headers(self, token: str, sender: tuple[str, str]) -> dict[str, str]:
        """Return the headers of a message to the hub."""
        return {
            "Authorization": header(token),
            "Content-Type": "application/json",
            "OCPI-from-country-code": sender[0],
            "OCPI-from-party-id": sender[1],
            "OCPI-to-country-code": "NL",
            "OCPI-to-party-id": "HUB",
            "X-Request-ID": "bench",
            "X-Correlation-ID": "bench",
        }


@contextmanager
def ground(receivers: int) -> Iterator[Ground]:
    """Start everything and stop it again."""
    database = _database()
    sink_ports = [ports.free() for _ in range(receivers)]
    web_port = ports.free()
    url = f"http://127.0.0.1:{web_port}"
    os.environ |= {
        "DATABASE_URL": database,
        "DJANGO_SETTINGS_MODULE": "settings.base",
        "HUB_PUBLIC_URL": url,
        "HUB_BIND_PORT": str(web_port),
        "HUB_COUNTRY_CODE": "NL",
        "HUB_PARTY_ID": "HUB",
        "HUB_ALLOW_PRIVATE_ADDRESSES": "true",
        "HUB_ALLOW_HTTP_PEERS": "true",
        "LOG_LEVEL": "WARNING",
    }
    with Family() as family:
        sinks = tuple(f"http://127.0.0.1:{port}" for port in sink_ports)
        tokens = _parties(sinks)
        _start(family, "sink", "-m", "bench.sink", *map(str, sink_ports))
        _start(family, "web", "-m", "settings.serve")
        found = Ground(url, tokens[0], tokens[1], sinks, database)
        _wait(f"{url}/ocpi/versions", header(tokens[0]))
        yield found


@contextmanager
def worker() -> Iterator[None]:
    """Run the Celery worker and beat for as long as delivery is measured."""
    celery = ("-m", "celery", "-A", "settings")
    with Family() as family:
        options = (
            "--pool",
            "threads",
            "--concurrency",
            "16",
            "-Q",
            "wake,realtime,bulk",
            "-l",
            "WARNING",
        )
        _start(family, "worker", *celery, "worker", *options)
        _start(
            family,
            "beat",
            *celery,
            "beat",
            "--schedule",
            str(LOGS / "beat-schedule"),
            "-l",
            "WARNING",
        )
        yield


def _start(family: Family, name: str, *arguments: str) -> None:
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{name}.log"
    family.start(
        Program(
            name=name, command=[sys.executable, *arguments], log=log, environment=dict(os.environ)
        )
    )


def _database() -> str:
    """Create the benchmark's own database afresh."""
    server = os.environ["DATABASE_URL"]
    postgres.create_database(server, "hub_bench", afresh=True)
    return server.rpartition("/")[0] + "/hub_bench"


def _parties(sinks: tuple[str, ...]) -> tuple[str, str]:
    """Migrate, then connect one CPO and an eMSP behind each sink, all in agreement."""
    import django  # noqa: PLC0415 - the environment names the settings by now

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    from bench.parties import connect  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    return connect(CPO, sinks)


def _wait(url: str, authorization: str) -> None:
    end = time.monotonic() + HUB_PORT_WAIT
    request = urllib.request.Request(url, headers={"Authorization": authorization})  # noqa: S310
    while True:
        try:
            with urllib.request.urlopen(request, timeout=2) as answer:  # noqa: S310
                json.load(answer)
                return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def resident_megabytes(found: Ground) -> float:
    """Return the resident size of the largest web process of this run."""
    sizes = [0.0]
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError, StopIteration):
            lines = status.read_text(encoding="utf-8").splitlines()
            size = next(line.split()[1] for line in lines if line.startswith("VmRSS"))
            command = (status.parent / "cmdline").read_bytes()
            ours = found.url.encode() in (status.parent / "environ").read_bytes()
            if ours and b"settings.serve" in command:
                sizes.append(int(size) / 1024)
    return max(sizes)


def connection(found: Ground) -> psycopg.Connection:
    """Connect to the benchmark's database without Django."""
    return psycopg.connect(found.database_url, autocommit=True)
