"""A connection beside the pool, for one purpose that must not wait for the others."""

import psycopg
from django.db import connections

_CONNECT_SECONDS = 3


def connect(purpose: str) -> psycopg.Connection:
    """Open one to the hub's database, with autocommit; raises psycopg's errors.

    Operators find it by its purpose, its `application_name` in `pg_stat_activity`.
    """
    given = connections["default"].get_connection_params()
    del given["context"]  # Django's adapters: psycopg's own do here
    given |= {"cursor_factory": psycopg.Cursor, "autocommit": True, "application_name": purpose}
    given.setdefault("connect_timeout", _CONNECT_SECONDS)
    return psycopg.connect(**given)
