"""The connection to Redis, which only wakes workers up and remembers what may be forgotten."""

from functools import cache
from typing import TYPE_CHECKING

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

if TYPE_CHECKING:
    from celery import Task

_TIMEOUT_SECONDS = 1
# A task may die in the memory of a killed worker: its mark must not keep the next one out for long.
_QUEUED_SECONDS = 10
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


def start_once(key: str, task: "Task[..., None]", *arguments: int) -> None:
    """Queue a task unless one waits already: busy workers find one for each key, not one a round.

    The task deletes its key as it begins.
    """
    if connection().set(key, 1, nx=True, ex=_QUEUED_SECONDS):
        task.delay(*arguments)
