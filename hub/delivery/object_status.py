"""Object status: which receiver has which version of an object, since when, and why not the newest.

docs/decisions/0008-who-has-what.md. Nothing of it is stored. It is derived from access, connection,
positions in the feed, dead letters, and receipts.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.utils import timezone

from database import sql
from hub.delivery.every_message import EVERY_MESSAGE_MODULES
from hub.delivery.every_message_plan import EXPIRED
from hub.delivery.push import OBJECT_STEPS
from hub.delivery.sql import object_status as statements
from hub.delivery.sql.object_status import UndeliveredRow
from hub.models import DeadLetter, Receipt, StoredObject, StoredPart, Subscription
from hub.module_policy import ABOUT_DRIVERS, POLICIES
from ocpi.types import InterfaceRole, ModuleID
from parties import access
from parties.connection_status import REGISTERED, ConnectionStatus
from parties.models import Endpoint, Party
from parties.role_pairs import role_pairs


class DeliveryState(StrEnum):
    """What became of the newest version on its way to one party."""

    DELIVERED = "delivered"
    MAYBE = "maybe delivered"
    REJECTED = "rejected"
    WAITING = "waiting"
    EXPIRED = "expired"
    LEFT_OUT = "left out"
    NOT_CONNECTED = "not connected"
    NO_ENDPOINT = "no endpoint"
    NO_AGREEMENT = "no agreement"


@dataclass(frozen=True, slots=True)
class Subject:
    """A stored object, or one part of it."""

    module: ModuleID
    row: StoredObject
    part_key: str = ""
    revision: int = 0
    """The object's present one; of a part the one with which it changed last."""
    part: StoredPart | None = None

    @property
    def is_left_out(self) -> bool:
        """Whether no strict receiver is sent it: something in it breaks the tables."""
        is_odd = self.row.findings or self.row.part_findings
        return bool(is_odd) and not POLICIES[self.module].personal

    @property
    def is_direct(self) -> bool:
        """Whether its owner pushed it to its only reader itself."""
        return bool(self.row.audience) and not POLICIES[self.module].personal


@dataclass(frozen=True, slots=True)
class DeliveryStatus:
    """Which version of the object one party has, since when, and what it lacks."""

    party: Party
    state: DeliveryState
    why: str = ""
    revision: int | None = None
    since: datetime | None = None
    tried_at: datetime | None = None
    behind: int = 0
    """How many changes of this object it has not got."""
    oldest: datetime | None = None
    """When the first of them was accepted."""


_NOT_BEHIND = UndeliveredRow(0, 0, None, awaits_snapshot=False)


@dataclass(frozen=True, slots=True)
class _Known:
    """All that is on record about the possible receivers of one object.

    `subscriptions` are by party id, `receipts`, `dead_letters` and `undelivered` by subscription
    id; `with_endpoint` are the ids of platforms that offer the module's RECEIVER interface.
    """

    subject: Subject
    subscriptions: Mapping[int, Subscription]
    with_endpoint: Collection[int]
    receipts: Mapping[int, Sequence[Receipt]]
    dead_letters: Mapping[int, DeadLetter]
    undelivered: Mapping[int, UndeliveredRow]


def statuses(subject: Subject, *, others: int = 0) -> list[DeliveryStatus]:
    """Return the status at each party that may have an object, and at up to `others` that may not.

    Where the owner pushed it directly, its only reader has it, and no others are listed.
    """
    allowed = _allowed(subject)
    if subject.is_direct:
        why = "its owner pushed it there itself"
        return [
            DeliveryStatus(
                party, DeliveryState.DELIVERED, why, subject.revision, subject.row.changed_at
            )
            for party in allowed
        ]
    known = _known(subject, allowed)
    found = [_status(known, party) for party in allowed]
    return found + [
        _not_entitled(subject, party) for party in _not_allowed(subject, allowed, others)
    ]


def _allowed(subject: Subject) -> list[Party]:
    owner = subject.row.owner
    allowed = Party.objects.filter(pk__in=access.receivers(subject.module, owner=owner))
    if subject.row.audience:
        allowed = allowed.filter(holder=subject.row.audience)
    parties = list(allowed.select_related("platform").order_by("key", "role"))
    return _with_a_subscription(subject, parties) if POLICIES[subject.module].personal else parties


def _with_a_subscription(subject: Subject, parties: list[Party]) -> list[Party]:
    """Of a party with several roles keep the one to which its messages go."""
    subscribed = Subscription.objects.filter(module=subject.module, receiver__in=parties)
    chosen = set(subscribed.values_list("receiver", flat=True))
    return [party for party in parties if party.pk in chosen] or parties[:1]


def _not_allowed(subject: Subject, allowed: Collection[Party], most: int) -> list[Party]:
    roles = {reader for _, reader in role_pairs(subject.module)}
    others = Party.objects.filter(role__in=roles, is_active=True).exclude(holder=subject.row.owner)
    if subject.row.audience:
        others = others.filter(holder=subject.row.audience)
    holders = {party.holder for party in allowed}
    others = others.exclude(holder__in=holders).select_related("platform")
    return list(others.order_by("key", "role")[:most])


def _not_entitled(subject: Subject, party: Party) -> DeliveryStatus:
    verdict = access.verdict(sender=subject.row.owner, receiver=party.holder, module=subject.module)
    why = "its role has no use for it" if verdict.allowed else verdict.why
    return DeliveryStatus(party, DeliveryState.NO_AGREEMENT, why)


def _known(subject: Subject, parties: Collection[Party]) -> _Known:
    row, module = subject.row, subject.module
    subscriptions = Subscription.objects.filter(module=module, receiver__in=parties)
    about = {"owner": row.owner, "object_key": row.object_key}
    receipts: dict[int, list[Receipt]] = {}
    taken = Receipt.objects.filter(subscription__in=subscriptions, **about)
    if subject.part_key:
        taken = taken.filter(part_key__in=("", subject.part_key))
    for receipt in taken:
        receipts.setdefault(receipt.subscription_id, []).append(receipt)
    refused = DeadLetter.objects.filter(subscription__in=subscriptions, **about).order_by("id")
    endpoints = Endpoint.objects.filter(
        module=module, role=InterfaceRole.RECEIVER.value, platform__parties__in=parties
    )
    return _Known(
        subject,
        {each.receiver_id: each for each in subscriptions},
        set(endpoints.values_list("platform", flat=True)),
        receipts,
        {each.subscription_id: each for each in refused if _concerns(each, subject)},
        _undelivered(subject, [each.pk for each in subscriptions]),
    )


def _concerns(dead_letter: DeadLetter, subject: Subject) -> bool:
    """Whether what was refused concerns the subject: the whole object, or the very part."""
    of_part = dead_letter.path.partition("?")[0].split("/")[OBJECT_STEPS:]
    return not (subject.part_key and of_part) or of_part[0].upper() == subject.part_key


def _undelivered(subject: Subject, subscription_ids: list[int]) -> dict[int, UndeliveredRow]:
    row = subject.row
    found = sql.rows(
        statements.UNDELIVERED,
        {
            "ids": subscription_ids,
            "owner": row.owner,
            "key": row.object_key,
            "audience": row.audience,
            "part": subject.part_key,
            "seq": row.pk,
            "every_message": EVERY_MESSAGE_MODULES,
        },
    )
    return {each.subscription_id: each for each in found}


def _status(known: _Known, party: Party) -> DeliveryStatus:
    subscription = known.subscriptions.get(party.pk)
    pk = subscription.pk if subscription else 0
    # A receiver took the whole Location at revision 5, and its EVSE E1 alone at 8. Both receipts
    # concern E1, and the higher one says what is there of it. Without a revision nothing was taken
    # yet.
    taken = max(
        (each for each in known.receipts.get(pk, ()) if each.revision is not None),
        key=lambda each: each.revision or 0,
        default=None,
    )
    behind = known.undelivered.get(pk, _NOT_BEHIND)
    revision = taken.revision if taken else None
    is_newest = revision is not None and revision >= known.subject.revision
    state, why = _judged(known, party, behind, has_newest=is_newest)
    return DeliveryStatus(
        party,
        state,
        why,
        # The receipt of the whole Location has revision 9, but EVSE E1 in it changed last with 5:
        # of E1 revision 5 arrived.
        known.subject.revision if state is DeliveryState.DELIVERED else revision,
        taken.delivered_at if taken else None,
        max((each.tried_at for each in known.receipts.get(pk, ())), default=None),
        behind.number,
        behind.oldest,
    )


def _judged(
    known: _Known, party: Party, behind: UndeliveredRow, *, has_newest: bool
) -> tuple[DeliveryState, str]:
    """Return the state, and the reason as a sentence."""
    subscription, platform = known.subscriptions.get(party.pk), party.platform
    if platform.status not in REGISTERED:
        return DeliveryState.NOT_CONNECTED, f"its platform is {platform.status}"
    if platform.pk not in known.with_endpoint:
        return DeliveryState.NO_ENDPOINT, f"it offers no RECEIVER of {known.subject.module}"
    if subscription is None:
        return DeliveryState.WAITING, "it is about to be subscribed"
    # Before what waits: if a PATCH of Location L1 was refused and the next one is on its way, both
    # are true, but the refusal is what somebody has to do something about.
    dead_letter = known.dead_letters.get(subscription.pk)
    if dead_letter is not None:
        return _refusal(dead_letter, known.subject.module)
    return _on_its_way(known, subscription, party, behind, has_newest=has_newest)


def _on_its_way(
    known: _Known,
    subscription: Subscription,
    party: Party,
    behind: UndeliveredRow,
    *,
    has_newest: bool,
) -> tuple[DeliveryState, str]:
    if known.subject.is_left_out and party.platform.quirks.strict_receiver:
        return DeliveryState.LEFT_OUT, _why_left_out(known.subject.row)
    if behind.number or (behind.awaits_snapshot and not has_newest):
        return _waiting(known, subscription, party, behind)
    return DeliveryState.DELIVERED, ""


def _why_left_out(row: StoredObject) -> str:
    number = row.findings + row.part_findings
    members = "1 member breaks" if number == 1 else f"{number:,} members break"
    return f"{members} the tables, and its platform takes only what is right"


def _refusal(dead_letter: DeadLetter, module: ModuleID) -> tuple[DeliveryState, str]:
    """Return why it was refused, without what the receiver says of drivers."""
    if dead_letter.reason.startswith(EXPIRED):
        return DeliveryState.EXPIRED, dead_letter.reason
    if module in ABOUT_DRIVERS and dead_letter.http_status is not None:
        reason = f"HTTP {dead_letter.http_status}, status {dead_letter.status_code}"
        return DeliveryState.REJECTED, reason
    return DeliveryState.REJECTED, dead_letter.reason


def _waiting(
    known: _Known, subscription: Subscription, party: Party, behind: UndeliveredRow
) -> tuple[DeliveryState, str]:
    receipts = known.receipts.get(subscription.pk, ())
    # No answer came in time: the receiver may have it. "Waiting" would make somebody send it again
    # by hand, "delivered" would make somebody rely on it.
    doubtful = next((each for each in receipts if each.in_doubt), None)
    if doubtful is not None:
        return DeliveryState.MAYBE, f"{doubtful.last_error}; it is sent again"
    if party.platform.status == ConnectionStatus.OFFLINE:
        return DeliveryState.NOT_CONNECTED, f"its platform is OFFLINE: {party.platform.last_error}"
    expiry = timedelta(days=settings.HUB_DELIVERY_EXPIRY_DAYS)
    expires = known.subject.module in EVERY_MESSAGE_MODULES
    if expires and behind.oldest and behind.oldest < timezone.now() - expiry:
        return DeliveryState.EXPIRED, "it waited too long and will be given up"
    error = next((each.last_error for each in receipts if each.last_error), subscription.last_error)
    first = "its snapshot is on the way" if behind.awaits_snapshot and not behind.number else ""
    return DeliveryState.WAITING, error or first or "it comes next"
