"""The broker: Redis, which wakes workers up and keeps only what may be lost."""

from typing import TYPE_CHECKING

from database.redis_connection import connection

if TYPE_CHECKING:
    from celery import Task

__all__ = ["connection", "start_once"]

# If a killed worker takes the task with it, its key must not keep the next one out for long.
_KEY_SECONDS = 10


def start_once(key: str, task: "Task[..., None]", *arguments: int) -> None:
    """Queue a task unless one with this key is queued: however often it is woken, it runs once.

    The task has to delete its key when it begins, so that a wake-up from then on queues another.
    """
    if connection().set(key, 1, nx=True, ex=_KEY_SECONDS):
        task.delay(*arguments)
