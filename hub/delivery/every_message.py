"""Delivery where every message counts: each object's in order, until delivered or given up.

docs/decisions/0006-every-message-counts.md. Sessions and CDRs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.utils import timezone

from hub.delivery import current_state, every_message_plan, spelling
from hub.delivery.batch_result import BatchResult, GivenUp, reached
from hub.delivery.current_state import ContainedChanges
from hub.delivery.every_message_plan import Conditions, as_state
from hub.delivery.leases import Positions
from hub.delivery.push import Outcome, PartKey, Plan, Prepared, Push, Result, positions_of
from hub.delivery.subscriber import Subscriber
from hub.feed import Batch, Position
from hub.module_policy import POLICIES, Delivery

EVERY_MESSAGE_MODULES = [
    name for name, row in POLICIES.items() if row.delivery is Delivery.EVERY_MESSAGE
]
"""Modules in which every message counts."""

# How long a message that keeps failing is tried while others of its receiver pass.
_PATIENCE = timedelta(hours=1)
# How many messages may pass one that fails: their positions are written with every batch.
_MOST_AHEAD = 2_000


@dataclass(frozen=True, slots=True)
class EveryMessage:
    """Works off a backlog of which the receiver gets every message, and applies none twice."""

    subscriber: Subscriber
    compacts: ClassVar[bool] = False

    def keys(self, batch: Batch) -> set[PartKey]:  # noqa: ARG002 - whatever it has
        """Return nothing: what is there now decides nothing."""
        return set()

    def plan(
        self,
        batch: Batch,
        present: Mapping[PartKey, int],  # noqa: ARG002 - the same whatever is there
    ) -> Plan:
        """Plan every message, as it came in or as a state."""
        now, subscriber = timezone.now(), self.subscriber
        conditions = Conditions(
            owners=subscriber.owners,
            expired_before=now - timedelta(days=settings.HUB_DELIVERY_EXPIRY_DAYS),
            overdue_before=now - _PATIENCE,
            in_doubt=subscriber.in_doubt,
            patch_supported=subscriber.receiver.patch_supported,
        )
        return every_message_plan.plan(batch.changes, conditions)

    def redrive(self, pushes: list[Push]) -> Plan:
        """Let each state settle the waiting changes it contains: they must not follow it."""
        unread = [replace(push, body=None) if push.is_state else push for push in pushes]
        ready, lost = self.prepare(unread)
        return Plan(ready, lost, doubtful=positions_of(ready))

    def prepare(self, waiting: list[Push]) -> Prepared:
        """Give each state its text, and let it settle every change that this text contains."""
        missing = {push.key for push in waiting if push.body is None}
        if not missing:
            return Prepared(spelling.applied(self.subscriber, waiting), [])
        subscriber = self.subscriber
        found = current_state.with_changes(
            subscriber.policy, missing, subscriber.selection, subscriber.position
        )
        ready, lost = [], []
        for push in waiting:
            if push.body is not None and push.key not in found:
                ready.append(push)
            elif push.key not in found:
                reason = "not sent: the hub does not hold this object any more"
                lost.append(Result(push, Outcome.REJECTED, reason))
            elif push.body is None and push.key in missing:
                # PATCH 101 is in doubt and becomes the state of S1, in which 102 and 103 are too:
                # one push settles all three, and those that wait behind it are dropped.
                missing.discard(push.key)
                ready.append(_with_all_it_contains(push, found[push.key]))
        return Prepared(spelling.applied(subscriber, ready), lost)

    def next_attempt(self, failed: list[Result], untried: list[Push]) -> list[Push]:
        """Repeat what failed, a PATCH as the object's state: it may have been applied."""
        return [*_again(failed), *untried]

    def give_up(
        self, failing: list[Result], so_far: BatchResult, overdue: frozenset[Position]
    ) -> GivenUp:
        """Reject what is overdue if others passed, and hold all else.

        Nothing is sent twice to find out whether others pass: what passed in this batch is proof. A
        dead letter that is sent again settles no change and so leaves no gap: it is held.
        """
        rejected: list[Result] = []
        if so_far.delivered:
            blocking = positions_of([result.push for result in failing])
            # `ahead` grows by each message that passes a gap, and is written with every batch:
            # beside a busy receiver, a gap of an hour would make megabytes of it.
            if blocking and len(self.subscriber.ahead) > _MOST_AHEAD:
                overdue |= {min(blocking)}
            rejected = [result for result in failing if result.push.settles & overdue]
        return GivenUp(rejected, [result for result in failing if result not in rejected])

    def supersedes(self, push: Push) -> bool:
        """Whether it is a state: a later PATCH does not make up for one that was refused."""
        return push.is_state

    def positions(self, batch: Batch, result: BatchResult) -> Positions:
        """Stop before a gap, and note what is done beyond it and what may have arrived."""
        subscriber = self.subscriber
        before_the_gap = reached(subscriber.position, batch, result)
        done = subscriber.ahead | positions_of(result.settled)
        return Positions(
            before_the_gap,
            ahead=frozenset(each for each in done if each > before_the_gap),
            in_doubt=(subscriber.in_doubt | result.in_doubt) - done,
            compacted_to=batch.compacted_to,
        )


def _again(failed: list[Result]) -> Iterator[Push]:
    for result in failed:
        yield as_state(result.push) if result.push.method == "PATCH" else result.push


def _with_all_it_contains(push: Push, found: ContainedChanges) -> Push:
    settles = push.settles | found.positions
    return replace(push, body=found.text, revision=found.revision, settles=settles)
