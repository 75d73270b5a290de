"""One push: a message to one receiver, its outcome, and what a batch plans to push.

Values alone; `receiver` sends them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from hub.feed import Position
from ocpi import client
from ocpi.transport.envelope import Oddity

ObjectKey = tuple[str, str]
"""Owner and folded object id."""
PartKey = tuple[str, str, str]
"""Owner, folded object id and folded part id; the latter empty for the whole object."""

OBJECT_STEPS = 3
"""Steps of an object's path below the endpoint: country code, party id, object id."""


def whole(key: PartKey) -> PartKey:
    """Return the key of the object a part belongs to."""
    return (key[0], key[1], "")


def path_of(raw: str, key: PartKey) -> str:
    """Cut a raw path to that of an object or part; a query stays."""
    route, mark, query = raw.partition("?")
    steps = route.split("/")[: OBJECT_STEPS + bool(key[2])]
    return "/".join(steps) + mark + query


@dataclass(frozen=True, slots=True)
class Push:
    """One message to one receiver; without `body` it is a state whose text is still to be read.

    Pushes of the same `key` go out one after the other, others in parallel. `settles` are the
    positions of the changes that are dealt with once this push is; `revision` is the object's after
    it. `spelled` is the path that its receiver gets, if in other letters than its owner's.
    """

    key: PartKey
    method: str
    path: str
    body: str | None
    object_path: str
    correlation_id: str
    settles: frozenset[Position] = frozenset()
    revision: int = 0
    spelled: str = ""

    @property
    def is_state(self) -> bool:
        """Whether it is the PUT of all that its key names, which a newer state may replace."""
        return self.method == "PUT" and self.path == path_of(self.path, self.key)


class Outcome(StrEnum):
    """What became of one push."""

    DELIVERED = "delivered"
    UNKNOWN = "unknown"
    """The receiver lacks what the message changes: it needs the whole object (TF-39)."""
    REJECTED = "rejected"
    """The receiver will not take this one; the next may be fine."""
    TEMPORARY = "temporary"
    """The receiver failed; the same message may pass soon."""
    SILENT = "silent"
    """No answer in time; only the other messages show whether this one hangs or the receiver."""
    UNREACHABLE = "unreachable"
    """No message passes at present."""


SETTLED = frozenset({Outcome.DELIVERED, Outcome.REJECTED})
"""Nothing remains to be done about the message."""


@dataclass(frozen=True, slots=True)
class Result:
    """One push, its outcome and why; `words` are the receiver's own, `oddities` its envelope's.

    `in_doubt`: it may have arrived and taken effect, although nobody said so.
    """

    push: Push
    outcome: Outcome
    reason: str = ""
    http_status: int | None = None
    status_code: int | None = None
    retry_after: float | None = None
    in_doubt: bool = False
    words: str = ""
    oddities: tuple[Oddity, ...] = ()

    @property
    def is_refusal(self) -> bool:
        """Whether the receiver refuses the hub's token."""
        return self.http_status in client.TOKEN_REFUSED

    @property
    def explanation(self) -> str:
        """Why, with the receiver's words, which may quote what it was sent."""
        return f"{self.reason}: {self.words}" if self.words else self.reason


@dataclass(frozen=True, slots=True)
class Plan:
    """The messages to send, each object's in order, and those that are refused unsent.

    Of what is sent, `overdue` is given up if it fails while others pass, and `doubtful` must not
    be repeated as it was if its outcome stays unknown.
    """

    pushes: list[Push]
    refused: list[Result] = field(default_factory=list)
    overdue: frozenset[Position] = frozenset()
    doubtful: frozenset[Position] = frozenset()


class Prepared(NamedTuple):
    """Pushes that have their text, and those that have none because their object is gone."""

    ready: list[Push]
    lost: list[Result]


def positions_of(pushes: Iterable[Push]) -> frozenset[Position]:
    """Return the positions of all changes that some pushes settle."""
    return frozenset[Position]().union(*(push.settles for push in pushes))
