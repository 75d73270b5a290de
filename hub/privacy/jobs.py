"""Long work that the console hands to a worker, and on whose behalf it is done.

The request may name a driver, so it is encrypted while it is queued in Redis.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import redis
from kombu.exceptions import OperationalError

from hub.jobs import Job
from operators.actor import HUB, Actor, Channel, acting, actor
from parties import tokens

_PERCENT = 100

Progress = Callable[[float, Mapping[str, int]], object]
"""Called with the share that is done, from 0 to 1, and what was done so far by kind."""


def hand_over(task: Any, request: Mapping[str, Any]) -> str:  # noqa: ANN401 - a task of Celery
    """Give work to a worker and return the name of its job; `OperationalError` without a broker."""
    by = actor() or HUB
    who = {"who": by.who, "channel": by.channel, "address": by.address, "doing": by.doing}
    job = Job(_PERCENT)
    job.publish()
    # These keys must stay: a queued job may be read by the worker of another release.
    sealed = tokens.seal(msgspec.json.encode({"by": who, "wanted": request}).decode())
    try:
        task.delay(sealed, job.name)
    except redis.RedisError as error:
        raise OperationalError(str(error)) from error
    return job.name


def run_job(sealed: str, name: str, do: Callable[[Any, Progress], object]) -> None:
    """Do what was handed over, on behalf of the operator who asked, and show the progress."""
    given = msgspec.json.decode(tokens.unseal(sealed))
    by, job = given["by"], Job(_PERCENT, name)
    counted: Counter[str] = Counter()

    def report(share: float, counts: Mapping[str, int]) -> None:
        new = Counter(counts) - counted
        counted.update(new)
        job.reach(share, new)

    job.begin()
    try:
        with acting(Actor(**{**by, "channel": Channel(by["channel"])})):
            do(given["wanted"], report)
    except ValueError as error:
        job.add({}, str(error))
        job.fail()
    except Exception:
        job.fail()
        raise
    else:
        job.end()
