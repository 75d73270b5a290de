"""PostgreSQL and Valkey of one hub alone, so that a test may stop them."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import redis

from local import database_roles, dev_secrets, postgres, valkey
from local.data_dir import DataDir, of_purpose
from local.processes import Family
from tests.e2e import process_tree

_DATABASE = "hub_e2e"
_PATIENCE_SECONDS = 30.0


@dataclass
class Servers:
    """Both servers; each comes back where it was, the broker without a memory."""

    data_dir: DataDir
    family: Family
    database_url: str = ""
    redis_url: str = ""
    service_url: str = ""
    """The database for who may not change its tables: what the hub runs on."""
    owner_url: str = ""

    def start(self) -> None:
        """Start both, the database empty."""
        self.start_postgres()
        postgres.create_database(self.database_url, _DATABASE, afresh=True)
        self.database_url = self.database_url.rpartition("/")[0] + f"/{_DATABASE}"
        made = database_roles.make_roles(self.database_url, dev_secrets.keys(self.data_dir.path))
        self.owner_url, self.service_url = made
        self.start_broker()

    def start_postgres(self) -> None:
        """Start PostgreSQL, which recovers what was committed."""
        password = dev_secrets.keys(self.data_dir.path)["POSTGRES_PASSWORD"]
        url = postgres.serve(self.family, self.data_dir, password=password)
        self._check(self.database_url, url)
        self.database_url = self.database_url or url

    def stop_postgres(self) -> None:
        """Stop PostgreSQL in the middle of everything, as if it had crashed."""
        self._end("PostgreSQL", signal.SIGQUIT)

    def kill_connection(self) -> None:
        """Kill the process of one connection: PostgreSQL ends all others, and recovers."""
        server = {"": next(each for each in self.family.children if each.name == "PostgreSQL")}
        next(each for each in process_tree.below(server) if _DATABASE in each.command).kill()

    def await_postgres(self) -> None:
        """Wait until it takes connections again."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                psycopg.connect(self.database_url).close()
            except psycopg.OperationalError:
                assert time.monotonic() < end, "PostgreSQL does not recover"
                time.sleep(0.1)
            else:
                return

    def start_broker(self) -> None:
        """Start Valkey."""
        url = valkey.serve(
            self.family,
            self.data_dir,
            password=dev_secrets.keys(self.data_dir.path)["REDIS_PASSWORD"],
        )
        self._check(self.redis_url, url)
        self.redis_url = url

    def stop_broker(self) -> None:
        """Kill Valkey."""
        self._end("Valkey", signal.SIGKILL)

    def flush_broker(self) -> None:
        """Let the broker lose everything."""
        with redis.Redis.from_url(self.redis_url) as broker:
            broker.flushall()

    def _end(self, name: str, number: signal.Signals) -> None:
        child = next(each for each in self.family.children if each.name == name)
        child.process.send_signal(number)
        child.process.wait(20)
        self.family.children.remove(child)

    def _check(self, before: str, after: str) -> None:
        where = [url.rpartition("/")[0] for url in (before or after, after)]
        assert where[0] == where[1], "somebody took the port meanwhile"


@contextmanager
def servers() -> Iterator[Servers]:
    """Run both servers in a place of this run's own."""
    where = of_purpose(purpose())
    with where.locked(), Family() as family:
        found = Servers(where, family)
        found.start()
        yield found


def purpose() -> str:
    """Name the place: beside that of the run, one for each worker of pytest-xdist."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    words = (os.environ.get("LOCAL_PURPOSE", "test"), "e2e", worker)
    return "-".join(filter(None, words))
