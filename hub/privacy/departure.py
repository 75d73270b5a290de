"""The departure of a platform: what is deleted with it, what is kept, and why nobody inherits it.

docs/privacy.md. The hub files objects by the name of a party at its platform, which another company
may get later. So all that is of or for the party is deleted, in batches; its CDRs, which the law
requires to be kept, move to a table from which no peer is answered. A run that breaks off has ended
the registration already; it can be started again.
"""

# ruff: noqa: SLF001 - _default_manager is a documented name of Django

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple

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
from hub.privacy.jobs import Progress
from hub.store import anonymity
from ocpi.types import ModuleID
from operators.audit import record
from parties import operations
from parties.connection_status import ConnectionStatus
from parties.holders import ref_of
from parties.models import Credentials, Holder, Platform
from parties.registration.inbound import disconnect
from parties.registration.outbound import unregister

_BATCH = 500
KEPT = "kept CDRs"
REMAINS = (
    "CDRs of and for its parties are kept for the law, without their drivers (HUB_CDR_DAYS).",
    "The message log, the audit and the figures name it until their days are over.",
)
"""What is not deleted, in the words of page and command."""


class RowsOfKind(NamedTuple):
    """Rows of one table, and the name under which they are counted."""

    kind: str
    rows: QuerySet[Any]


@dataclass(slots=True)
class Departure:
    """What becomes of a platform's data: how many rows are removed and kept, by kind."""

    removed: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)

    def counter_for(self, rows: QuerySet[Any]) -> Counter[str]:
        """Return the counter for rows: CDRs are kept, all others removed."""
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
    parties = _held_parties(platform)
    for kind, rows in chain(_rows_of_parties(parties), _rows_of_connection(platform)):
        found.counter_for(rows)[kind] += rows.count()
    return found


def forget_platform(platform: Platform, *, report: Progress = lambda *_: None) -> Departure:
    """End the registration, remove or keep all its rows, then delete the platform itself."""
    unregister(platform)
    if platform.is_registered:
        disconnect(platform, status=ConnectionStatus.SUSPENDED)
    Credentials.objects.inbound(platform).revoke()
    done, total, name = Departure(), max(1, survey(platform).total), platform.name
    platform_id = platform.pk
    parties = _held_parties(platform)  # read now: its parties are deleted with the platform
    _note_departed(parties)

    def remove(rows_by_kind: Iterable[RowsOfKind]) -> None:
        for kind, rows in rows_by_kind:
            for number in _remove_in_batches(rows, name):
                done.counter_for(rows)[kind] += number
                report(min(1.0, done.total / total), done.removed + done.kept)

    remove(chain(_rows_of_parties(parties), _rows_of_connection(platform)))
    operations.delete_platform(platform)
    remove(_rows_of_parties(parties))  # what others sent it until it was deleted
    Holder.objects.filter(platform=platform_id).delete()  # nothing is filed under these any more
    record("removed what was of", name, after=counts(done), kind="parties.Platform")
    return done


def _rows_of_parties(parties: Iterable[_HeldParty]) -> Iterator[RowsOfKind]:
    """Yield what is of or for a platform's parties."""
    for party in parties:
        for module, policy in POLICIES.items():
            rows = policy.model._default_manager.filter(_stored_of_or_for(party.holder, module))
            plural = str(policy.model._meta.verbose_name_plural)
            yield RowsOfKind(KEPT if policy.model is Cdr else plural, rows)
        changes = Change.objects.filter(_of_or_for(party.holder))
        yield RowsOfKind("changes of the feed", changes)
        for model in (Receipt, DeadLetter, Snapshot):
            about = model._default_manager.filter(owner=party.holder)
            yield RowsOfKind(str(model._meta.verbose_name_plural), about)


def _rows_of_connection(platform: Platform) -> Iterator[RowsOfKind]:
    """Yield what deliveries to the platform, and pulls of its lists, have left."""
    for model in (Receipt, DeadLetter, Snapshot):
        own = model._default_manager.filter(subscription__receiver__platform=platform)
        yield RowsOfKind(str(model._meta.verbose_name_plural), own)
    for listed in (Listed, Quarantined):
        pulled = listed._default_manager.filter(pull__party__platform=platform)
        yield RowsOfKind(str(listed._meta.verbose_name_plural), pulled)
    either = Q(sender_platform=platform) | Q(receiver_platform=platform)
    yield RowsOfKind("callbacks", Callback.objects.filter(either))


def _held_parties(platform: Platform) -> list[_HeldParty]:
    named = platform.parties.order_by("key").values_list("key", "holder").distinct()
    return [_HeldParty(key, holder) for key, holder in named]


def _stored_of_or_for(holder: str, module: ModuleID) -> Q:
    either = _of_or_for(holder)
    return either | Q(recipient=holder) if POLICIES[module].personal else either


def _of_or_for(holder: str) -> Q:
    return Q(owner=holder) | Q(audience=holder)


def _remove_in_batches(rows: QuerySet[Any], platform: str) -> Iterator[int]:
    """Delete rows, moving CDRs to those kept; yield the size of each batch."""
    # Each batch begins after the last key: from the beginning it would read past all rows that the
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
                KeptCdr.objects.bulk_create(_kept_cdr(row, platform) for row in batch)
            batch.delete()
        after = keys[-1]
        yield len(keys)


def _kept_cdr(row: Cdr, platform: str) -> KeptCdr:
    return KeptCdr(
        platform=platform,
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
    """Note that the platform's parties received personal data until now."""
    for party in parties:
        for module in (name for name, policy in POLICIES.items() if policy.personal):
            Departed.objects.update_or_create(
                party=party.key, module=module, defaults={"at": timezone.now()}
            )


def counts(departure: Departure) -> dict[str, dict[str, int]]:
    """Return what became of the rows as JSON for command and audit."""
    return {"removed": dict(+departure.removed), "kept": dict(+departure.kept)}
