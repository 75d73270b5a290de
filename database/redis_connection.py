"""Connections to Redis, which holds only what may be forgotten; whoever uses it goes on without it.

Every use may raise `redis.RedisError`, and soon: a second to connect, a second for an answer.
"""

from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

_TIMEOUT_SECONDS = 1


@cache
def connection() -> "redis.Redis":
    """Return the connections of this process: threads share them."""
    return connect(settings.REDIS_URL, tries_again=1)


def connect(url: str, *, tries_again: int = 0, timeout: float = _TIMEOUT_SECONDS) -> "redis.Redis":
    """Return connections of one's own; a pooled one may be one that Redis gave up: once more.

    Of itself the client tries ten times.
    """
    return redis.Redis.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), tries_again),
    )
