"""The subscriber: the receiving end of a subscription, and how its platform is doing."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from hub.delivery import backlog
from hub.delivery.push import Result
from hub.delivery.receiver import Receiver
from hub.delivery.sql.subscriber import SUBSCRIBERS, SubscriberRow
from hub.feed import Position, Selection
from hub.module_policy import ABOUT_DRIVERS, POLICIES, ModulePolicy
from ocpi.client import Peer
from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import ModuleID
from parties import connection_health, outbound_auth
from parties.holders import ref_of
from parties.hub_identity import hub_party
from parties.quirks import parsed


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Everything that has to be known to work on one subscription.

    `is_news`: that its platform takes a message is new, since it failed before or was silent for a
    while. Until `paused_until`, if given, the platform is left alone. `has_snapshot`: one is still
    to be sent. `ahead` is dealt with although it lies beyond the position; `in_doubt` may have
    arrived. Up to transaction `compacted_to` changes may have been passed over, so that only states
    go out.
    """

    subscription_id: int
    platform_id: int
    is_news: bool
    paused_until: datetime | None
    module: ModuleID
    policy: ModulePolicy
    party: str
    owners: frozenset[str]
    position: Position
    ahead: frozenset[Position]
    in_doubt: frozenset[Position]
    compacted_to: int
    has_snapshot: bool
    receiver: Receiver

    @property
    def is_paused(self) -> bool:
        return self.paused_until is not None and self.paused_until > timezone.now()

    @property
    def is_within_compacted(self) -> bool:
        """Whether changes up to some beyond its position may have been passed over."""
        return self.position.transaction < self.compacted_to

    def shown_reason(self, cause: Result) -> str:
        """Return why something failed, fit for logs and console.

        In modules about drivers without the receiver's own words, which may quote a token.
        """
        return cause.reason if self.module in ABOUT_DRIVERS else cause.explanation

    def may_have_all(self) -> bool:
        """Whether it still has access to all `owners` that it had when it was looked up."""
        return self.owners <= backlog.owners(self.subscription_id, self.module)

    def succeeded(self) -> None:
        """Note that its platform took a message, if that is news."""
        if self.is_news:
            connection_health.answered(self.platform_id, delivered=True)

    def failed(
        self, reason: str, *, answered: bool, is_refusal: bool, retry_after: float | None
    ) -> None:
        """Let its platform back off, longer each time; one that stays silent becomes OFFLINE."""
        connection_health.failed(
            self.platform_id, reason, answered=answered, retry_after=retry_after
        )
        if is_refusal:
            connection_health.doubt(self.platform_id)

    @property
    def selection(self) -> Selection:
        """What of the feed it reads."""
        if self.policy.personal:
            return Selection(self.module, audience=self.party)
        return Selection(self.module, owners=self.owners)

    def __str__(self) -> str:
        return f"{self.module} to {self.party}"


def find_subscriber(subscription_id: int, module: ModuleID) -> Subscriber | None:
    """Look a subscriber up; None when it is gone or offers no endpoint any more."""
    return find_subscribers([subscription_id], module)[0]


def find_subscribers(ids: Sequence[int], module: ModuleID) -> list[Subscriber | None]:
    """Look subscribers of a module up; None for each that is gone or offers no endpoint any more.

    Snapshots of owners to which they have no access now are deleted: reading the feed passes over
    their changes for good, so that only a new snapshot can bring their objects again.
    """
    found = backlog.rows(SUBSCRIBERS[POLICIES[module].personal], module, ids=list(ids))
    peers = outbound_auth.peers_of({row.platform_id for row in found})
    by_id = {
        row.id: _subscriber(row, module, peers[row.platform_id])
        for row in found
        if row.platform_id in peers  # else unregistered at this very moment
    }
    return [by_id.get(each) for each in ids]


def _subscriber(found: SubscriberRow, module: ModuleID, peer: Peer) -> Subscriber:
    quirks = parsed(found.quirks)
    return Subscriber(
        subscription_id=found.id,
        platform_id=found.platform_id,
        is_news=found.has_failed or connection_health.is_unseen(found.last_seen_at),
        paused_until=found.paused_until,
        module=module,
        policy=POLICIES[module],
        party=found.party,
        owners=frozenset(found.owners),
        position=Position(found.transaction, found.seq),
        ahead=_positions(found.ahead),
        in_doubt=_positions(found.in_doubt),
        compacted_to=found.compacted_to,
        has_snapshot=found.has_snapshot,
        receiver=Receiver(
            endpoint=found.endpoint,
            peer=peer,
            routing=RoutingHeaders(to=ref_of(found.party), sender=hub_party()),
            patch_supported=quirks.patch_supported,
            one_spelling=quirks.one_spelling,
            strict=quirks.strict_receiver and not POLICIES[module].personal,
        ),
    )


def _positions(listed: str) -> frozenset[Position]:
    return frozenset(Position(*each) for each in json.loads(listed))
