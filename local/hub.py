"""The hub's own processes on this machine: migrate, web, Celery worker, beat."""

import http.client
import math
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from local import beside, database_roles, dev_secrets, environment, ports
from local.data_dir import CHECKOUT, DataDir
from local.errors import Trouble
from local.processes import Child, Family, Program, tied_to_us, until_ctrl_c

_NAME, _EMAIL, _PASSWORD = (
    f"DJANGO_SUPERUSER_{each}" for each in ("USERNAME", "EMAIL", "PASSWORD")
)
_WEB_SECONDS = 30.0
_WORKER_SECONDS = 30.0
_LOG_IN = """
import os
from django.contrib.auth import authenticate
name, password = (os.environ[f"DJANGO_SUPERUSER_{key}"] for key in ("USERNAME", "PASSWORD"))
print(authenticate(username=name, password=password) is not None)
"""
_PYTHON = (sys.executable, "-m")


class Admin(NamedTuple):
    """Who may log in; in place of a password that is not ours, what is known of it."""

    name: str
    password: str


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub being started: its directory, and the environment of its processes.

    `owner` is what `migrate` has besides: the database URL of the role that may change its tables.
    """

    data_dir: DataDir
    environment: Mapping[str, str]
    family: Family
    owner: Mapping[str, str]

    @property
    def url(self) -> str:
        """Its public URL."""
        return environment.value_of("HUB_PUBLIC_URL", self.environment).rstrip("/")

    def manage(self, *words: str, extra: Mapping[str, str] | None = None) -> str:
        """Run a command of manage.py and return what it printed."""
        answer = subprocess.run(
            [sys.executable, CHECKOUT / "manage.py", *words],
            check=False,
            capture_output=True,
            text=True,
            cwd=CHECKOUT,
            env={**self.environment, **(extra or {})},
            start_new_session=True,
            preexec_fn=tied_to_us(signal.SIGKILL),
        )
        if answer.returncode != 0:
            said = (answer.stderr or answer.stdout).strip().splitlines()[-12:]
            lines = "".join(f"\n    {line}" for line in said)
            raise Trouble(f"`manage.py {words[0]}` failed:{lines}")
        return answer.stdout

    def migrate(self) -> None:
        """Bring the tables up to date, as their owner."""
        self.manage("migrate", "--noinput", extra=self.owner)

    def create_admin(self) -> Admin:
        """Make sure there is an admin user."""
        who, given = self._admin(), environment.is_given(_PASSWORD)
        shown = f"as given ({_PASSWORD})" if given else who[_PASSWORD]
        try:
            self.manage("createsuperuser", "--noinput", extra=who)
        except Trouble as trouble:
            if "already taken" not in str(trouble):
                raise
            shown = shown if self._is_password(who) else "as it was set"
        return Admin(who[_NAME], shown)

    def _admin(self) -> Mapping[str, str]:
        """Return what `createsuperuser` reads: what is given, else an admin of ours."""
        made = dev_secrets.keys(self.data_dir.path)["ADMIN_PASSWORD"]
        ours = {_NAME: "admin", _EMAIL: "admin@example.com", _PASSWORD: made}
        return {name: environment.value_of(name) or value for name, value in ours.items()}

    def _is_password(self, who: Mapping[str, str]) -> bool:
        """Whether this password is still the admin's."""
        return self.manage("shell", "-c", _LOG_IN, extra=who).strip().endswith("True")

    def start(self) -> None:
        """Start web, worker and beat, and wait until the first two are at work."""
        web = self._start("web", "settings.serve")
        worker = self._start(
            "worker", "celery", "-A", "settings", "worker", "--pool", "threads",
            "--concurrency", "16", "-Q", "wake,realtime,bulk", "-n", "hub@%h", "--loglevel", "INFO",
            orphan_signal=signal.SIGKILL,
        )  # fmt: skip
        self._start(
            "beat", "celery", "-A", "settings", "beat",
            "--schedule", str(self.data_dir.path / "beat-schedule"), "--pidfile=",
            orphan_signal=signal.SIGKILL,
        )  # fmt: skip
        self._await(web, _WEB_SECONDS, self._answers)
        self._await(worker, _WORKER_SECONDS, lambda: _is_ready(worker))

    def _start(
        self, name: str, *words: str, orphan_signal: signal.Signals = signal.SIGTERM
    ) -> Child:
        program = Program(
            name=name,
            command=[*_PYTHON, *words],
            log=self.data_dir.log(name),
            environment=self.environment,
            directory=CHECKOUT,
            orphan_signal=orphan_signal,
        )
        return self.family.start(program)

    def _await(self, child: Child, seconds: float, ready: Callable[[], bool]) -> None:
        if not self.family.wait(seconds, until=ready):
            raise Trouble(f"{child.name} is not ready after {seconds:g} s; {child.last_words()}")

    def _answers(self) -> bool:
        """Whether the web process can do its work."""
        port = int(self.environment["HUB_BIND_PORT"])
        host = ports.reached(environment.value_of("HUB_BIND_HOST", self.environment))
        connection = http.client.HTTPConnection(host, port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def _is_ready(worker: Child) -> bool:
    return b" ready." in worker.program.log.read_bytes()


def with_roles(data_dir: DataDir, given: Mapping[str, str], family: Family) -> Hub:
    """Return a hub that may not change its own tables, if the server is one we started."""
    if environment.is_given("DATABASE_URL"):
        return Hub(data_dir, given, family, {})
    found = database_roles.make_roles(given["DATABASE_URL"], dev_secrets.keys(data_dir.path))
    own = {**given, "DATABASE_URL": found.service}
    return Hub(data_dir, own, family, {"DATABASE_URL": found.owner})


def serve(data_dir: DataDir) -> int:
    """Run the hub alone until a signal ends it; its data remain."""
    with until_ctrl_c(), data_dir.locked(), Family() as family:
        chosen = environment.port_from("HUB_BIND_PORT", 8000)
        port = ports.usable_port(chosen, variable="HUB_BIND_PORT")
        print("Starting the hub …", flush=True)
        hub = with_roles(data_dir, environment.with_servers(family, data_dir, port=port), family)
        hub.migrate()
        admin = hub.create_admin()
        hub.start()
        with beside.told(data_dir, hub.environment, owner=hub.owner):
            print(box(hub, admin), flush=True)
            family.wait(math.inf, until=lambda: False)
    return 0


def box(hub: Hub, admin: Admin) -> str:
    """Return where to look, how to log in and how to run a command, in a frame."""
    lines = [
        f"Admin     {hub.url}/admin/",
        f"User      {admin.name}",
        f"Password  {admin.password}",
        f"OCPI      {hub.url}/ocpi/versions",
        f"Commands  {beside.way(hub.data_dir.purpose)}",
        f"Logs      {hub.data_dir.logs}",
    ]
    width = max(map(len, lines))
    edge = "─" * (width + 2)
    return "\n".join([f"┌{edge}┐", *(f"│ {line:<{width}} │" for line in lines), f"└{edge}┘"])
