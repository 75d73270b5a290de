"""What every measurement runs against: a migrated database, a running hub, known parties.

Parties are put into the database directly, as a completed handshake leaves them: the handshake is
not what is measured.
"""

import json
import os
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
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
    """A hub to measure: its URL, the tokens of its parties, the sinks behind its receivers.

    `environment` is what its processes find that this one does not.
    """

    url: str
    tokens: Mapping[PartyRef, str]
    sinks: tuple[str, ...]
    database_url: str
    environment: Mapping[str, str] = field(default_factory=dict)

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
    database = database_afresh("hub_bench")
    sink_ports = [ports.free() for _ in range(receivers)]
    web_port = ports.free()
    os.environ |= settings(database, web_port)
    url = os.environ["HUB_PUBLIC_URL"]
    with Family() as family:
        sinks = tuple(f"http://127.0.0.1:{port}" for port in sink_ports)
        tokens = _parties(sinks)
        start(family, "sink", "-m", "bench.sink", *map(str, sink_ports))
        start(family, "web", "-m", "settings.serve")
        wait_for_hub(url, tokens[CPO])
        yield Testbed(url, tokens, sinks, database)


def settings(database: str, web_port: int) -> dict[str, str]:
    """Return the hub's settings for a benchmark."""
    return {
        "DATABASE_URL": database,
        "DJANGO_SETTINGS_MODULE": "settings.base",
        "HUB_PUBLIC_URL": f"http://127.0.0.1:{web_port}",
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


@contextmanager
def web(
    found: Testbed, processes: int, *, module: Sequence[str] = ("settings.serve",)
) -> Iterator[Testbed]:
    """Run more web processes of the same hub, at a port of their own."""
    port = ports.free()
    url = f"http://127.0.0.1:{port}"
    own = {"HUB_BIND_PORT": str(port), "HUB_PUBLIC_URL": url, "HUB_WEB_WORKERS": str(processes)}
    environment = {**found.environment, **own}
    with Family() as family:
        start(family, f"web-{processes}", "-m", *module, environment=environment)
        wait_for_hub(url, found.tokens[CPO])
        yield replace(found, url=url)


@contextmanager
def worker(
    found: Testbed | None = None, *, number: int = 1, module: Sequence[str] = ()
) -> Iterator[None]:
    """Run Celery workers and beat for as long as delivery is measured."""
    celery = ("-m", *module, "celery", "-A", "settings")
    queues = ("-Q", "wake,realtime,bulk")
    threads = ("--pool", "threads", "--concurrency", "16")
    schedule = ("--schedule", str(LOGS / "beat-schedule"))
    quiet = ("-l", "WARNING")
    environment = found.environment if found else {}
    with Family() as family:
        for place in range(number):
            name = f"worker-{place}"
            options = (*threads, *queues, *quiet, "-n", f"{name}@%h")
            start(family, name, *celery, "worker", *options, environment=environment)
        start(family, "beat", "-m", "celery", "-A", "settings", "beat", *schedule, *quiet,
              environment=environment)  # fmt: skip
        yield


@contextmanager
def background(name: str, *arguments: str) -> Iterator[None]:
    """Run one more Python process for as long as it is needed."""
    with Family() as family:
        start(family, name, *arguments)
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


def start(
    family: Family, name: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> None:
    """Start a Python process with our environment, and its own on top."""
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{name}.log"
    found = {**os.environ, **(environment or {})}
    command = [sys.executable, *arguments]
    family.start(Program(name=name, command=command, log=log, environment=found))


def database_afresh(name: str) -> str:
    """Create a database of the benchmark's own; return its URL."""
    server = os.environ["DATABASE_URL"]
    postgres.create_database(server, name, afresh=True)
    return f"{server.rpartition('/')[0]}/{name}"


def _parties(sinks: tuple[str, ...]) -> dict[PartyRef, str]:
    """Migrate, then connect everybody; return the tokens."""
    import django  # noqa: PLC0415 - the environment names the settings by now

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    from bench.parties import connect  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    return connect(CPO, SMALL_CPO, [emsp(number) for number in range(len(sinks))], sinks)


def wait_for_hub(url: str, token: str) -> None:
    """Wait until the hub answers a platform."""
    end = time.monotonic() + HUB_PATIENCE
    versions, given = f"{url}/ocpi/versions", {"Authorization": header(token)}
    request = urllib.request.Request(versions, headers=given)  # noqa: S310
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
