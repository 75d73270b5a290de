"""A platform forgotten: what is removed of it, what the law has kept, and that nobody inherits.

docs/privacy.md. What the hub stores goes by the name of a party at its platform, which another
company may get later. All that is of or for it is deleted, in batches; CDRs are kept where no peer
is answered from. A run that is broken off leaves the platform without its registration: begin
again.
"""

# ruff: noqa: SLF001 - _default_manager is a documented name of Django

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from hub.models import (
    Callback,
    Cdr,
    Change,
    DeadLetter,
    Departed,
    KeptCdr,
    Listed,
    Quarantined,
    Receipt,
    Snapshot,
)
from hub.module_policy import POLICIES
from hub.store import anonymity
from ocpi.types import ModuleID
from operators.audit import record
from parties import operations
from parties.connection_status import ConnectionStatus
from parties.holders import ref_of
from parties.models import Credentials, Holder, Platform
from parties.registration.inbound import disconnect
from parties.registration.outbound import unregister

Kind = tuple[str, QuerySet[Any]]
Progress = Callable[[float, Mapping[str, int]], object]
_BATCH = 500
KEPT = "kept CDRs"
REMAINS = (
    "CDRs of and for its parties are kept for the law, without their drivers (HUB_CDR_DAYS).",
    "The message log, the audit and the figures name it until their days are over.",
)
"""What forgetting leaves, in the words of page and command."""


@dataclass(slots=True)
class Departure:
    """What becomes of a platform's data: how many rows are removed and kept, by kind."""

    removed: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)

    def of(self, rows: QuerySet[Any]) -> Counter[str]:
        """Return where some rows are counted."""
        return self.kept if rows.model is Cdr else self.removed

    @property
    def total(self) -> int:
        """How many rows there are."""
        return self.removed.total() + self.kept.total()


@dataclass(frozen=True, slots=True)
class _HeldParty:
    """A party of the platform: its key, and its holder, under which its objects are filed."""

    key: str
    holder: str


def survey(platform: Platform) -> Departure:
    """Count what forgetting a platform would remove and keep; nothing is changed."""
    found = Departure()
    for name, rows in chain(_rows(_held_parties(platform)), _of_connection(platform)):
        found.of(rows)[name] += rows.count()
    return found


def forget_platform(platform: Platform, *, report: Progress = lambda *_: None) -> Departure:
    """End the registration, remove or keep all there is, then forget the platform itself."""
    unregister(platform)
    if platform.is_registered:
        disconnect(platform, status=ConnectionStatus.SUSPENDED)
    Credentials.objects.inbound(platform).revoke()
    done, total, name = Departure(), max(1, survey(platform).total), platform.name
    platform_id = platform.pk
    parties = _held_parties(platform)  # read while the parties are there that name them
    _note_departed(parties)

    def remove(kinds: Iterable[Kind]) -> None:
        for kind, rows in kinds:
            for number in _removed(rows, name):
                done.of(rows)[kind] += number
                report(min(1.0, done.total / total), done.removed + done.kept)

    remove(chain(_rows(parties), _of_connection(platform)))
    operations.delete_platform(platform)
    remove(_rows(parties))  # what others sent it meanwhile: now nobody can any more
    Holder.objects.filter(platform=platform_id).delete()  # nothing is filed under it any more
    record("removed what was of", name, after=counts(done), kind="parties.Platform")
    return done


def _rows(parties: Iterable[_HeldParty]) -> Iterator[Kind]:
    """Yield what is of or for a platform's parties, kind by kind, by its name."""
    for party in parties:
        for module, policy in POLICIES.items():
            rows = policy.model._default_manager.filter(_stored_of_or_for(party.holder, module))
            yield KEPT if policy.model is Cdr else str(policy.model._meta.verbose_name_plural), rows
        yield "changes of the feed", Change.objects.filter(_of_or_for(party.holder))
        for model in (Receipt, DeadLetter, Snapshot):
            about = model._default_manager.filter(owner=party.holder)
            yield str(model._meta.verbose_name_plural), about


def _of_connection(platform: Platform) -> Iterator[Kind]:
    """Yield what its own deliveries and lists left, which may be much."""
    for model in (Receipt, DeadLetter, Snapshot):
        own = model._default_manager.filter(subscription__receiver__platform=platform)
        yield str(model._meta.verbose_name_plural), own
    for listed in (Listed, Quarantined):
        met = listed._default_manager.filter(pull__party__platform=platform)
        yield str(listed._meta.verbose_name_plural), met
    either = Q(sender_platform=platform) | Q(receiver_platform=platform)
    yield "callbacks", Callback.objects.filter(either)


def _held_parties(platform: Platform) -> list[_HeldParty]:
    named = platform.parties.order_by("key").values_list("key", "holder").distinct()
    return [_HeldParty(key, holder) for key, holder in named]


def _stored_of_or_for(holder: str, module: ModuleID) -> Q:
    either = _of_or_for(holder)
    return either | Q(recipient=holder) if POLICIES[module].personal else either


def _of_or_for(holder: str) -> Q:
    return Q(owner=holder) | Q(audience=holder)


def _removed(rows: QuerySet[Any], name: str) -> Iterator[int]:
    """Delete rows batch by batch, or keep them, and yield how many that were."""
    # Behind the last key, never from the beginning: there each batch would pass over all that the
    # batches before it deleted, which stay in the table until it is vacuumed.
    after: Any = None
    while True:
        later = rows if after is None else rows.filter(pk__gt=after)
        keys = list(later.order_by("pk").values_list("pk", flat=True)[:_BATCH])
        if not keys:
            return
        batch = rows.model._default_manager.filter(pk__in=keys)
        with transaction.atomic():
            if rows.model is Cdr:
                KeptCdr.objects.bulk_create(_kept(row, name) for row in batch)
            batch.delete()
        after = keys[-1]
        yield len(keys)


def _kept(row: Cdr, name: str) -> KeptCdr:
    return KeptCdr(
        platform=name,
        owner=str(ref_of(row.owner)),
        recipient=str(ref_of(row.recipient)) if row.recipient else "",
        object_id=row.object_id,
        version=row.version,
        text=anonymity.anonymous(row.text.encode()).decode(),
        ended_at=row.ended_at,
        kwh=row.kwh,
        cost=row.cost,
        currency=row.currency,
        posted_at=row.posted_at,
    )


def _note_departed(parties: Iterable[_HeldParty]) -> None:
    """Note until when its parties received what is personal."""
    for party in parties:
        for module in (name for name, policy in POLICIES.items() if policy.personal):
            Departed.objects.update_or_create(
                party=party.key, module=module, defaults={"at": timezone.now()}
            )


def counts(departure: Departure) -> dict[str, dict[str, int]]:
    """Return a departure ready for JSON."""
    return {"removed": dict(+departure.removed), "kept": dict(+departure.kept)}
