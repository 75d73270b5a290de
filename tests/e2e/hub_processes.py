"""A whole hub of its own: web, workers, beat, database and broker, each a process to be killed."""

import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from local import ports
from local.processes import Child, Family, Program, run_through
from sandbox.platform import SandboxPlatform
from tests.cast import ROLES, a_location, push
from tests.e2e import process_tree
from tests.e2e.servers import Servers, servers

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

cast = json.loads(sys.argv[1])
tokens = {
    name: answer("invite_platform", name, *[f"--role={':'.join(r)}" for r in roles])["token_a"]
    for name, roles in cast.items()
}
for pair in json.loads(sys.argv[3]):
    answer("agree", *pair)
with open(sys.argv[2], "w") as file:
    json.dump(tokens, file)
"""
AGREED = [(owner, receiver) for owner in ("NL-CPA", "NL-CPB") for receiver in ("DE-MSA", "FR-MSB")]
Role = tuple[str, str, str]
WEB_WORKERS = 2
WEB_WORKER = "web: worker"
"""The kind of the processes that answer."""
SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "settings.base",
    "HUB_DELIVERY_LEASE_SECONDS": "5",
    "HUB_REQUEST_TIMEOUT": "1",
    "HUB_REQUESTS_PER_MINUTE": "10000000",
    "HUB_STRANGER_REQUESTS_PER_MINUTE": "10000000",
    "HUB_DISPATCH_SECONDS": "1",
    "HUB_WEB_WORKERS": str(WEB_WORKERS),
    "LOG_LEVEL": "WARNING",
}
WORKERS = ("worker", "other worker")
_CELERY = ["-m", "celery", "-A", "settings"]
_WORKER = [*_CELERY, "worker", "--pool", "threads", "--concurrency", "8"]
_WEB_SECONDS = 30
_END_SECONDS = 40


@dataclass
class Hub:
    """The processes of one hub, each of which may be killed and started again.

    `clock_error`: how far the clocks of its peers are off. `whole`: how many processes of each kind
    its programs have started when all is well.
    """

    family: Family
    folder: Path
    environment: dict[str, str]
    servers: Servers
    platforms: dict[str, SandboxPlatform] = field(default_factory=dict)
    children: dict[str, Child] = field(default_factory=dict)
    started: int = 0
    whole: Counter[str] = field(default_factory=Counter)
    clock_error: timedelta = timedelta()

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
            log=self.folder / f"{name.replace(' ', '-')}-{self.started}.log",
            environment=self.environment,
            directory=CHECKOUT,
        )
        self.children[name] = self.family.start(program)

    def start_web(self) -> None:
        """Start the web server and wait until it listens."""
        self.start("web", "-m", "settings.serve")
        self._wait(lambda: not ports.is_free(int(self.environment["HUB_BIND_PORT"])))

    def start_beat(self) -> None:
        """Start beat, which knows what it did last."""
        self.start("beat", *_CELERY, "beat", "--schedule", self._schedule, "--pidfile=")

    def start_worker(self, name: str = WORKERS[0]) -> None:
        """Start a worker for all queues."""
        queues = ["-Q", "wake,realtime,bulk", "-n", f"w{self.started}@e2e"]
        self.start(name, *_WORKER, *queues)

    def run(self, name: str, *arguments: str, **more: str) -> None:
        """Run a Python process of the hub to its end, with more in its environment."""
        program = Program(
            name=name,
            command=[sys.executable, *arguments],
            log=self.folder / f"{name}.log",
            environment={**self.environment, **more},
            directory=CHECKOUT,
        )
        assert run_through(program) == 0, program.log.read_text()

    def invite(
        self, cast: Mapping[str, Sequence[Role]], agreed: Sequence[tuple[str, str]]
    ) -> dict[str, str]:
        """Invite platforms with their roles, let parties agree; return the tokens A by platform."""
        self.started += 1
        answer = self.folder / f"tokens-{self.started}.json"
        self.run("invite", "-c", PREPARE, json.dumps(cast), str(answer), json.dumps(agreed))
        tokens: dict[str, str] = json.loads(answer.read_text())
        return tokens

    def kill(self, name: str = WORKERS[0]) -> None:
        """Kill a process without a word."""
        child = self.children.pop(name)
        child.process.kill()
        child.process.wait()
        self.family.children.remove(child)

    def kill_with_all_below(self, name: str) -> None:
        """Kill a program and every process that it has started."""
        os.killpg(self.children[name].process.pid, signal.SIGKILL)
        self.kill(name)

    def end(self, name: str) -> str:
        """Tell a process to end, and wait until it has; return what it wrote."""
        child = self.children.pop(name)
        child.process.terminate()
        child.process.wait(_END_SECONDS)
        self.family.children.remove(child)
        return child.program.log.read_text()

    def supervise(self) -> None:
        """Start again what ended by itself, as a supervisor does: without a broker Celery may."""
        for name, child in list(self.children.items()):
            if child.ended() is not None:
                self.family.children.remove(child)
                self._start_again(name)

    def _start_again(self, name: str) -> None:
        if name in WORKERS:
            self.start_worker(name)
        else:
            {"web": self.start_web, "beat": self.start_beat}[name]()

    def kill_one_of(self, kind: str) -> None:
        """Kill a process that one of the programs has started; that starts another."""
        next(each for each in process_tree.below(self.children) if each.kind == kind).kill()

    def kill_one_of_each_kind(self) -> None:
        """Kill one process of each kind that there is."""
        for kind in self.whole:
            self.kill_one_of(kind)

    def await_whole(self) -> None:
        """Wait until all processes are there again."""
        self._wait(lambda: process_tree.kinds(self.children) == self.whole)

    @property
    def _schedule(self) -> str:
        return str(self.folder / "schedule")

    def _wait(self, until: Callable[[], bool]) -> None:
        assert self.family.wait(_WEB_SECONDS, until=until), "the web server is not ready"


@contextmanager
def living(folder: Path, **settings: str) -> Iterator[Hub]:
    """Run a hub with P1, P2 and P3 registered, P2 and P3 allowed to have what P1 owns."""
    with servers() as own, Family() as family, ExitStack() as platforms:
        hub = Hub(family, folder, {**_environment(own), **settings}, own)
        hub.run("migrate", "manage.py", "migrate", "-v", "0", DATABASE_URL=own.owner_url)
        tokens = hub.invite(_cast(), AGREED)
        hub.start_web()
        hub.start_beat()
        for name in WORKERS:
            hub.start_worker(name)
        for name, roles in _cast().items():
            hub.platforms[name] = platforms.enter_context(SandboxPlatform(roles))
            hub.platforms[name].register_with(f"{hub.url}/ocpi/versions", tokens[name])
        _warm(hub)
        hub.whole = process_tree.kinds(hub.children)
        yield hub


def _environment(own: Servers) -> dict[str, str]:
    port = ports.free()
    return {
        **os.environ,
        **SETTINGS,
        "DATABASE_URL": own.service_url,
        "REDIS_URL": own.redis_url,
        "HUB_PUBLIC_URL": f"http://{ports.HOST}:{port}",
        "HUB_BIND_PORT": str(port),
        "PYTHONPATH": str(CHECKOUT),
    }


def _warm(hub: Hub) -> None:
    """Wait until every process is up: a Location reaches both receivers."""
    assert push(hub.platforms["P1"], {**a_location(), "id": "W1"}).http_status == 201
    for name in ("P2", "P3"):
        hub.platforms[name].wait_for("/W1", 30)


def _cast() -> dict[str, list[Role]]:
    return {name: ROLES[name] for name in ("P1", "P2", "P3")}
