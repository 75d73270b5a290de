"""Connections to Redis, which holds only what may be lost: its callers can go on without it.

Every command may raise `redis.RedisError`, and does so soon: each attempt has a second to connect
and a second for the answer.
"""

from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

_TIMEOUT_SECONDS = 1


@cache
def connection() -> "redis.Redis":
    """Return the client of this process; its threads share its pool of connections."""
    # Redis may have closed a connection that waits in the pool: a second attempt opens another.
    return connect(settings.REDIS_URL, retries=1)


def connect(url: str, *, retries: int = 0, timeout: float = _TIMEOUT_SECONDS) -> "redis.Redis":
    """Return a new client that repeats a failed command `retries` times.

    The library's default, ten times with growing pauses, would make its callers wait.
    """
    return redis.Redis.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), retries),
    )
