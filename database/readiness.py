"""Readiness: whether this process can do its work, for whoever sends it traffic.

Each check is a sentence of what fails, or nothing. Who asks need not say who they are, so what is
found is good for a second, however often it is asked for, and says nothing that helps a stranger.
"""

import shutil
import time
from collections.abc import Callable, Mapping
from threading import Lock

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from database import redis_connection, sql

_GOOD_FOR_SECONDS = 1.0
LEAST_FREE_BYTES = 64_000_000
"""Free space of the disk that the hub runs on, for what it writes there."""


class Readiness:
    """What the checks found last; one caller at a time asks anew."""

    def __init__(self, checks: Mapping[str, Callable[[], str]]) -> None:
        """Know the checks by their names."""
        self._checks = checks
        self._lock = Lock()
        self._found: dict[str, str] = {}
        self._until = 0.0

    def found(self) -> dict[str, str]:
        """Return what each check found: `ok`, or what fails. It may ask database and broker."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._found = {name: check() or "ok" for name, check in self._checks.items()}
                self._until = time.monotonic() + _GOOD_FOR_SECONDS
            return self._found


def _database() -> str:
    try:
        sql.rows("SELECT 1", {})
    except DatabaseError:
        return "the database does not answer"
    return ""


class _Migrations:
    """Whether the tables are those of this release: once they are, they stay so."""

    def __init__(self) -> None:
        self._are_applied = False

    def __call__(self) -> str:
        if self._are_applied:
            return ""
        try:
            executor = MigrationExecutor(connection)
            missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
        except DatabaseError:
            return "the database does not say which migrations it has"
        self._are_applied = not missing
        return f"{len(missing)} migrations are not applied: run manage.py migrate" * bool(missing)


def _broker() -> str:
    try:
        redis_connection.connection().ping()
    except redis.RedisError:
        return "the broker does not answer"
    return ""


def _disk() -> str:
    free = shutil.disk_usage(settings.BASE_DIR).free
    return "" if free >= LEAST_FREE_BYTES else f"the disk has only {free // 1_000_000} MB left"


readiness = Readiness(
    {"database": _database, "migrations": _Migrations(), "broker": _broker, "disk": _disk}
)
"""Of this process."""
