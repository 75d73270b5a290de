"""Who is known to the hub, as routing asks for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from django.utils import timezone

from hub import circuits
from hub.routing import Destination
from ocpi.errors import ReceiverNotConnected
from ocpi.types import InterfaceRole, ModuleID, PartyRef, Role
from parties import database, life, quirks
from parties.models import Party, Platform
from parties.status import ConnectionStatus

_PARTIES = """
SELECT p.role, p.is_active, p.claimed_at, p.reported_status,
  f.id, f.status, f.version, f.failures, f.next_attempt_at, f.unanswered,
  f.circuit_until, f.last_seen_at, f.quirks::text,
  (SELECT e.url FROM parties_endpoint e WHERE e.platform_id = f.id
    AND e.module = %(module)s::text AND e.role = %(interface)s::text),
  EXISTS (SELECT FROM parties_party h WHERE h.platform_id = f.id AND h.role = 'HUB' AND h.is_active)
FROM parties_party p JOIN parties_platform f ON f.id = p.platform_id
WHERE p.key = %(key)s::text AND (%(platform)s::bigint IS NULL OR f.id = %(platform)s::bigint)
ORDER BY p.id"""

_PARTY_COLUMNS = ("role", "is_active", "claimed_at", "reported_status")
_PLATFORM_COLUMNS = (
    *("pk", "status", "version", "failures", "next_attempt_at", "unanswered", "circuit_until"),
    "last_seen_at",
)


@dataclass(frozen=True, slots=True)
class PartyDirectory:
    """The directory in the database: one statement per question."""

    hub: PartyRef

    def destinations(
        self, ref: PartyRef, module: ModuleID, interface: InterfaceRole
    ) -> Sequence[Destination]:
        """Return every role a party has or is allowed to have, with the addressed endpoint."""
        asked = {"module": module.value, "interface": interface.value, "platform": None}
        return [_destination(ref, *row) for row in database.rows(_PARTIES, asked | _of(ref))]


def at_platform(platform_id: int, ref: PartyRef) -> Destination:
    """Return a party at the platform it spoke from; `ReceiverNotConnected` when it left it."""
    asked = {"module": "", "interface": "", "platform": platform_id}
    found = [_destination(ref, *row) for row in database.rows(_PARTIES, asked | _of(ref))]
    if not found:
        raise ReceiverNotConnected(f"{ref} is no party of the platform any more that asked")
    return max(found, key=lambda one: one.connected)


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
        silence=circuits.silence(platform),
        unanswered=platform.unanswered,
        version=platform.version,
        is_behind_hub=bool(row[14]),
        is_unseen=life.is_unseen(platform.last_seen_at),
        authorize_seconds=quirks.cached(row[12]).authorize_seconds,
    )


def _pause(platform: Platform) -> int:
    """Return the seconds for which a platform wants no messages.

    A pause without failures is one it asked for. After failures the hub's own deliveries wait, but
    a relayed message is tried: who sends it wants to know now.
    """
    if platform.failures or platform.next_attempt_at is None:
        return 0
    return max(0, ceil((platform.next_attempt_at - timezone.now()).total_seconds()))
