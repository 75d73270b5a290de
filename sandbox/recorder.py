"""The record of what a simulated platform saw: each request as it came, and waiting for one.

Tests assert on these records; nothing here is decoded, folded or repaired.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Condition
from typing import Any
from urllib.parse import parse_qsl

from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import PartyRef


@dataclass(frozen=True, slots=True)
class Seen:
    """One request received: `headers` answer in any case but keep the spelling they came with."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic)
    unix: float = field(default_factory=time.time)

    @property
    def route(self) -> str:
        """The raw path without its query."""
        return self.path.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """The decoded query parameters."""
        return dict(parse_qsl(self.path.partition("?")[2], keep_blank_values=True))

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever the hub sent
        """The body as JSON; raises ValueError when it is none."""
        return json.loads(self.body)

    @property
    def to(self) -> PartyRef | None:
        """The receiving party of the routing headers."""
        return RoutingHeaders.read(self.headers).to

    @property
    def sender(self) -> PartyRef | None:
        """The requesting party of the routing headers."""
        return RoutingHeaders.read(self.headers).sender

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


Match = str | Callable[[Seen], bool]
"""Which requests are meant: a predicate, or text such as "PUT /locations/NL", "PATCH", "/versions".

A leading word that is no path is the method; the rest must occur somewhere in the raw path.
"""


def matches(match: Match, seen: Seen) -> bool:
    """Whether this request is one of those meant."""
    if callable(match):
        return match(seen)
    method, _, fragment = ("", "", match) if match.startswith("/") else match.partition(" ")
    return method in ("", seen.method) and fragment.strip() in seen.path


class Recorder:
    """Keeps what was seen, in order of arrival, and wakes those who wait for it."""

    def __init__(self) -> None:
        self._seen: list[Seen] = []
        self._unanswered: set[int] = set()
        self._changed = Condition()

    def add(self, seen: Seen) -> None:
        """Record one more request, not yet answered."""
        with self._changed:
            self._seen.append(seen)
            self._unanswered.add(id(seen))
            self._changed.notify_all()

    def settle(self, seen: Seen) -> None:
        """Note that a request was answered, or given up."""
        with self._changed:
            self._unanswered.discard(id(seen))
            self._changed.notify_all()

    def all(self, match: Match = "") -> list[Seen]:
        """Those meant by `match`, oldest first; a copy."""
        with self._changed:
            return [seen for seen in self._seen if matches(match, seen)]

    def clear(self) -> None:
        """Forget everything seen so far."""
        with self._changed:
            self._seen.clear()

    def wait_for(
        self, match: Match, timeout: float = 5.0, *, count: int = 1, answered: bool = True
    ) -> Seen:
        """Return the `count`-th request meant, past or future; TimeoutError names what was seen.

        It has taken effect by then, unless `answered` is False: then its arrival is enough.
        """
        with self._changed:

            def meant() -> list[Seen]:
                usable = (each for each in self._seen if not answered or self._is_answered(each))
                return [each for each in usable if matches(match, each)]

            if not self._changed.wait_for(lambda: len(meant()) >= count, timeout):
                listed = "\n  ".join(map(self._described, self._seen)) or "nothing"
                message = f"request {count} of {match!r} not within {timeout} s; seen:\n  {listed}"
                raise TimeoutError(message)
            return meant()[count - 1]

    def _is_answered(self, seen: Seen) -> bool:
        return id(seen) not in self._unanswered

    def _described(self, seen: Seen) -> str:
        return f"{seen}{'' if self._is_answered(seen) else ' (not yet answered)'}"
