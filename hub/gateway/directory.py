"""The directory of parties that the hub knows, as routing looks them up."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil

from django.utils import timezone

from database import sql
from hub.gateway import circuit_breaker
from hub.gateway import sql as statements
from hub.gateway.routes import Destination
from hub.gateway.sql import Registration
from ocpi.errors import ReceiverNotConnected
from ocpi.types import InterfaceRole, ModuleID, PartyRef, Role
from parties import access, connection_health, directory, quirks
from parties.connection_status import ConnectionStatus
from parties.directory import Question
from parties.epoch import Epoch
from parties.models import Party, Platform


@dataclass(frozen=True, slots=True)
class PartyDirectory:
    """The directory in the database as one sender sees it: each look-up is one statement an epoch.

    Without an epoch nothing is remembered.
    """

    hub: PartyRef
    sender: str
    epoch: Epoch | None = None

    def destinations(
        self, ref: PartyRef, module: ModuleID, interface: InterfaceRole
    ) -> Sequence[Destination]:
        """Return every role a party has or may register, with its endpoint of the interface."""
        return directory.answer(_Registrations(self.sender, ref, module, interface), self.epoch)


@dataclass(frozen=True, slots=True)
class _Registrations(Question[Sequence[Destination]]):
    """Where a party is registered, as a sender sees it."""

    sender: str
    ref: PartyRef
    module: ModuleID
    interface: InterfaceRole
    mode: str = field(default_factory=access.mode)

    def ask(self) -> Sequence[Destination]:
        """Ask for each role at each platform."""
        reach, parameters = access.reach_sql(self.module, self.interface, sender=self.sender)
        wanted = {"key": str(self.ref), "module": self.module, "interface": self.interface.value}
        query = {**wanted, "platform": None, **parameters}
        found = sql.rows(statements.registrations_reached(reach), query)
        return [_destination(self.ref, row) for row in found]

    def is_kept(self, answer: Sequence[Destination]) -> bool:
        """Keep nothing of a platform in trouble, which is over any moment, nor of no platform."""
        return bool(answer) and not any(
            each.circuit_seconds or each.pause_seconds or each.unanswered for each in answer
        )

    def platforms(self, answer: Sequence[Destination]) -> Sequence[int]:
        """Return all: it tells of each whether it answers, and when it was heard of."""
        return [each.platform_id for each in answer]


def at_platform(platform_id: int, ref: PartyRef) -> Destination:
    """Return a party at one platform; `ReceiverNotConnected` when it is no longer there."""
    query = {"key": str(ref), "module": "", "interface": "", "platform": platform_id}
    found = [_destination(ref, row) for row in sql.rows(statements.REGISTRATIONS, query)]
    if not found:
        raise ReceiverNotConnected(f"{ref} is no party of the platform any more that asked")
    return max(found, key=lambda one: one.connected)


def _destination(ref: PartyRef, row: Registration) -> Destination:
    """Read a row; what its columns mean together is asked of unsaved models."""
    platform, party = _models_of(row)
    wanted = quirks.parsed(row.quirks)
    return Destination(
        ref=ref,
        role=Role(row.role),
        platform_id=row.platform_id,
        connected=party.status == ConnectionStatus.CONNECTED,
        status=party.status,
        endpoint=row.endpoint,
        pause_seconds=_pause_seconds(platform),
        circuit_seconds=circuit_breaker.seconds_open(platform),
        unanswered=row.unanswered,
        version=row.version,
        is_behind_hub=row.is_behind_hub,
        is_unseen=connection_health.is_unseen(row.last_seen_at),
        authorize_seconds=wanted.authorize_seconds,
        one_spelling=wanted.one_spelling,
        holder=row.holder,
        is_known=row.is_known,
        may_be_called=row.may_be_called,
        is_live=row.is_active and row.status != ConnectionStatus.SUSPENDED,
    )


def _models_of(row: Registration) -> tuple[Platform, Party]:
    platform = Platform(
        pk=row.platform_id,
        status=row.status,
        version=row.version,
        failures=row.failures,
        next_attempt_at=row.next_attempt_at,
        unanswered=row.unanswered,
        circuit_until=row.circuit_until,
        last_seen_at=row.last_seen_at,
    )
    party = Party(
        platform=platform,
        role=row.role,
        is_active=row.is_active,
        claimed_at=row.claimed_at,
        reported_status=row.reported_status,
    )
    return platform, party


def _pause_seconds(platform: Platform) -> int:
    """Return for how many more seconds a platform wants no messages (HTTP 429).

    `next_attempt_at` without failures is a pause that the platform asked for. With failures it is
    the back-off of the hub's own deliveries; a relayed message is tried nevertheless, because its
    sender waits for an answer now.
    """
    if platform.failures or platform.next_attempt_at is None:
        return 0
    return max(0, ceil((platform.next_attempt_at - timezone.now()).total_seconds()))
