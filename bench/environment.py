"""What every measurement runs against: a migrated database, a running hub, known parties.

Parties are put into the database directly, as a completed handshake leaves them: the handshake is
not what is measured.
"""

import json
import os
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench.objects import CPO
from local import ports, postgres
from local.processes import Family, Program
from ocpi.transport.authorization import header
from ocpi.types import InterfaceRole, ModuleID, PartyRef

HUB_PATIENCE = 30.0
"""Seconds until the hub has to answer after its start."""
HUB = PartyRef("NL", "HUB")
SMALL_CPO = PartyRef("NL", "CPB")
"""A CPO that has an agreement with the first eMSP only."""
USUAL_RECEIVERS = 10
"""So many eMSPs take part unless a measurement asks for more."""
LOGS = Path(".local/bench/logs")


@dataclass(frozen=True, slots=True)
class Testbed:
    """A hub to measure: its URL, the tokens of its parties, the sinks behind its receivers."""

    url: str
    tokens: Mapping[PartyRef, str]
    sinks: tuple[str, ...]
    database_url: str

    def endpoint(self, interface: InterfaceRole, module: ModuleID) -> str:
        """Return the URL of one of the hub's endpoints."""
        return f"{self.url}/ocpi/2.2.1/{interface.lower()}/{module}"

    def headers(self, sender: PartyRef) -> dict[str, str]:
        """Return the headers of a party's message to the hub."""
        return headers(self.tokens[sender], sender=sender, to=HUB)


def headers(token: str, *, sender: PartyRef, to: PartyRef) -> dict[str, str]:
    """Return the headers of a message."""
    return {
        "Authorization": header(token),
        "Content-Type": "application/json",
        "OCPI-from-country-code": sender.country_code,
        "OCPI-from-party-id": sender.party_id,
        "OCPI-to-country-code": to.country_code,
        "OCPI-to-party-id": to.party_id,
        "X-Request-ID": "bench",
        "X-Correlation-ID": "bench",
    }


def emsp(number: int) -> PartyRef:
    """Name an eMSP."""
    return PartyRef("DE", f"M{number:02}")


@contextmanager
def testbed(receivers: int) -> Iterator[Testbed]:
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
        "HUB_COUNTRY_CODE": HUB.country_code,
        "HUB_PARTY_ID": HUB.party_id,
        "HUB_ALLOW_PRIVATE_ADDRESSES": "true",
        "HUB_ALLOW_HTTP_PEERS": "true",
        # 100 drivers wait at once: each holds a thread of a web process.
        "HUB_WEB_THREADS": "128",
        "HUB_REQUESTS_PER_PEER": "32",
        "HUB_REQUESTS_PER_MINUTE": "10000000",  # counted as in production, and never too many
        # Pull as fast as the hub can: the pause is there to spare a platform.
        "HUB_PULL_PAUSE": "0",
        "LOG_LEVEL": "WARNING",
    }
    with Family() as family:
        sinks = tuple(f"http://127.0.0.1:{port}" for port in sink_ports)
        tokens = _parties(sinks)
        _start(family, "sink", "-m", "bench.sink", *map(str, sink_ports))
        _start(family, "web", "-m", "settings.serve")
        _wait(f"{url}/ocpi/versions", header(tokens[CPO]))
        yield Testbed(url, tokens, sinks, database)


@contextmanager
def worker() -> Iterator[None]:
    """Run the Celery worker and beat for as long as delivery is measured."""
    celery = ("-m", "celery", "-A", "settings")
    queues = ("-Q", "wake,realtime,bulk")
    threads = ("--pool", "threads", "--concurrency", "16")
    schedule = ("--schedule", str(LOGS / "beat-schedule"))
    quiet = ("-l", "WARNING")
    with Family() as family:
        _start(family, "worker", *celery, "worker", *threads, *queues, *quiet)
        _start(family, "beat", *celery, "beat", *schedule, *quiet)
        yield


@contextmanager
def background(name: str, *arguments: str) -> Iterator[None]:
    """Run one more Python process for as long as it is needed."""
    with Family() as family:
        _start(family, name, *arguments)
        yield


@contextmanager
def only_receivers(found: Testbed, receivers: int) -> Iterator[None]:
    """Deactivate all eMSPs but the first ones, as long as the block runs."""
    _activate(found, receivers)
    yield
    _activate(found, len(found.sinks))


def _activate(found: Testbed, receivers: int) -> None:
    with connection(found) as db:
        db.execute(
            "UPDATE parties_party SET is_active = party_id < %s WHERE role = 'EMSP'",
            [emsp(receivers).party_id],
        )


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


def _parties(sinks: tuple[str, ...]) -> dict[PartyRef, str]:
    """Migrate, then connect everybody; return the tokens."""
    import django  # noqa: PLC0415 - the environment names the settings by now

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    from bench.parties import connect  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    return connect(CPO, SMALL_CPO, [emsp(number) for number in range(len(sinks))], sinks)


def _wait(url: str, authorization: str) -> None:
    end = time.monotonic() + HUB_PATIENCE
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


def connection(found: Testbed) -> psycopg.Connection:
    """Connect to the benchmark's database without Django."""
    return psycopg.connect(found.database_url, autocommit=True)


def changes(found: Testbed) -> int:
    """Count the changes in the feed."""
    with connection(found) as db:
        row = db.execute("SELECT count(*) FROM hub_change").fetchone()
    return int(row[0]) if row else 0
