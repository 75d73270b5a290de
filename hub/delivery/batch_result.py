"""The result of a batch: what was delivered, rejected, left or held, and how far that leads."""

from dataclasses import dataclass, field
from typing import NamedTuple

from hub.delivery.push import Outcome, PartKey, Push, Result, positions_of
from hub.feed import Batch, Position
from ocpi.transport.envelope import Oddity


@dataclass(slots=True)
class BatchResult:
    """What became of the pushes of a batch so far.

    `left` was not settled before the time was up; `in_doubt` are positions that may have arrived.
    `held` fails while others pass, or follows a message that does: it is tried again later, and
    `why_held` says why.
    """

    delivered: list[Push] = field(default_factory=list)
    rejected: list[Result] = field(default_factory=list)
    left: list[Push] = field(default_factory=list)
    in_doubt: set[Position] = field(default_factory=set)
    held: list[Push] = field(default_factory=list)
    why_held: str = ""
    failed: dict[PartKey, Result] = field(default_factory=dict)
    """The last attempt at each object or part that is neither delivered nor rejected."""
    odd: list[tuple[str, tuple[Oddity, ...]]] = field(default_factory=list)
    """What was odd about the envelopes of answers, by the method that they answer."""

    def add(self, result: Result) -> None:
        """Note what became of a push."""
        self.failed.pop(result.push.key, None)
        if result.oddities:
            self.odd.append((result.push.method, result.oddities))
        if result.outcome is Outcome.DELIVERED:
            self.delivered.append(result.push)
        elif result.outcome is Outcome.REJECTED:
            self.rejected.append(result)
        else:
            self.failed[result.push.key] = result
            self.in_doubt |= result.push.settles if result.in_doubt else frozenset()

    @property
    def settled(self) -> list[Push]:
        """What is delivered or rejected."""
        return [*self.delivered, *(result.push for result in self.rejected)]


class GivenUp(NamedTuple):
    """Failing messages that are rejected for good, and those that are held for later."""

    rejected: list[Result]
    held: list[Result]


class ReceiverUnavailable(Exception):
    """Nothing passes at present; `so_far` is what passed before.

    `answered`: the receiver can be reached, but fails or refuses. `is_refusal`: it seems not to
    know the hub's token.
    """

    def __init__(self, why: str, cause: Result, so_far: BatchResult) -> None:
        super().__init__(why)
        self.retry_after = cause.retry_after
        self.so_far = so_far
        self.answered = cause.http_status is not None or cause.outcome is Outcome.TEMPORARY
        self.is_refusal = cause.is_refusal


def reached(start: Position, batch: Batch, result: BatchResult) -> Position:
    """Return the last position before the first gap."""
    waiting = positions_of([*result.left, *result.held])
    if not waiting:
        return batch.reached
    # Of 101, 102, 103 only 102 waits: the position is 101. 103 is noted as ahead of the gap where
    # every message counts, and is sent once more where the latest state does.
    last = start
    for change in batch.changes:
        if change.position in waiting:
            break
        last = change.position
    return last
