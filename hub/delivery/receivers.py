"""The receiving end of a subscription: where to push, and how its platform is doing."""

import random
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from hub.delivery import subscriptions
from hub.delivery.pushing import Receiver
from hub.feed import Position, Selection
from hub.models import Subscription
from hub.policy import POLICIES, Delivery, Policy
from ocpi.errors import ReceiverNotConnected
from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import InterfaceRole, ModuleID
from parties import peers
from parties.announcement import hub_party
from parties.models import Endpoint, Platform
from parties.status import REGISTERED, ConnectionStatus, IllegalTransition

_FIRST_PAUSE_SECONDS = 2.0
_LONGEST_PAUSE_SECONDS = 300.0
_FAILURES_TO_OFFLINE = 3
# Whose objects name tokens, and so may what a receiver says of them.
ABOUT_DRIVERS = {ModuleID.TOKENS, ModuleID.SESSIONS, ModuleID.CDRS}


@dataclass(frozen=True, slots=True)
class Target:
    """Everything a task needs to know to work on one subscription.

    `ahead` is dealt with although it lies beyond the position; `in_doubt` may have arrived.
    """

    subscription_id: int
    platform_id: int
    in_trouble: bool
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
        in_trouble=bool(platform.failures) or platform.status == ConnectionStatus.OFFLINE,
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
    """Clear the back-off of a platform that took a message."""
    if not target.in_trouble:
        return
    Platform.objects.filter(pk=target.platform_id).update(failures=0, next_attempt_at=None)
    _move(target, ConnectionStatus.CONNECTED, only_from=ConnectionStatus.OFFLINE)


def failed(target: Target, reason: str, *, answered: bool, retry_after: float | None) -> None:
    """Let a platform back off, longer each time, with jitter; one that stays silent is OFFLINE."""
    platform = Platform.objects.filter(pk=target.platform_id)
    platform.update(
        failures=F("failures") + 1,
        last_error=reason,
        last_error_at=timezone.now(),
    )
    failures = platform.values_list("failures", flat=True).first() or 1
    pause = min(max(retry_after or 0, _pause(failures)), _LONGEST_PAUSE_SECONDS)
    platform.update(next_attempt_at=timezone.now() + timedelta(seconds=pause))
    if failures >= _FAILURES_TO_OFFLINE and not answered:
        _move(target, ConnectionStatus.OFFLINE, only_from=ConnectionStatus.CONNECTED)


def _pause(failures: int) -> float:
    longest = min(_FIRST_PAUSE_SECONDS * 2 ** (min(failures, 10) - 1), _LONGEST_PAUSE_SECONDS)
    return float(longest * random.uniform(0.5, 1.0))  # noqa: S311 - jitter


def _move(target: Target, status: ConnectionStatus, *, only_from: ConnectionStatus) -> None:
    platform = Platform.objects.filter(pk=target.platform_id, status=only_from.value).first()
    if platform is None:
        return
    try:
        platform.move_to(status)
    except IllegalTransition:  # somebody moved it first
        return
