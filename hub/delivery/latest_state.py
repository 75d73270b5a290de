"""Delivery where the newest state counts: a backlog collapses to the present state of each object.

docs/decisions/0003-newest-state-or-verbatim.md. Locations, tariffs, tokens.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from database import sql
from hub.delivery import current_state, latest_state_plan, leases
from hub.delivery.batch_result import BatchResult, ReceiverUnavailable, reached
from hub.delivery.leases import Positions
from hub.delivery.push import SETTLED, Outcome, PartKey, Plan, Push, Result, whole
from hub.delivery.receiver import send_all
from hub.delivery.subscriber import Subscriber
from hub.feed import Batch, Position


@dataclass(frozen=True, slots=True)
class LatestState:
    """Works off the backlog of a receiver that need not hear of what is out of date."""

    subscriber: Subscriber
    compacts: ClassVar[bool] = True

    def plan(self, batch: Batch) -> Plan:
        """Plan one message for each object, or for each part where only parts changed."""
        subscriber, found = self.subscriber, latest_state_plan.coalesced(batch.changes)
        if not found:
            return Plan([])
        present = current_state.revisions(subscriber.policy, [own.key for own in found])
        patches = subscriber.receiver.patch_supported
        compacted_to = max(subscriber.compacted_to, batch.compacted_to)
        decided = (
            latest_state_plan.push(own, present, patch_supported=patches, compacted_to=compacted_to)
            for own in found
        )
        return Plan([push for push in decided if push is not None])

    def redrive(self, pushes: list[Push]) -> Plan:
        """Plan just these: a state that is read now contains nothing that must not follow it."""
        return Plan(pushes)

    def ready(self, waiting: list[Push]) -> tuple[list[Push], list[Result]]:
        """Give each state its text; what is gone meanwhile is passed over."""
        missing = {push.key for push in waiting if push.body is None}
        if not missing:
            return waiting, []
        found = current_state.texts(self.subscriber.policy, missing, party=self.subscriber.party)
        there = (push for push in waiting if push.body is not None or push.key in found)
        return [_filled(push, found) for push in there], []

    def next_attempt(self, failed: list[Result], untried: list[Push]) -> list[Push]:
        """Send states as they are by then, and the whole object where a message about it failed."""
        return latest_state_plan.absorbed([*map(_again, failed), *untried])

    def give_up(
        self,
        failing: list[Result],
        so_far: BatchResult,
        overdue: frozenset[Position],  # noqa: ARG002 - the newest state is never too late
    ) -> tuple[list[Result], list[Result]]:
        """Reject all that fails, if others pass at this very moment; hold nothing.

        The next change of the object sends it whole, so giving up costs little; a receiver that
        just went down must not lose all its objects that way, so one message is sent to find out.
        """
        return (failing if self._others_pass(so_far) else []), []

    def supersedes(self, push: Push) -> bool:  # noqa: ARG002 - whichever it is
        """Return True: whatever passes under the path of a dead letter is newer."""
        return True

    def positions(self, batch: Batch, result: BatchResult) -> Positions:
        """Stop before a gap: what lies beyond is sent again, as states, which harms nobody."""
        before_the_gap = reached(self.subscriber.position, batch, result)
        return Positions(before_the_gap, compacted_to=batch.compacted_to)

    def _others_pass(self, so_far: BatchResult) -> bool:
        """Send again what passed, as it is now."""
        last = so_far.delivered[-1]
        if last.method != "DELETE":
            path = last.object_path
            last = replace(last, key=whole(last.key), method="PUT", path=path, body=None)
        ready, _ = self.ready([last])
        sql.release()
        results = send_all(self.subscriber.receiver, ready, seconds=leases.sending_seconds())
        for result in results:
            if result.outcome not in SETTLED:
                raise ReceiverUnavailable(self.subscriber.why(result), result, so_far)
        return bool(results)


def _again(result: Result) -> Push:
    push = result.push
    if result.outcome is Outcome.UNKNOWN:  # the receiver needs the whole object (TF-39)
        path = push.object_path
        return replace(push, key=whole(push.key), method="PUT", path=path, body=None)
    # EVSE E1 became CHARGING while its state AVAILABLE was on its way: the next attempt says
    # CHARGING. A PATCH is repeated as it was: applied twice it says the same.
    return replace(push, body=None) if push.is_state else push


def _filled(push: Push, found: Mapping[PartKey, tuple[str, int]]) -> Push:
    if push.body is not None:
        return push
    text, revision = found[push.key]
    return replace(push, body=text, revision=revision)
