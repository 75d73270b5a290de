"""The delivery policy: how a backlog is worked off, as the engine sees it, and the two of them."""

from collections.abc import Mapping
from typing import ClassVar, Protocol

from hub.delivery.batch_result import BatchResult
from hub.delivery.every_message import EveryMessage
from hub.delivery.latest_state import LatestState
from hub.delivery.leases import Positions
from hub.delivery.push import Plan, Push, Result
from hub.delivery.subscriber import Subscriber
from hub.feed import Batch, Position
from hub.module_policy import Delivery


class DeliveryPolicy(Protocol):
    """All decisions on one subscription's backlog in which `LatestState` and `EveryMessage` differ.

                    LatestState                       EveryMessage
    plan            one push for each object or part  every message, each object's in order
    ready           reads states                      reads states, with all changes they contain
    next_attempt    the state as it is by then        the same message; for a PATCH the state
    give_up         at once, if others pass now       after an hour, if others passed
                                                      (or 2000 beyond it); until then it is held
    positions       before the first gap              before it, what is done beyond, what is
                                                      in doubt
    """

    compacts: ClassVar[bool]
    """Whether of a long backlog what a later change replaces may be left unread."""

    @property
    def subscriber(self) -> Subscriber:
        """Whose backlog it is."""

    def plan(self, batch: Batch) -> Plan:
        """Decide what a batch sends."""

    def redrive(self, pushes: list[Push]) -> Plan:
        """Plan pushes outside the feed: what was refused before is sent again."""

    def ready(self, waiting: list[Push]) -> tuple[list[Push], list[Result]]:
        """Give each state its text; return what can be sent, and what is lost since it is gone."""

    def next_attempt(self, failed: list[Result], untried: list[Push]) -> list[Push]:
        """Return what to send next, the failed first."""

    def give_up(
        self, failing: list[Result], so_far: BatchResult, overdue: frozenset[Position]
    ) -> tuple[list[Result], list[Result]]:
        """Return what of the failing to reject and what to hold for later; the rest is tried on.

        May raise `ReceiverUnavailable`.
        """

    def supersedes(self, push: Push) -> bool:
        """Whether a dead letter of a push's path is over once it is delivered or rejected."""

    def positions(self, batch: Batch, result: BatchResult) -> Positions:
        """Return how far the subscription is with a batch's result."""


_POLICIES: Mapping[Delivery, type[LatestState] | type[EveryMessage]] = {
    Delivery.LATEST_STATE: LatestState,
    Delivery.EVERY_MESSAGE: EveryMessage,
}


def policy_of(subscriber: Subscriber) -> DeliveryPolicy:
    """Return how a subscriber's backlog is worked off."""
    return _POLICIES[subscriber.policy.delivery](subscriber)
