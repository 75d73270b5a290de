"""Delivery where the latest state counts: a backlog collapses to the present state of each object.

docs/decisions/0003-newest-state-or-verbatim.md. Locations, tariffs, tokens.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from database import sql
from hub.delivery import current_state, latest_state_plan, leases, spelling
from hub.delivery.batch_result import BatchResult, GivenUp, ReceiverUnavailable, reached
from hub.delivery.current_state import StateText
from hub.delivery.leases import Positions
from hub.delivery.push import SETTLED, Outcome, PartKey, Plan, Prepared, Push, Result, whole
from hub.delivery.receiver import send_all
from hub.delivery.subscriber import Subscriber
from hub.feed import Batch, Position


@dataclass(frozen=True, slots=True)
class LatestState:
    """Works off a backlog of which the receiver needs only what is up to date."""

    subscriber: Subscriber
    compacts: ClassVar[bool] = True

    def keys(self, batch: Batch) -> set[PartKey]:
        """Return what may be sent of a batch: its parts, or their objects."""
        return {
            (each.owner, each.object_key, part)
            for each in batch.changes
            for part in ("", each.part_key)
        }

    def plan(self, batch: Batch, present: Mapping[PartKey, int]) -> Plan:
        """Plan one message for each object, or for each part where only parts changed."""
        subscriber = self.subscriber
        groups = latest_state_plan.coalesced(batch.changes)
        patches = subscriber.receiver.patch_supported
        compacted_to = max(subscriber.compacted_to, batch.compacted_to)
        decided = (
            latest_state_plan.push_of(
                group, present, patch_supported=patches, compacted_to=compacted_to
            )
            for group in groups
        )
        return Plan([push for push in decided if push is not None])

    def redrive(self, pushes: list[Push]) -> Plan:
        """Plan just these: it does no harm if what a state contains is sent after it."""
        return Plan(pushes)

    def prepare(self, waiting: list[Push]) -> Prepared:
        """Give each state its text; what is gone meanwhile is passed over."""
        missing = {push.key for push in waiting if push.body is None}
        if not missing:
            return Prepared(spelling.applied(self.subscriber, waiting), [])
        subscriber = self.subscriber
        found = current_state.texts(
            subscriber.policy, missing, party=subscriber.party, strict=subscriber.receiver.strict
        )
        there = (push for push in waiting if push.body is not None or push.key in found)
        ready = [_filled(push, found) for push in there]
        return Prepared(spelling.applied(subscriber, ready), [])

    def next_attempt(self, failed: list[Result], untried: list[Push]) -> list[Push]:
        """Send states as they are by then, and the whole object where a message about it failed."""
        return latest_state_plan.absorbed([*map(_again, failed), *untried])

    def give_up(
        self,
        failing: list[Result],
        so_far: BatchResult,
        overdue: frozenset[Position],  # noqa: ARG002 - the latest state is never too late
    ) -> GivenUp:
        """Reject all that fails, if others still pass at this very moment; hold nothing.

        The next change of the object sends it whole, so giving up costs little. But a receiver that
        just went down must not lose all its objects that way: one message is sent to find out.
        """
        return GivenUp(failing if self._still_passes(so_far) else [], [])

    def supersedes(self, push: Push) -> bool:  # noqa: ARG002 - whichever it is
        """Return True: a push on the path of a dead letter is always newer."""
        return True

    def positions(self, batch: Batch, result: BatchResult) -> Positions:
        """Stop before a gap: what lies beyond is sent again, as states, which does no harm."""
        before_the_gap = reached(self.subscriber.position, batch, result)
        return Positions(before_the_gap, compacted_to=batch.compacted_to)

    def _still_passes(self, so_far: BatchResult) -> bool:
        """Send what passed last once more, as it is now; False if it is gone.

        Raises `ReceiverUnavailable` if it does not pass any more.
        """
        last = so_far.delivered[-1]
        if last.method != "DELETE":
            path = last.object_path
            last = replace(last, key=whole(last.key), method="PUT", path=path, body=None)
        ready, _ = self.prepare([last])
        sql.release()
        results = send_all(self.subscriber.receiver, ready, seconds=leases.sending_seconds())
        for result in results:
            if result.outcome not in SETTLED:
                raise ReceiverUnavailable(self.subscriber.shown_reason(result), result, so_far)
        return bool(results)


def _again(result: Result) -> Push:
    push = result.push
    if result.outcome is Outcome.UNKNOWN:  # the receiver needs the whole object (TF-39)
        path = push.object_path
        return replace(push, key=whole(push.key), method="PUT", path=path, body=None)
    # EVSE E1 became CHARGING while its state AVAILABLE was on its way: the next attempt says
    # CHARGING. A PATCH is repeated as it was: applied twice it says the same.
    return replace(push, body=None) if push.is_state else push


def _filled(push: Push, found: Mapping[PartKey, StateText]) -> Push:
    if push.body is not None:
        return push
    text, revision = found[push.key]
    return replace(push, body=text, revision=revision)
