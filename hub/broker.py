"""The connection to Redis, which only wakes workers up and remembers what may be forgotten."""

from functools import cache

import redis
from django.conf import settings

_TIMEOUT_SECONDS = 1


@cache
def connection() -> "redis.Redis":
    """Return the connection of this process; every use may raise `redis.RedisError`."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=_TIMEOUT_SECONDS,
        socket_connect_timeout=_TIMEOUT_SECONDS,
    )
