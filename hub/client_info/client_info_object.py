"""The ClientInfo object, as it is pushed to platforms and listed for them.

Spec: 2.2.1 mod_hub_client_info, ClientInfo object.
"""

from dataclasses import dataclass
from datetime import datetime

from ocpi.types import format_datetime


@dataclass(frozen=True, slots=True, order=True)
class ClientInfoObject:
    """One party in one role; sorted, CPO comes before EMSP (A-114)."""

    country_code: str
    party_id: str
    role: str
    status: str
    last_updated: datetime
    id: int = 0

    @property
    def path(self) -> str:
        """Where it is below the receiver's endpoint."""
        return f"{self.country_code}/{self.party_id}"

    def as_json(self) -> dict[str, str]:
        """Return it as it is sent."""
        return {
            "party_id": self.party_id,
            "country_code": self.country_code,
            "role": self.role,
            "status": self.status,
            "last_updated": format_datetime(self.last_updated),
        }
