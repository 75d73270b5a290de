"""Jobs: long work that an operator started in the console, with its progress.

Progress is kept in Redis for a day, like the queued task. Losing Redis or killing the worker stops
a job; the operator can start it again.
"""

import logging
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from time import time as _now
from typing import Any

import msgspec
import redis

from hub import broker

log = logging.getLogger(__name__)
_KEY = "hub:job:{}"
_KEPT_SECONDS = 86_400
_MOST_REASONS = 20
_SILENT_SECONDS = 300.0
"""A job at work that publishes nothing for so long has died; no batch takes longer."""
_QUEUED_SECONDS = 3_600.0
"""The same of a queued job: it may wait behind snapshots, and publishes nothing meanwhile."""


class Stage(StrEnum):
    """The stage of a job, in the words of its page."""

    QUEUED = "It waits for a worker."
    AT_WORK = "At work."
    OVER = "It is over."
    STOPPED = "It has stopped. What is left in the list can be sent again."


GOING_ON = frozenset({Stage.QUEUED, Stage.AT_WORK})


@dataclass(slots=True)
class Job:
    """A number of things to do, with their outcomes so far.

    `counts` says how many had which outcome, `reasons` why some failed. Where the `total` is not
    known beforehand, `share` is the progress from 0 to 1.
    """

    total: int = 0
    name: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    counts: Counter[str] = field(default_factory=Counter)
    reasons: list[str] = field(default_factory=list)
    begun: bool = False
    finished: bool = False
    failed: bool = False
    share: float = 0.0
    published_at: float = 0.0

    @property
    def stage(self) -> Stage:
        """The present stage; a job that publishes nothing for too long died with its worker."""
        if self.finished:
            return Stage.OVER
        most_silent = _SILENT_SECONDS if self.begun else _QUEUED_SECONDS
        if self.failed or _now() - self.published_at > most_silent:
            return Stage.STOPPED
        return Stage.AT_WORK if self.begun else Stage.QUEUED

    @property
    def done(self) -> int:
        """How many things are done, with whatever outcome."""
        return sum(self.counts.values())

    def begin(self) -> None:
        """Publish that a worker has begun."""
        self.begun = True
        self.publish()

    def add(self, counts: Mapping[str, int], reason: str = "") -> None:
        """Add the outcomes of some things, and publish them."""
        self.counts.update({word: number for word, number in counts.items() if number})
        if reason and reason not in self.reasons and len(self.reasons) < _MOST_REASONS:
            self.reasons.append(reason)
        self.publish()

    def reach(self, share: float, counts: Mapping[str, int]) -> None:
        """Set the progress, from 0 to 1, add outcomes, and publish both."""
        self.share = share
        self.add(counts)

    def fail(self) -> None:
        """Publish that an error stopped it."""
        self.failed = True
        self.publish()

    def end(self) -> None:
        """Publish that it is over."""
        self.finished = True
        self.publish()

    def publish(self) -> None:
        """Write the state to Redis; the work goes on if that fails."""
        self.published_at = _now()
        text = msgspec.json.encode({each.name: getattr(self, each.name) for each in fields(self)})
        try:
            broker.connection().set(_KEY.format(self.name), text, ex=_KEPT_SECONDS)
        except redis.RedisError as error:
            log.warning("how far a job is cannot be seen, the broker fails: %s", error)


def forget_jobs(quoting: Callable[[str], bool]) -> int:
    """Delete the state of jobs whose text `quoting` accepts; the jobs themselves go on.

    For the erasure of a driver: reasons and counts may quote an identifier.
    """
    found = 0
    try:
        for key in broker.connection().scan_iter(_KEY.format("*")):
            text: Any = broker.connection().get(key)
            if text is not None and quoting(text.decode()):
                found += 1
                broker.connection().delete(key)
    except redis.RedisError as error:
        log.warning("jobs are not looked through, the broker does not answer: %s", error)
    return found


def find_job(name: str) -> Job | None:
    """Return a job by its name, None when it is not known; may raise `redis.RedisError`."""
    text: Any = broker.connection().get(_KEY.format(name))
    if text is None:
        return None
    state = msgspec.json.decode(text)
    # During an upgrade another release, with other fields, may have published it.
    known = {each.name: state[each.name] for each in fields(Job) if each.name in state}
    return Job(**{**known, "counts": Counter(state["counts"])})
