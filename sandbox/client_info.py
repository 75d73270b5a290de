"""Who is connected, as a platform is told and, if it is a hub itself, as it tells.

Spec: 2.2.1 mod_hub_client_info. Told are single parties by PUT, one object for each role.
"""

from dataclasses import dataclass, field

from ocpi.errors import InvalidParameters, NotFound
from ocpi.modules import Match
from ocpi.types import InterfaceRole, PartyRef
from sandbox.object_store import read_object, write_object
from sandbox.patch import Json
from sandbox.quirks import Quirks
from sandbox.recorder import Seen
from sandbox.server import Answer


@dataclass(slots=True)
class Clients:
    """The ClientInfo objects of one platform.

    told: what the hub told, by party and role; behind: what a hub tells of the parties behind it.
    """

    told: dict[tuple[PartyRef, str], Json] = field(default_factory=dict)
    behind: list[Json] = field(default_factory=list)

    def answer(self, role: InterfaceRole, match: Match, seen: Seen, quirks: Quirks) -> Answer:
        """Answer a call of the module."""
        if role is InterfaceRole.SENDER:
            start = int(seen.query.get("offset", 0))
            return quirks.success(self.behind[start : start + quirks.page_limit])
        party = PartyRef(match.values["country_code"], match.values["party_id"])
        if seen.method == "GET":
            return quirks.single(write_object(self._known(party)))
        told = read_object(seen.body)
        if PartyRef(str(told.get("country_code")), str(told.get("party_id"))) != party:
            raise InvalidParameters("the body is about another party than the URL")
        created = (party, str(told.get("role"))) not in self.told
        self.told[party, str(told.get("role"))] = told
        return quirks.stored(seen.body.decode(), created=created)

    def statuses(self) -> dict[str, str]:
        """Give the status of everybody, as {"NL-CPA CPO": "CONNECTED"}."""
        return {
            f"{party} {role}": str(told.get("status")) for (party, role), told in self.told.items()
        }

    def _known(self, party: PartyRef) -> Json:
        """Give what was told of a party; of several roles the last."""
        known = [told for (about, _), told in self.told.items() if about == party]
        if not known:
            raise NotFound(f"nobody told of {party}")
        return known[-1]
