"""The hub's two roles in a database: who may change its tables, and who may not.

The statements are those of a deployment (`deploy/postgres/roles.sql`); a superuser runs them.
"""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from local.data_dir import CHECKOUT

_STATEMENTS = CHECKOUT / "deploy" / "postgres" / "roles.sql"


class Roles(NamedTuple):
    """The URL of a database for each of the two."""

    owner: str
    service: str


def make_roles(database_url: str, passwords: Mapping[str, str]) -> Roles:
    """Make both where they are missing, give each its rights, and return how they log in."""
    named = {
        "hub_owner": passwords["OWNER_PASSWORD"],
        "hub_service": passwords["SERVICE_PASSWORD"],
    }
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(_STATEMENTS.read_bytes())
        for role, password in named.items():
            statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
            connection.execute(statement.format(sql.Identifier(role), sql.Literal(password)))
    return Roles(*(_as(database_url, role, password) for role, password in named.items()))


def _as(database_url: str, role: str, password: str) -> str:
    parts = urlsplit(database_url)
    server = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{role}:{password}@{server}").geturl()
