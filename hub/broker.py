"""The connection to Redis, which only wakes workers up and remembers what may be forgotten."""

from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

_TIMEOUT_SECONDS = 1
_ONCE_MORE = Retry(NoBackoff(), 1)
"""A pooled connection may be one that Redis gave up; of itself the client tries ten times."""


@cache
def connection() -> "redis.Redis":
    """Return the connection of this process; every use may raise `redis.RedisError`."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=_TIMEOUT_SECONDS,
        socket_connect_timeout=_TIMEOUT_SECONDS,
        retry=_ONCE_MORE,
    )
