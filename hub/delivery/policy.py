"""The delivery policy: how a backlog is worked off, as the engine sees it, and the two of them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol

from hub.delivery import current_state
from hub.delivery.batch_result import BatchResult, GivenUp
from hub.delivery.current_state import Present
from hub.delivery.every_message import EveryMessage
from hub.delivery.latest_state import LatestState
from hub.delivery.leases import Positions
from hub.delivery.push import PartKey, Plan, Prepared, Push, Result
from hub.delivery.subscriber import Subscriber
from hub.feed import Batch, Position
from hub.module_policy import Delivery, ModulePolicy


class DeliveryPolicy(Protocol):
    """All decisions on one subscription's backlog in which `LatestState` and `EveryMessage` differ.

                    LatestState                       EveryMessage
    keys            all that changed                  none
    plan            one push for each object or part  every message, each object's in order
    prepare         reads states                      reads states, with all changes they contain
    next_attempt    the state as it is by then        the same message; for a PATCH the state
    give_up         at once, if others pass now       after an hour, or 2000 later messages,
                                                      if others passed; until then it is held
    positions       before the first gap              before it, what is done beyond, what is
                                                      in doubt
    """

    compacts: ClassVar[bool]
    """Whether a long backlog may be read without the changes that a later one replaces."""

    @property
    def subscriber(self) -> Subscriber:
        """Whose backlog it is."""

    def keys(self, batch: Batch) -> set[PartKey]:
        """Return of which objects and parts `plan` has to know the present revision."""

    def plan(self, batch: Batch, present: Mapping[PartKey, int]) -> Plan:
        """Decide what a batch sends; `present` has the revisions of what is there for it."""

    def redrive(self, pushes: list[Push]) -> Plan:
        """Plan pushes outside the feed: what was refused before is sent again."""

    def prepare(self, waiting: list[Push]) -> Prepared:
        """Give each state its text, as it is now."""

    def next_attempt(self, failed: list[Result], untried: list[Push]) -> list[Push]:
        """Return what to send in the next attempt, the failed first."""

    def give_up(
        self, failing: list[Result], so_far: BatchResult, overdue: frozenset[Position]
    ) -> GivenUp:
        """Decide which of the failing to reject and which to hold; all others are tried again.

        May raise `ReceiverUnavailable`.
        """

    def supersedes(self, push: Push) -> bool:
        """Whether a settled push makes an older dead letter about the same path obsolete."""

    def positions(self, batch: Batch, result: BatchResult) -> Positions:
        """Return how far the subscription is after a batch."""


_POLICIES: Mapping[Delivery, type[LatestState] | type[EveryMessage]] = {
    Delivery.LATEST_STATE: LatestState,
    Delivery.EVERY_MESSAGE: EveryMessage,
}


def policy_of(subscriber: Subscriber) -> DeliveryPolicy:
    """Return how a subscriber's backlog is worked off."""
    return _POLICIES[subscriber.policy.delivery](subscriber)


def plan_all(batches: Sequence[tuple[DeliveryPolicy, Batch]]) -> list[Plan]:
    """Decide what batches of several subscribers send: one look at each module's revisions."""
    wanted: dict[ModulePolicy, set[PartKey]] = defaultdict(set)
    for policy, batch in batches:
        wanted[policy.subscriber.policy] |= policy.keys(batch)
    present = {
        each: current_state.revisions(each, keys) if keys else Present({}, frozenset())
        for each, keys in wanted.items()
    }
    return [
        policy.plan(batch, present[subscriber.policy].to(strict=subscriber.receiver.strict))
        for policy, batch in batches
        for subscriber in [policy.subscriber]
    ]
