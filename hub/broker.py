"""The broker: Redis only wakes workers up, and remembers what may be forgotten."""

from typing import TYPE_CHECKING

from database.redis_connection import connection

if TYPE_CHECKING:
    from celery import Task

__all__ = ["connection", "start_once"]

# A task may die in the memory of a killed worker: its mark must not keep the next one out for long.
_QUEUED_SECONDS = 10


def start_once(key: str, task: "Task[..., None]", *arguments: int) -> None:
    """Queue a task unless one waits already: busy workers find one for each key, not one a round.

    The task deletes its key as it begins.
    """
    if connection().set(key, 1, nx=True, ex=_QUEUED_SECONDS):
        task.delay(*arguments)
