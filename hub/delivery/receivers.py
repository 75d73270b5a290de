"""The receiving end of a subscription: where to push, and how its platform is doing."""

from dataclasses import dataclass
from datetime import datetime

from hub.delivery import subscriptions
from hub.delivery.pushing import Receiver
from hub.feed import Position, Selection
from hub.models import Subscription
from hub.policy import ABOUT_DRIVERS, POLICIES, Delivery, Policy
from ocpi.errors import ReceiverNotConnected
from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import InterfaceRole, ModuleID
from parties import life, peers
from parties.announcement import hub_party
from parties.models import Endpoint, Platform
from parties.status import REGISTERED, ConnectionStatus


@dataclass(frozen=True, slots=True)
class Target:
    """Everything a task needs to know to work on one subscription.

    It `is_news` that its platform takes a message: it was in trouble, or silent for a while.
    Until `paused_until`, if given, it is left alone.
    `ahead` is dealt with although it lies beyond the position; `in_doubt` may have arrived.
    """

    subscription_id: int
    platform_id: int
    is_news: bool
    paused_until: datetime | None
    module: ModuleID
    policy: Policy
    party: str
    owners: frozenset[str]
    position: Position
    ahead: frozenset[Position]
    in_doubt: frozenset[Position]
    receiver: Receiver

    @property
    def is_durable(self) -> bool:
        """Whether every message counts, not only the newest state."""
        return self.policy.delivery is Delivery.DURABLE

    @property
    def is_about_drivers(self) -> bool:
        """Whether a receiver's words have to stay out of logs."""
        return self.module in ABOUT_DRIVERS

    @property
    def selection(self) -> Selection:
        """What of the feed it reads."""
        if self.policy.personal:
            return Selection(self.module, audience=self.party)
        return Selection(self.module, owners=self.owners)

    def __str__(self) -> str:
        return f"{self.module} to {self.party}"


def target(subscription_id: int) -> Target | None:
    """Look the receiving end up; None when it is gone or offers no endpoint any more."""
    known = Subscription.objects.select_related("receiver__platform").filter(pk=subscription_id)
    subscription = known.first()
    if subscription is None:
        return None
    party, platform = subscription.receiver, subscription.receiver.platform
    receiver = _receiver(subscription) if platform.status in REGISTERED else None
    if receiver is None:
        return None
    module = ModuleID(subscription.module)
    return Target(
        subscription_id=subscription_id,
        platform_id=platform.pk,
        is_news=_is_in_trouble(platform) or life.is_unseen(platform.last_seen_at),
        paused_until=platform.next_attempt_at,
        module=module,
        policy=POLICIES[module],
        party=party.key,
        owners=subscriptions.owners(subscription),
        position=Position(subscription.transaction, subscription.seq),
        ahead=_places(subscription.ahead),
        in_doubt=_places(subscription.in_doubt),
        receiver=receiver,
    )


def may_have_all(target: Target) -> bool:
    """Tell whether a receiver may still have what it might when its work began."""
    return target.owners <= subscriptions.owners_now(target.subscription_id, target.module)


def _is_in_trouble(platform: Platform) -> bool:
    return bool(platform.failures) or platform.status == ConnectionStatus.OFFLINE


def _places(listed: list[list[int]]) -> frozenset[Position]:
    return frozenset(Position(*place) for place in listed)


def _receiver(subscription: Subscription) -> Receiver | None:
    platform = subscription.receiver.platform
    endpoint = Endpoint.objects.filter(
        platform=platform, module=subscription.module, role=InterfaceRole.RECEIVER.value
    ).first()
    if endpoint is None:
        return None
    try:
        peer = peers.peer_of(platform.pk)
    except ReceiverNotConnected:  # unregistered at this very moment
        return None
    return Receiver(
        endpoint=endpoint.url,
        peer=peer,
        headers=RoutingHeaders(to=subscription.receiver.ref, sender=hub_party()),
        patch_supported=platform.quirks.patch_supported,
    )


def succeeded(target: Target) -> None:
    """Note that a platform took a message."""
    if target.is_news:
        life.answered(target.platform_id, delivered=True)


def failed(
    target: Target, reason: str, *, answered: bool, is_refusal: bool, retry_after: float | None
) -> None:
    """Let a platform back off, longer each time; one that stays silent is OFFLINE."""
    life.failed(target.platform_id, reason, answered=answered, retry_after=retry_after)
    if is_refusal:
        life.doubt(target.platform_id)
