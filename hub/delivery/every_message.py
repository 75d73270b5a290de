"""Delivery where every message counts: each object's in order, until delivered or given up.

docs/decisions/0006-every-message-counts.md. Sessions and CDRs.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.utils import timezone

from hub.delivery import current_state, every_message_plan
from hub.delivery.batch_result import BatchResult, reached
from hub.delivery.every_message_plan import Terms, as_state
from hub.delivery.leases import Positions
from hub.delivery.push import Outcome, Plan, Push, Result, positions_of
from hub.delivery.subscriber import Subscriber
from hub.feed import Batch, Position
from hub.module_policy import POLICIES, Delivery

EVERY_MESSAGE_MODULES = [
    name for name, row in POLICIES.items() if row.delivery is Delivery.EVERY_MESSAGE
]
"""Modules of which every message counts."""

# For so long a message that keeps failing is tried while others of its receiver pass.
_PATIENCE = timedelta(hours=1)
# So much may be dealt with beyond a message that fails: it is written with every batch.
_MOST_AHEAD = 2_000


@dataclass(frozen=True, slots=True)
class EveryMessage:
    """Works off the backlog of a receiver that is to hear everything, and nothing twice."""

    subscriber: Subscriber
    compacts: ClassVar[bool] = False

    def plan(self, batch: Batch) -> Plan:
        """Plan every message; what must not be applied twice is in doubt from now on."""
        now, subscriber = timezone.now(), self.subscriber
        terms = Terms(
            owners=subscriber.owners,
            not_before=now - timedelta(days=settings.HUB_DELIVERY_EXPIRY_DAYS),
            patient_since=now - _PATIENCE,
            in_doubt=subscriber.in_doubt,
            patch_supported=subscriber.receiver.patch_supported,
        )
        return every_message_plan.plan(batch.changes, terms)

    def redrive(self, pushes: list[Push]) -> Plan:
        """Plan states with all they contain, which sent later would be applied twice."""
        unread = [replace(push, body=None) if push.is_state else push for push in pushes]
        ready, lost = self.ready(unread)
        return Plan(ready, lost, doubtful=positions_of(ready))

    def ready(self, waiting: list[Push]) -> tuple[list[Push], list[Result]]:
        """Give each state its text, and let it settle every change that this text contains."""
        missing = {push.key for push in waiting if push.body is None}
        if not missing:
            return waiting, []
        subscriber = self.subscriber
        found = current_state.with_changes(
            subscriber.policy, missing, subscriber.selection, subscriber.position
        )
        sent, lost = [], []
        for push in waiting:
            if push.body is not None and push.key not in found:
                sent.append(push)
            elif push.key not in found:
                reason = "not sent: the hub does not hold this object any more"
                lost.append(Result(push, Outcome.REJECTED, reason))
            elif push.body is None and push.key in missing:
                # PATCH 101 is in doubt and becomes the state of S1, in which 102 and 103 are too:
                # one push settles all three, and those that wait behind it are dropped.
                missing.discard(push.key)
                sent.append(_with_all_it_contains(push, found[push.key]))
        return sent, lost

    def next_attempt(self, failed: list[Result], untried: list[Push]) -> list[Push]:
        """Repeat each in its turn, a PATCH as the object's state: it may have been applied."""
        return [*_again(failed), *untried]

    def give_up(
        self, failing: list[Result], so_far: BatchResult, overdue: frozenset[Position]
    ) -> tuple[list[Result], list[Result]]:
        """Reject what had its time while others passed, and hold all else.

        Nothing is sent twice to prove that others pass: what passed is proof. What settles nothing,
        as a dead letter sent again, blocks nothing either: it is held.
        """
        over: list[Result] = []
        if so_far.delivered:
            blocking = positions_of([result.push for result in failing])
            # `ahead` grows by each message that passes a gap, and is written with every batch: of a
            # gap that stays for an hour beside a busy receiver it would be megabytes.
            if blocking and len(self.subscriber.ahead) > _MOST_AHEAD:
                overdue |= {min(blocking)}
            over = [result for result in failing if result.push.settles & overdue]
        return over, [result for result in failing if result not in over]

    def supersedes(self, push: Push) -> bool:
        """Whether a dead letter ends with it: a later PATCH says nothing of a lost one."""
        return push.is_state

    def positions(self, batch: Batch, result: BatchResult) -> Positions:
        """Stop before a gap, and note what beyond it is done and what may have arrived."""
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


def _with_all_it_contains(push: Push, found: tuple[str, int, frozenset[Position]]) -> Push:
    text, revision, contained = found
    return replace(push, body=text, revision=revision, settles=push.settles | contained)
