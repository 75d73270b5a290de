"""What became of a batch, and what is written of it: receipts and dead letters.

docs/decisions/0008-who-has-what.md. A receipt says what a receiver took of each object, and when;
a dead letter what it would not take, for people to look at and to send again.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from database.sql import Statement
from hub.delivery.push import Outcome, PartKey, Push, Result, positions_of, whole
from hub.feed import Batch, Position
from hub.models import DeadLetter
from hub.triage import SetAside

DEAD_LETTERS = SetAside(
    DeadLetter,
    "dead letters",
    party="subscription__receiver__key",
    module="subscription__module",
)


@dataclass(slots=True)
class BatchResult:
    """What is over and done with, what is left, and what of it may have arrived nevertheless.

    `held` fails while others pass, or comes after such a message: it is tried again later.
    """

    delivered: list[Push] = field(default_factory=list)
    rejected: list[Result] = field(default_factory=list)
    left: list[Push] = field(default_factory=list)
    in_doubt: set[Position] = field(default_factory=set)
    held: list[Push] = field(default_factory=list)
    why_held: str = ""
    failed: dict[PartKey, Result] = field(default_factory=dict)
    """The last attempt at each object or part that is neither delivered nor rejected."""

    def add(self, result: Result) -> None:
        """Note what became of a push."""
        self.failed.pop(result.push.key, None)
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


class ReceiverUnavailable(Exception):
    """Nothing passes at present; `so_far` is what passed before.

    `answered` tells a receiver that fails or refuses from one that cannot be reached, `is_refusal`
    one that seems not to know the hub's token.
    """

    def __init__(self, why: str, cause: Result, so_far: BatchResult) -> None:
        super().__init__(why)
        self.retry_after = cause.retry_after
        self.so_far = so_far
        self.answered = cause.http_status is not None or cause.outcome is Outcome.TEMPORARY
        self.is_refusal = cause.is_refusal


def reached(start: Position, batch: Batch, result: BatchResult) -> Position:
    """Return how far everything is done, so that little is sent twice."""
    waiting = positions_of([*result.left, *result.held])
    if not waiting:
        return batch.reached
    # Of 101, 102, 103 only 102 waits: the position is 101, and 103 either is noted as ahead of the
    # gap (where every message counts) or is sent once more (where a state may be).
    last = start
    for change in batch.changes:
        if change.position in waiting:
            break
        last = change.position
    return last


_Line = tuple[int | None, str, bool]


def receipts(
    subscription_id: int, delivered: Iterable[Push], failed: Collection[Result]
) -> Iterator[Statement]:
    """Return the statement that notes what was taken, and what was tried in vain.

    One for a whole batch, with a line for each object or part: of PUT and PATCH the last counts.
    """
    lines: dict[PartKey, _Line] = {push.key: (push.revision, "", False) for push in delivered}
    for result in failed:
        # The PUT with revision 7 passed, the PATCH with 8 behind it failed: revision 7 is there,
        # and the receipt has the error of 8 beside it.
        revision, _, _ = lines.get(result.push.key, (None, "", False))
        lines[result.push.key] = (revision, result.reason, result.in_doubt)
    if lines:
        named = {
            "subscription": subscription_id,
            "owners": [owner for owner, _, _ in lines],
            "keys": [key for _, key, _ in lines],
            "parts": [part for _, _, part in lines],
            "revisions": [revision for revision, _, _ in lines.values()],
            "errors": [error for _, error, _ in lines.values()],
            "in_doubt": [in_doubt for _, _, in_doubt in lines.values()],
        }
        yield _NOTE, named


def add_dead_letters(subscription_id: int, results: Sequence[Result]) -> None:
    """Make a dead letter of each message that the receiver refused."""
    DeadLetter.objects.bulk_create(
        DeadLetter(
            subscription_id=subscription_id,
            owner=result.push.key[0],
            object_key=result.push.key[1],
            method=result.push.method,
            path=result.push.path,
            body=result.push.body or None,
            http_status=result.http_status,
            status_code=result.status_code,
            reason=result.explanation,
            correlation_id=result.push.correlation_id,
        )
        for result in results
    )


def drop_dead_letters(subscription_id: int, superseded: Sequence[Push]) -> Iterator[Statement]:
    """Return the statement that forgets the dead letters some pushes make up for.

    What was refused of a part ends with the whole object too.
    """
    wholes = {push.key[:2] for push in superseded if push.is_state and push.key == whole(push.key)}
    if superseded:
        named = {
            "subscription": subscription_id,
            "paths": list({push.path for push in superseded}),
            "owners": [owner for owner, _ in wholes],
            "keys": [key for _, key in wholes],
        }
        yield _FORGET, named


# A failed attempt has no revision: the receipt of what the receiver took before stays as it is.
_NOTE = """
INSERT INTO hub_receipt AS known (subscription_id, owner, object_key, part_key, revision,
  delivered_at, tried_at, last_error, in_doubt)
SELECT %(subscription)s::bigint, w.owner, w.key, w.part, w.revision,
  CASE WHEN w.revision IS NOT NULL THEN statement_timestamp() END, statement_timestamp(),
  w.error, w.in_doubt
FROM unnest(%(owners)s::text[], %(keys)s::text[], %(parts)s::text[], %(revisions)s::bigint[],
  %(errors)s::text[], %(in_doubt)s::boolean[]) AS w(owner, key, part, revision, error, in_doubt)
ON CONFLICT (subscription_id, owner, object_key, part_key) DO UPDATE SET
  revision = COALESCE(EXCLUDED.revision, known.revision),
  delivered_at = COALESCE(EXCLUDED.delivered_at, known.delivered_at),
  tried_at = EXCLUDED.tried_at, last_error = EXCLUDED.last_error, in_doubt = EXCLUDED.in_doubt
RETURNING NULL"""

_FORGET = """
DELETE FROM hub_deadletter WHERE subscription_id = %(subscription)s::bigint AND (
  path = ANY(%(paths)s::text[]) OR (owner, object_key) IN (
    SELECT owner, key FROM unnest(%(owners)s::text[], %(keys)s::text[]) AS w(owner, key)))
RETURNING NULL"""
