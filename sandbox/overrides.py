"""The rules by which a simulated platform misbehaves at some requests: the newest one wins."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from types import TracebackType
from typing import Self

from sandbox.misbehaviour import behave
from sandbox.recorder import Match, Seen, matches
from sandbox.server import Responder


@dataclass(frozen=True, slots=True, eq=False)
class Override:
    """One misbehaviour in force until cancelled, or until its `with` block ends."""

    match: Match
    responder: Responder
    withdraw: Callable[["Override"], None]

    def cancel(self) -> None:
        """Behave again."""
        self.withdraw(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.cancel()


class Overrides:
    """The rules in force."""

    def __init__(self) -> None:
        self._rules: list[Override] = []
        self._lock = Lock()

    def add(self, match: Match, responder: Responder) -> Override:
        """Put one more rule in force, before the older ones."""
        rule = Override(match, responder, self._withdraw)
        with self._lock:
            self._rules.insert(0, rule)
        return rule

    def clear(self) -> None:
        """Behave in everything again."""
        with self._lock:
            self._rules.clear()

    def responder(self, seen: Seen) -> Responder:
        """How to treat this request."""
        with self._lock:
            rules = list(self._rules)
        chosen = (rule.responder for rule in rules if matches(rule.match, seen))
        return next(chosen, None) or behave()

    def _withdraw(self, rule: Override) -> None:
        with self._lock:
            if rule in self._rules:
                self._rules.remove(rule)
