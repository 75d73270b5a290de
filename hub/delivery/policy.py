"""How a backlog is worked off: the interface that the engine knows, and its two implementations."""

from collections.abc import Mapping
from typing import ClassVar, Protocol

from hub.delivery.durable import Durable
from hub.delivery.latest import Latest
from hub.delivery.leases import Positions
from hub.delivery.outcomes import BatchResult
from hub.delivery.push import Plan, Push, Result
from hub.delivery.target import Target
from hub.feed import Batch, Position
from hub.module_policy import Delivery


class DeliveryPolicy(Protocol):
    """All decisions on one subscription's backlog in which `Latest` and `Durable` differ.

                    Latest                            Durable
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
    def target(self) -> Target:
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
        """Tell whether a dead letter of a push's path is over once it is delivered or rejected."""

    def positions(self, batch: Batch, result: BatchResult) -> Positions:
        """Return how far the subscription is with a batch's result."""


_POLICIES: Mapping[Delivery, type[Latest] | type[Durable]] = {
    Delivery.LATEST: Latest,
    Delivery.DURABLE: Durable,
}


def policy_of(target: Target) -> DeliveryPolicy:
    """Return how a target's backlog is worked off."""
    return _POLICIES[target.policy.delivery](target)
