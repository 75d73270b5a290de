"""The hub has a role that may not change its tables; who migrates is no superuser either."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from local import database_roles, postgres, postgres_binaries
from local.data_dir import CHECKOUT, DataDir
from local.database_roles import Roles
from local.processes import Family

pytestmark = [
    pytest.mark.security("S-27"),
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
]
_PASSWORDS = {"OWNER_PASSWORD": "of-the-owner", "SERVICE_PASSWORD": "of-the-service"}
_FORBIDDEN = [
    "CREATE TABLE mine ()",
    "CREATE TEMPORARY TABLE mine ()",
    "CREATE SCHEMA mine",
    "CREATE ROLE mine",
    "CREATE DATABASE mine",
    "CREATE EXTENSION btree_gin",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "DROP TABLE hub_location",
    "DROP TABLE hub_exchange_default",
    "TRUNCATE hub_location",
    "ALTER TABLE hub_location ADD COLUMN mine int",
    "ALTER TABLE hub_exchange DISABLE TRIGGER ALL",
    "ALTER ROLE hub_service SUPERUSER",
    "SET ROLE hub_owner",
    "SET session_replication_role = replica",
    "SELECT * FROM pg_authid",
    "SELECT pg_read_file('/etc/passwd')",
    "COPY (SELECT 1) TO PROGRAM 'true'",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a server of its own and return how its superuser logs in: roles are a whole server's."""
    where = DataDir("test", tmp_path_factory.mktemp("roles") / "test")
    for directory in (where.path, where.logs):
        directory.mkdir(mode=0o755)
    with Family() as family:
        yield postgres.serve(family, where, password="of-the-superuser", durable=False)


@pytest.fixture(scope="module")
def database(server: str) -> Roles:
    """Return the database of a hub, migrated by the owner of its tables."""
    made = database_roles.make_roles(server, _PASSWORDS)
    migrate = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--noinput", "--settings", "settings.test"],
        check=False,
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        env={**os.environ, "DATABASE_URL": made.owner, "DATABASE_URL_GW0": made.owner}
        | {"PYTEST_XDIST_WORKER": "gw0"},
    )
    assert migrate.returncode == 0, migrate.stderr
    return made


def _asked(url: str, question: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(question.encode()).fetchall()


@pytest.mark.parametrize("statement", _FORBIDDEN)
def test_the_hub_may_not(database: Roles, statement: str) -> None:
    """Whoever gets hold of the hub's connection cannot change tables, nor reach beyond them."""
    with (
        psycopg.connect(database.service, autocommit=True) as connection,
        pytest.raises(InsufficientPrivilege),
    ):
        connection.execute(statement.encode())


def test_the_hub_reads_and_writes_rows(database: Roles) -> None:
    """It may do with the rows of each table what it does, and count with each sequence."""
    for kind, rights, of in (
        ("table", ("SELECT", "INSERT", "UPDATE", "DELETE"), "relkind IN ('r', 'p')"),
        ("sequence", ("USAGE", "SELECT"), "relkind = 'S'"),
    ):
        each = " AND ".join(f"has_{kind}_privilege(oid, '{right}')" for right in rights)
        known = f"FROM pg_class WHERE relnamespace = 'public'::regnamespace AND {of}"
        assert _asked(database.service, f"SELECT count(*) > 10 {known}") == [(True,)]
        assert _asked(database.service, f"SELECT relname {known} AND NOT ({each})") == []


def test_days_of_the_log_come_and_go_without_rights_on_tables(database: Roles) -> None:
    """The hub makes and drops the partition of a day by functions of the owner's."""
    day = date(2026, 1, 2)
    named = "SELECT FROM pg_class WHERE relname = 'hub_exchange_20260102'"
    with psycopg.connect(database.service, autocommit=True) as connection:
        connection.execute("SELECT hub_exchange_add_day(%s)", [day])
        assert connection.execute(named).fetchone() is not None
        privilege = "SELECT has_table_privilege('hub_exchange_20260102', 'INSERT, DELETE')"
        assert connection.execute(privilege).fetchone() == (True,)
        connection.execute("SELECT hub_exchange_drop_day(%s)", [day])
        assert connection.execute(named).fetchone() is None


def test_functions_of_the_owner_look_up_names_where_the_owner_says(database: Roles) -> None:
    """A function with the rights of another has a search path of its own, temporary tables last."""
    found = _asked(database.service, "SELECT proname, proconfig FROM pg_proc WHERE prosecdef")
    assert {name for name, _ in found} == {"hub_exchange_add_day", "hub_exchange_drop_day"}
    for _, config in found:
        assert "search_path=public, pg_temp" in list(config)  # type: ignore[call-overload]


def test_who_migrates_is_no_superuser(database: Roles) -> None:
    """Neither role may make roles, databases or copies, nor go around what others see of rows."""
    found = _asked(
        database.owner,
        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls"
        " FROM pg_roles WHERE rolname ~ '^hub_'",
    )
    assert found == [(False,) * 5, (False,) * 5]
    with pytest.raises(InsufficientPrivilege):
        _asked(database.owner, "SELECT * FROM pg_authid")


def test_locations_are_found_by_words_without_a_superuser(database: Roles) -> None:
    """The extension is one that the owner of a database may have."""
    assert _asked(database.owner, "SELECT FROM pg_class WHERE relname = 'hub_location_words'")


def test_a_database_from_before_gets_its_roles(server: str) -> None:
    """What a superuser made is handed over; a second time changes nothing."""
    postgres.create_database(server, "older", afresh=True)
    older = server.rpartition("/")[0] + "/older"
    with psycopg.connect(older, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
        connection.execute("CREATE TABLE kept (id serial)")
        connection.execute("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    for _ in range(2):
        made = database_roles.make_roles(older, _PASSWORDS)
        with psycopg.connect(made.owner, autocommit=True) as connection:
            connection.execute("ALTER TABLE kept ADD COLUMN IF NOT EXISTS more int")
            connection.execute(
                "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'"
            )
        assert _asked(made.service, "INSERT INTO kept DEFAULT VALUES RETURNING f()") == [(2,)]


def test_the_image_of_postgres_makes_the_same_roles(
    server: str, database: Roles, tmp_path: Path
) -> None:
    """What compose has PostgreSQL run when it is new makes both roles, with their passwords."""
    postgres.create_database(server, "composed", afresh=True)
    for role in ("owner", "service"):
        (tmp_path / f"{role}_password").write_text(f"composed-{role}\n")
    connection = psycopg.conninfo.conninfo_to_dict(server)
    programs = postgres_binaries.find().directory
    answer = subprocess.run(
        ["/bin/sh", CHECKOUT / "deploy" / "postgres" / "init.sh"],
        check=False,
        capture_output=True,
        text=True,
        env={
            "PATH": f"{programs}:{os.defpath}",
            "POSTGRES_USER": str(connection["user"]),
            "POSTGRES_DB": "composed",
            "PGHOST": str(connection["host"]),
            "PGPORT": str(connection["port"]),
            "PGPASSWORD": str(connection["password"]),
            "ROLES": str(CHECKOUT / "deploy" / "postgres"),
            "SECRETS": str(tmp_path),
        },
    )
    try:
        assert answer.returncode == 0, answer.stderr
        composed = database.service.replace("of-the-service", "composed-service")
        # What nobody but the script forbids in this database: roles are there from another.
        with pytest.raises(InsufficientPrivilege):
            _asked(composed.rpartition("/")[0] + "/composed", "CREATE TEMPORARY TABLE mine ()")
    finally:
        database_roles.make_roles(server, _PASSWORDS)
