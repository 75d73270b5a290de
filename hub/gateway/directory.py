"""Who is known to the hub, as routing asks for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import Any

from django.utils import timezone

from database import sql
from hub.gateway import circuit_breaker
from hub.gateway.routes import Destination
from ocpi.errors import ReceiverNotConnected
from ocpi.types import InterfaceRole, ModuleID, PartyRef, Role
from parties import access, connection_health, quirks
from parties.connection_status import ConnectionStatus
from parties.models import Party, Platform

_PARTIES = """
SELECT p.role, p.is_active, p.claimed_at, p.reported_status,
  f.id, f.status, f.version, f.failures, f.next_attempt_at, f.unanswered,
  f.circuit_until, f.last_seen_at, f.quirks::text,
  (SELECT e.url FROM parties_endpoint e WHERE e.platform_id = f.id
    AND e.module = %(module)s::text AND e.role = %(interface)s::text),
  EXISTS (SELECT FROM parties_party h
    WHERE h.platform_id = f.id AND h.role = 'HUB' AND h.is_active),
  p.holder, {reach}
FROM parties_party p JOIN parties_platform f ON f.id = p.platform_id {lateral}
WHERE p.key = %(key)s::text AND (%(platform)s::bigint IS NULL OR f.id = %(platform)s::bigint)
ORDER BY p.id"""
_ANY = _PARTIES.format(reach="true, true", lateral="")

_PARTY_COLUMNS = ("role", "is_active", "claimed_at", "reported_status")
_PLATFORM_COLUMNS = (
    *("pk", "status", "version", "failures", "next_attempt_at", "unanswered", "circuit_until"),
    "last_seen_at",
)


@dataclass(frozen=True, slots=True)
class PartyDirectory:
    """The directory in the database as a sender sees it: one statement per question."""

    hub: PartyRef
    sender: str

    def destinations(
        self, ref: PartyRef, module: ModuleID, interface: InterfaceRole
    ) -> Sequence[Destination]:
        """Return every role a party has or is allowed to have, with the addressed endpoint."""
        reach, parameters = access.reach_sql(module, interface, sender=self.sender)
        asked = {"module": module, "interface": interface.value, "platform": None}
        found = sql.rows(_reached(reach), {**asked, **_of(ref), **parameters})
        return [_destination(ref, *row) for row in found]


def at_platform(platform_id: int, ref: PartyRef) -> Destination:
    """Return a party at the platform it spoke from; `ReceiverNotConnected` when it left it."""
    asked = {"module": "", "interface": "", "platform": platform_id}
    found = [_destination(ref, *row) for row in sql.rows(_ANY, asked | _of(ref))]
    if not found:
        raise ReceiverNotConnected(f"{ref} is no party of the platform any more that asked")
    return max(found, key=lambda one: one.connected)


@lru_cache(maxsize=4)
def _reached(reach: str) -> str:
    lateral = f"CROSS JOIN LATERAL ({reach}) AS reach"
    columns = "COALESCE(reach.is_known, false), COALESCE(reach.may_be_called, false)"
    return " ".join(_PARTIES.format(reach=columns, lateral=lateral).split())


def _of(ref: PartyRef) -> dict[str, object]:
    return {"key": str(ref)}


def _destination(ref: PartyRef, *row: Any) -> Destination:  # noqa: ANN401 - columns
    """Read a row; what its columns mean together is the models' business."""
    platform = Platform(**dict(zip(_PLATFORM_COLUMNS, row[4:12], strict=True)))
    party = Party(platform=platform, **dict(zip(_PARTY_COLUMNS, row[:4], strict=True)))
    return Destination(
        ref=ref,
        role=Role(party.role),
        platform_id=platform.pk,
        connected=party.status == ConnectionStatus.CONNECTED,
        status=party.status,
        endpoint=str(row[13]) if row[13] is not None else None,
        pause=_pause(platform),
        silence=circuit_breaker.silence(platform),
        unanswered=platform.unanswered,
        version=platform.version,
        is_behind_hub=bool(row[14]),
        is_unseen=connection_health.is_unseen(platform.last_seen_at),
        authorize_seconds=quirks.cached(row[12]).authorize_seconds,
        holder=row[15],
        is_known=row[16],
        may_be_called=row[17],
        is_live=party.is_active and platform.status != ConnectionStatus.SUSPENDED,
    )


def _pause(platform: Platform) -> int:
    """Return the seconds for which a platform wants no messages.

    A pause without failures is one it asked for. After failures the hub's own deliveries wait, but
    a relayed message is tried: who sends it wants to know now.
    """
    if platform.failures or platform.next_attempt_at is None:
        return 0
    return max(0, ceil((platform.next_attempt_at - timezone.now()).total_seconds()))
