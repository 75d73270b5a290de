"""How many of the pool's connections somebody holds."""

from django.db import connection


def held() -> int:
    """Count the connections that are neither in the pool nor given back to it.

    Those that are being made after a test cut some off are among them: compare with before.
    """
    stats = connection.pool.get_stats()  # type: ignore[attr-defined]  # PostgreSQL's has one
    return int(stats.get("pool_size", 0) - stats.get("pool_available", 0))
