"""Who is known to the hub, as routing asks for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from hub.routing import Destination
from ocpi.types import InterfaceRole, ModuleID, PartyRef, Role
from parties.models import Endpoint, Party, Platform
from parties.status import ConnectionStatus


@dataclass(frozen=True, slots=True)
class PartyDirectory:
    """The directory in the database: one statement per question."""

    hub: PartyRef

    def destinations(
        self, ref: PartyRef, module: ModuleID, interface: InterfaceRole
    ) -> Sequence[Destination]:
        """Return every role a party has or is allowed to have, with the addressed endpoint."""
        endpoint = Endpoint.objects.filter(
            platform=OuterRef("platform"), module=module.value, role=interface.value
        ).values("url")[:1]
        known = (
            Party.objects.filter(key=str(ref))
            .select_related("platform")
            .annotate(endpoint=Subquery(endpoint))
        )
        return [_destination(party, party.endpoint) for party in known]


def _destination(party: Party, endpoint: str | None) -> Destination:
    return Destination(
        ref=party.ref,
        role=Role(party.role),
        platform_id=party.platform_id,
        connected=party.status == ConnectionStatus.CONNECTED,
        status=party.status,
        endpoint=endpoint,
        pause=_pause(party.platform),
    )


def _pause(platform: Platform) -> int:
    """Return the seconds for which a platform wants no messages.

    A pause without failures is one it asked for. After failures the hub's own deliveries wait, but
    a relayed message is tried: who sends it wants to know now.
    """
    if platform.failures or platform.next_attempt_at is None:
        return 0
    return max(0, ceil((platform.next_attempt_at - timezone.now()).total_seconds()))
