"""Long work that somebody at the console started, and how far it is.

It stands in Redis for a day, and the queued task with it: a Redis that is lost, or a worker that is
killed, stops the work, and it can be asked for again.
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
_SECONDS = 86_400
_REASONS = 20
_SILENT_SECONDS = 300.0
"""Longer than any batch takes, with the wait for its subscription."""
_QUEUED_SECONDS = 3_600.0
"""Who waits behind snapshots says nothing meanwhile."""


class Stage(StrEnum):
    """Where a job stands, in the words of its page."""

    QUEUED = "It waits for a worker."
    AT_WORK = "At work."
    OVER = "It is over."
    STOPPED = "It has stopped. What is left in the list can be sent again."


GOING_ON = frozenset({Stage.QUEUED, Stage.AT_WORK})


@dataclass(slots=True)
class Job:
    """Some things to be done, what became of those that are, and why of some nothing.

    Where nobody counts them beforehand, `share` says how much of the work is behind it.
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
        """Where it stands; one that says nothing for too long died with its worker."""
        if self.finished:
            return Stage.OVER
        patience = _SILENT_SECONDS if self.begun else _QUEUED_SECONDS
        if self.failed or _now() - self.published_at > patience:
            return Stage.STOPPED
        return Stage.AT_WORK if self.begun else Stage.QUEUED

    @property
    def done(self) -> int:
        """How many are done, whatever became of them."""
        return sum(self.counts.values())

    def begin(self) -> None:
        """Say that a worker has it."""
        self.begun = True
        self.publish()

    def add(self, counts: Mapping[str, int], reason: str = "") -> None:
        """Take note of what became of some, and publish it."""
        self.counts.update({word: number for word, number in counts.items() if number})
        if reason and reason not in self.reasons and len(self.reasons) < _REASONS:
            self.reasons.append(reason)
        self.publish()

    def reach(self, share: float, counts: Mapping[str, int]) -> None:
        """Take note of how much is done, from 0 to 1, and of what came of it; publish it."""
        self.share = share
        self.add(counts)

    def fail(self) -> None:
        """Say that something broke it off."""
        self.failed = True
        self.publish()

    def end(self) -> None:
        """Say that nothing more will be done."""
        self.finished = True
        self.publish()

    def publish(self) -> None:
        """Let others see how far it is; the work does not depend on it."""
        self.published_at = _now()
        text = msgspec.json.encode({each.name: getattr(self, each.name) for each in fields(self)})
        try:
            broker.connection().set(_KEY.format(self.name), text, ex=_SECONDS)
        except redis.RedisError as error:
            log.warning("how far a job is cannot be seen, the broker fails: %s", error)


def forget_jobs(quoting: Callable[[str], bool]) -> int:
    """Forget jobs whose words quote something; what they do goes on, unseen."""
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
    """Return how far a job is, if that is known; may raise `redis.RedisError`."""
    text: Any = broker.connection().get(_KEY.format(name))
    if text is None:
        return None
    state = msgspec.json.decode(text)
    # Another release, which the hub was a moment ago, may have published other fields.
    known = {each.name: state[each.name] for each in fields(Job) if each.name in state}
    return Job(**{**known, "counts": Counter(state["counts"])})
