"""The embedded servers are real, start again after anything, and end with who started them."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis

from local import postgres, postgres_binaries, valkey
from local.data_dir import CHECKOUT, DataDir
from local.errors import Trouble
from local.processes import Family
from tests.local.process_state import is_alive, is_soon_gone

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")

_SUPERVISOR = """
import time
from local import data_dir, postgres
from local.processes import Family
with Family() as family:
    postgres.serve(family, data_dir.of_purpose("test"), password="secret", durable=False)
    print(family.children[0].process.pid, flush=True)
    time.sleep(60)
"""


def asked(url: str, question: str) -> object:
    """Return the one value a database answers."""
    with psycopg.connect(url) as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return row[0]


def serve(family: Family, where: DataDir) -> str:
    """Start PostgreSQL as a test run does."""
    return postgres.serve(family, where, password="secret", durable=False)


def data_of(where: DataDir) -> Path:
    """Return the directory of its data."""
    return where.path / f"postgres-{postgres_binaries.find().major}" / "data"


def test_postgres_keeps_what_it_was_given(where: DataDir) -> None:
    """A stopped server starts again at the same address, with its data."""
    with Family() as family:
        first = serve(family, where)
        assert asked(first, "SHOW server_encoding") == "UTF8"
        assert asked(first, "SELECT lower('ÄÖ')") == "äö"
        with psycopg.connect(first) as connection:
            connection.execute("CREATE TABLE kept ()")
    with Family() as family:
        second = serve(family, where)
        assert second == first
        assert asked(second, "SELECT to_regclass('kept') IS NOT NULL") is True
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(second)


def test_postgres_starts_after_a_kill(where: DataDir) -> None:
    """Its pid file stays behind, and the number in it may be another process by then: ours."""
    with Family() as family:
        serve(family, where)
        (child,) = family.children
        child.process.kill()
        child.process.wait()
    note = data_of(where) / "postmaster.pid"
    note.write_text(note.read_text().replace(str(child.process.pid), str(os.getpid()), 1))
    with Family() as family:
        assert asked(serve(family, where), "SELECT 1") == 1


def test_postgres_of_a_run_that_is_gone_is_ended(where: DataDir) -> None:
    """A server nobody supervises any more holds the data; it is asked to go."""
    family = Family()
    serve(family, where)
    (forgotten,) = family.children
    with Family() as other:
        assert asked(serve(other, where), "SELECT 1") == 1
        assert forgotten.process.wait(5) == 0


def test_postgres_asks_for_the_password(where: DataDir) -> None:
    """Other users of the machine reach the loopback address too."""
    with Family() as family:
        url = serve(family, where)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(url.replace("secret", "guess"))


def test_a_lost_password_is_said_with_the_way_out(where: DataDir) -> None:
    """Who removed secrets.env reads what to do."""
    with Family() as family:
        serve(family, where)
    with Family() as family, pytest.raises(Trouble, match=r"secrets\.env'?; remove"):
        postgres.serve(family, where, password="another", durable=False)


def test_postgres_that_cannot_start_says_why(where: DataDir) -> None:
    """The end of its log stands below the sentence."""
    with Family() as family:
        serve(family, where)
    settings = data_of(where) / "postgresql.conf"
    before = settings.read_text()
    settings.write_text("no_such_setting = 1\n")
    try:
        with (
            Family() as family,
            pytest.raises(Trouble, match=r"(?s)did not start.*no_such_setting"),
        ):
            serve(family, where)
    finally:
        settings.write_text(before)


def test_a_fresh_database_is_empty(where: DataDir) -> None:
    """The demo begins anew, even while somebody still looks at the old one."""
    with Family() as family:
        server = serve(family, where)
        story = server.rpartition("/")[0] + "/story"
        postgres.create_database(server, "story")
        with psycopg.connect(story) as looking:
            looking.execute("CREATE TABLE old ()")
            looking.commit()
            postgres.create_database(server, "story", afresh=True)
        assert asked(story, "SELECT to_regclass('old') IS NULL") is True


@pytest.mark.parametrize("content", [None, "#!/bin/sh\necho 'postgres (PostgreSQL) 14.2'\n"])
def test_a_configured_path_must_hold_a_postgres(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was asked for by name is not silently replaced by something else."""
    for name in ("postgres", "initdb") if content else ():
        (tmp_path / name).write_text(content or "")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("LOCAL_POSTGRES_BIN", str(tmp_path))
    with pytest.raises(Trouble, match=r"LOCAL_POSTGRES_BIN=.* holds no"):
        postgres_binaries.find()


def test_valkey_answers_with_its_password_only(where: DataDir) -> None:
    """It speaks Redis on loopback, and forgets everything when it is stopped."""
    with Family() as family:
        url = valkey.serve(family, where, password="secret")
        with redis.Redis.from_url(url) as client:
            assert client.set("kept", "no") is True
        with (
            redis.Redis.from_url(url.replace("secret", "guess")) as client,
            pytest.raises(redis.AuthenticationError),
        ):
            client.ping()
    with Family() as family:
        again = valkey.serve(family, where, password="secret")
        assert again == url
        with redis.Redis.from_url(again) as client:
            assert client.get("kept") is None
    assert family.children == []


def test_valkey_that_is_not_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ways out are named."""
    monkeypatch.setenv("LOCAL_VALKEY_SERVER", "/nowhere/valkey-server")
    with pytest.raises(Trouble, match=r"set REDIS_URL .*LOCAL_VALKEY_SERVER"):
        valkey.find()


def test_servers_end_with_a_killed_supervisor(where: DataDir) -> None:
    """The kernel has PostgreSQL shut down fast, which keeps its data whole."""
    command = [sys.executable, "-c", _SUPERVISOR]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT) as supervisor:
        assert supervisor.stdout is not None
        server = int(supervisor.stdout.readline())
        assert is_alive(server)
        supervisor.kill()
    assert is_soon_gone(server)
    with Family() as family:
        assert asked(serve(family, where), "SELECT 1") == 1
