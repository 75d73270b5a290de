"""A whole hub of its own: web, worker and beat as processes, a database, a broker to cut off."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis
from psycopg import sql

from local import ports
from local.processes import Child, Family, Program, run_through
from ocpi.sandbox.platform import SandboxPlatform
from tests.cast import ROLES, a_location, push
from tests.e2e.cut import Cut

WORKER_OF_TESTS = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
CHECKOUT = Path(__file__).parents[2]
PREPARE = """
import json, sys
from io import StringIO
import django
django.setup()
from django.core.management import call_command

def answer(name, *arguments):
    out = StringIO()
    call_command(name, *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())

call_command("migrate", verbosity=0)
cast = json.loads(sys.argv[1])
tokens = {
    name: answer("invite_platform", name, *[f"--role={':'.join(r)}" for r in roles])["token_a"]
    for name, roles in cast.items()
}
for receiver in ("DE-MSA", "FR-MSB"):
    answer("agree", "NL-CPA", receiver)
with open(sys.argv[2], "w") as file:
    json.dump(tokens, file)
"""
SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "settings.base",
    "HUB_DELIVERY_LEASE_SECONDS": "5",
    "HUB_REQUEST_TIMEOUT": "1",
    "HUB_DISPATCH_SECONDS": "1",
    "HUB_WEB_WORKERS": "1",
    "LOG_LEVEL": "WARNING",
}
WORKER = ["-m", "celery", "-A", "settings", "worker", "--pool", "threads", "--concurrency", "8"]
BEAT = ["-m", "celery", "-A", "settings", "beat", "--schedule"]


@dataclass
class Hub:
    """The processes of one hub, each of which may be killed and started again."""

    family: Family
    folder: Path
    environment: dict[str, str]
    cut: Cut
    redis_url: str
    platforms: dict[str, SandboxPlatform] = field(default_factory=dict)
    children: dict[str, Child] = field(default_factory=dict)
    started: int = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.environment["HUB_PUBLIC_URL"]

    def start(self, name: str, *arguments: str) -> None:
        """Start a Python process of the hub."""
        self.started += 1
        program = Program(
            name=name,
            command=[sys.executable, *arguments],
            log=self.folder / f"{name}-{self.started}.log",
            environment=self.environment,
            directory=CHECKOUT,
        )
        self.children[name] = self.family.start(program)

    def start_web(self) -> None:
        """Start the web server and wait until it listens."""
        self.start("web", "-m", "settings.serve")
        port = int(self.environment["HUB_BIND_PORT"])
        assert self.family.wait(30, until=lambda: not ports.is_free(port)), "it does not listen"

    def start_beat(self) -> None:
        """Start beat, which knows what it did last."""
        self.start("beat", *BEAT, str(self.folder / "schedule"), "--pidfile=")

    def start_worker(self, name: str = "worker") -> None:
        """Start a worker for all queues."""
        queues = ["-Q", "wake,realtime,bulk", "-n", f"{name}{self.started}@e2e"]
        self.start(name, *WORKER, *queues)

    def kill(self, name: str = "worker") -> None:
        """Kill a process without a word."""
        child = self.children.pop(name)
        child.process.kill()
        child.process.wait()
        self.family.children.remove(child)

    def kill_web_worker(self) -> None:
        """Kill the process that answers; the server starts another."""
        parent = self.children["web"].process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
        for pid in map(int, children.split()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def flush(self) -> None:
        """Let the broker lose everything."""
        with redis.Redis.from_url(self.redis_url) as broker:
            broker.flushdb()


@contextmanager
def living(folder: Path, *, database_url: str, redis_url: str) -> Iterator[Hub]:
    """Run a hub with P1, P2 and P3 registered, P2 and P3 allowed to have what NL-CPA owns."""
    with _Database(database_url) as own_url, Cut(*_address(redis_url)) as cut, Family() as family:
        port = ports.free()
        environment = {
            **os.environ,
            **SETTINGS,
            "DATABASE_URL": own_url,
            "REDIS_URL": _through(redis_url, cut.port),
            "HUB_PUBLIC_URL": f"http://{ports.HOST}:{port}",
            "HUB_BIND_PORT": str(port),
        }
        hub = Hub(family, folder, environment, cut, redis_url)
        hub.flush()
        tokens = _prepared(hub)
        hub.start_web()
        hub.start_beat()
        hub.start_worker()
        with _Platforms(hub, tokens):
            _warm(hub)
            yield hub
        hub.flush()


def _warm(hub: Hub) -> None:
    """Wait until every process is up: a Location reaches both receivers."""
    assert push(hub.platforms["P1"], {**a_location(), "id": "W1"}).http_status == 201
    for name in ("P2", "P3"):
        hub.platforms[name].wait_for("/W1", 30)


def _prepared(hub: Hub) -> dict[str, str]:
    """Migrate and invite; return the tokens A."""
    answer = hub.folder / "tokens.json"
    program = Program(
        name="prepare",
        command=[sys.executable, "-c", PREPARE, json.dumps(_cast()), str(answer)],
        log=hub.folder / "prepare.log",
        environment={**hub.environment, "PYTHONPATH": str(CHECKOUT)},
        directory=CHECKOUT,
    )
    assert run_through(program) == 0, program.log.read_text()
    tokens: dict[str, str] = json.loads(answer.read_text())
    return tokens


def _cast() -> dict[str, list[tuple[str, str, str]]]:
    return {name: ROLES[name] for name in ("P1", "P2", "P3")}


class _Platforms:
    """The platforms of the cast, registered."""

    def __init__(self, hub: Hub, tokens: dict[str, str]) -> None:
        self.hub, self.tokens = hub, tokens

    def __enter__(self) -> None:
        for name, roles in _cast().items():
            platform = SandboxPlatform(roles).start()
            self.hub.platforms[name] = platform
            platform.register_with(f"{self.hub.url}/ocpi/versions", self.tokens[name])

    def __exit__(self, *_: object) -> None:
        for platform in self.hub.platforms.values():
            platform.stop()


class _Database:
    """A database beside the one of DATABASE_URL, dropped at the end."""

    def __init__(self, url: str) -> None:
        self.given = urlsplit(url)
        self.name = f"{self.given.path.strip('/') or 'postgres'}_e2e_{WORKER_OF_TESTS}"

    def __enter__(self) -> str:
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        self._run("CREATE DATABASE {}")
        return urlunsplit(self.given._replace(path=f"/{self.name}"))

    def __exit__(self, *_: object) -> None:
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        with psycopg.connect(urlunsplit(self.given), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(self.name)))


def broker_of_tests() -> str:
    """Return the broker of the tests, but another database of it."""
    number = 8 + int(WORKER_OF_TESTS.removeprefix("gw"))
    return urlunsplit(urlsplit(os.environ["REDIS_URL"])._replace(path=f"/{number}"))


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or 6379


def _through(url: str, port: int) -> str:
    """Return a URL that leads through a port of ours."""
    parts = urlsplit(url)
    login = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    return urlunsplit(parts._replace(netloc=f"{login}{ports.HOST}:{port}"))
