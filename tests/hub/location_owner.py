"""A CPO that speaks to the hub about its own Locations, and what an eMSP-like party gets to see."""

import json
from dataclasses import dataclass
from typing import Any

from ocpi.types import PartyRef
from sandbox.client import Body, Result
from sandbox.platform import SandboxPlatform, object_path
from sandbox.recorder import Seen
from tests.cast import CPA, HUB

T1, T2, T3, T4 = (f"2027-0{month}-01T00:00:00Z" for month in (1, 2, 3, 4))


@dataclass(frozen=True, slots=True)
class Owner:
    """A CPO at its platform; everything is addressed to the hub unless said otherwise."""

    platform: SandboxPlatform
    party: PartyRef = CPA

    def send(
        self, method: str, *ids: str, body: Body = None, to: PartyRef | None = HUB, **headers: Any
    ) -> Result:
        """Send a message about an object, or a part of it, to the RECEIVER interface."""
        path = object_path(self.party, *ids)
        return self.platform.hub.send(
            method, "locations", "RECEIVER", path, body, to=to, sender=self.party, **headers
        )

    def put(self, *ids: str, body: Body) -> Result:
        """PUT, addressed to the hub."""
        return self.send("PUT", *ids, body=body)

    def patch(self, *ids: str, body: Body) -> Result:
        """PATCH, addressed to the hub."""
        return self.send("PATCH", *ids, body=body)

    def get(self, *ids: str) -> Any:
        """Return what the hub holds, which has to be there."""
        result = self.send("GET", *ids)
        assert (result.http_status, result.status_code) == (200, 1000), str(result)
        return result.data

    def has(self, *ids: str) -> bool:
        """Tell whether the hub holds it."""
        return self.send("GET", *ids).http_status == 200


def listed(platform: SandboxPlatform, party: PartyRef, **query: str) -> dict[str, Any]:
    """Return what a party gets by GET-All, by id; an id may occur once."""
    found = platform.hub.list("locations", query, to=HUB, sender=party).data
    by_id = {each["id"]: each for each in found}
    assert len(by_id) == len(found)
    return by_id


def raw_list(platform: SandboxPlatform, party: PartyRef) -> bytes:
    """Return the first page of GET-All as it came over the wire."""
    result = platform.hub.get("locations", "SENDER", to=HUB, sender=party)
    assert result.http_status == 200
    return result.body


def pushes(platform: SandboxPlatform) -> list[Seen]:
    """Return the pushes of Locations a platform saw, oldest first."""
    found = (seen for seen in platform.seen if "/locations/" in seen.path)
    return [seen for seen in found if seen.method in {"PUT", "PATCH", "DELETE"}]


def received(platform: SandboxPlatform) -> dict[str, Any]:
    """Return the Locations a platform holds from others: {"NL-CPA/L1": {…}}."""
    return platform.objects["locations"].objects()


def lexemes(text: bytes | str) -> Any:
    """Parse JSON with its numbers as they are spelled."""
    return json.loads(text, parse_float=str, parse_int=str)
