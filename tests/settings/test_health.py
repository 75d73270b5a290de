"""A web process says whether it lives and can work; the figures do not show who asks."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings
from django.db import connection

from database import readiness, redis_connection
from database.readiness import Readiness
from hub.message_log.writer import writer
from hub.models import Exchange
from tests.conftest import HubServer

Said = tuple[int, dict[str, object]]


@pytest.fixture(autouse=True)
def _fresh() -> None:
    """What was found in the test before is not good for this one."""
    readiness.readiness._until = 0.0


def ask(hub: HubServer, path: str, method: str = "GET", **headers: str) -> Said:
    """Send a probe; return the status and what was said."""
    host = urlsplit(hub.url).netloc
    with closing(HTTPConnection(host, timeout=30)) as asking:
        asking.request(method, path, headers=headers)
        answer = asking.getresponse()
        text = answer.read()
    return answer.status, json.loads(text) if text else {}


@contextmanager
def _renamed(table: str) -> Iterator[None]:
    """Let a table be away."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO away")
        try:
            yield
        finally:
            cursor.execute(f"ALTER TABLE away RENAME TO {table}")


def test_a_process_that_answers_lives(hub_server: HubServer) -> None:
    """Whatever becomes of everything else."""
    assert ask(hub_server, "/healthz") == (200, {"status": "ok"})


def test_one_that_can_work_is_ready(hub_server: HubServer) -> None:
    """Database, migrations, broker and disk are checked, and named."""
    status, said = ask(hub_server, "/readyz")

    assert (status, said["status"]) == (200, "ok")
    assert said["checks"] == dict.fromkeys(("database", "migrations", "broker", "disk"), "ok")


def test_a_broker_that_is_away_is_named(hub_server: HubServer, settings: LazySettings) -> None:
    """503, with what fails; the process lives all the same."""
    redis_connection.connection.cache_clear()
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    try:
        status, said = ask(hub_server, "/readyz")
        lives = ask(hub_server, "/healthz")[0]
    finally:
        redis_connection.connection.cache_clear()

    assert (status, said["status"]) == (503, "not ready")
    assert said["checks"]["broker"] == "the broker does not answer"  # type: ignore[index]
    assert lives == 200


def test_missing_migrations_are_named(hub_server: HubServer) -> None:
    """A process of a new release waits for its tables."""
    with _renamed("django_migrations"):
        found = readiness._Migrations()()

    assert "migrations are not applied: run manage.py migrate" in found
    assert readiness._Migrations()() == ""


def test_it_is_asked_for_once_a_second(transactional_db: None) -> None:
    """However often strangers ask, database and broker are asked no more often."""
    asked: list[str] = []
    found = Readiness({"database": lambda: asked.append("once") or ""})  # type: ignore[func-returns-value]

    assert [found.found() for _ in range(50)] == [{"database": "ok"}] * 50
    assert asked == ["once"]


def test_any_host_may_be_named(hub_server: HubServer) -> None:
    """A probe calls an address, not the hub's public name."""
    assert ask(hub_server, "/readyz", Host="10.0.0.7:8000")[0] == 200


def test_a_head_has_no_body_and_a_post_is_refused(hub_server: HubServer) -> None:
    """Balancers ask by HEAD; nobody sends anything."""
    assert ask(hub_server, "/readyz", "HEAD") == (200, {})
    assert ask(hub_server, "/healthz", "POST")[0] == 405


def test_a_probe_is_in_no_log(hub_server: HubServer) -> None:
    """It would fill the figures with a stranger's errors."""
    for path in ("/healthz", "/readyz"):
        ask(hub_server, path)
    writer.flush()

    assert not Exchange.objects.exists()
