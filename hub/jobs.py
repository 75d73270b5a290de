"""Long work that somebody at the console started, and how far it is.

Spec: none; architecture chapter 10. It stands in Redis for a day: losing that loses the bar alone.
"""

import logging
import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import redis

from hub import broker

log = logging.getLogger(__name__)
_KEY = "hub:job:{}"
_SECONDS = 86_400
_REASONS = 20


@dataclass(slots=True)
class Job:
    """Some things to be done, what became of those that are, and why of some nothing."""

    total: int
    name: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    counts: Counter[str] = field(default_factory=Counter)
    reasons: list[str] = field(default_factory=list)
    finished: bool = False

    @property
    def done(self) -> int:
        """How many are done, whatever became of them."""
        return sum(self.counts.values())

    def add(self, counts: Mapping[str, int], reason: str = "") -> None:
        """Take note of what became of some, and tell."""
        self.counts.update({word: number for word, number in counts.items() if number})
        if reason and reason not in self.reasons and len(self.reasons) < _REASONS:
            self.reasons.append(reason)
        self.tell()

    def end(self) -> None:
        """Say that nothing more will be done."""
        self.finished = True
        self.tell()

    def tell(self) -> None:
        """Let others see how far it is; the work does not depend on it."""
        told = {"total": self.total, "counts": self.counts, "reasons": self.reasons}
        text = orjson.dumps({**told, "finished": self.finished})
        try:
            broker.connection().set(_KEY.format(self.name), text, ex=_SECONDS)
        except redis.RedisError as error:
            log.warning("how far a job is cannot be told, the broker does not answer: %s", error)


def find(name: str) -> Job | None:
    """Return how far a job is, if that is known; may raise `redis.RedisError`."""
    text: Any = broker.connection().get(_KEY.format(name))
    if text is None:
        return None
    told = orjson.loads(text)
    counts = Counter(told.pop("counts"))
    return Job(name=name, counts=counts, **told)
