"""Client info of a simulated platform: what it received and, if it is a hub, what it lists.

Spec: 2.2.1 mod_hub_client_info. Single parties come by PUT, one object for each role.
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

    received: what the hub pushed, by party and role; listed: what a hub lists of its own parties.
    """

    received: dict[tuple[PartyRef, str], Json] = field(default_factory=dict)
    listed: list[Json] = field(default_factory=list)

    def answer(self, role: InterfaceRole, match: Match, seen: Seen, quirks: Quirks) -> Answer:
        """Answer a call of the module."""
        if role is InterfaceRole.SENDER:
            start = int(seen.query.get("offset", 0))
            return quirks.success(self.listed[start : start + quirks.page_limit])
        party = PartyRef(match.values["country_code"], match.values["party_id"])
        if seen.method == "GET":
            return quirks.single(write_object(self._known(party)))
        pushed = read_object(seen.body)
        if PartyRef(str(pushed.get("country_code")), str(pushed.get("party_id"))) != party:
            raise InvalidParameters("the body is about another party than the URL")
        created = (party, str(pushed.get("role"))) not in self.received
        self.received[party, str(pushed.get("role"))] = pushed
        return quirks.stored(seen.body.decode(), created=created)

    def statuses(self) -> dict[str, str]:
        """Give the status of everybody, as {"NL-CPA CPO": "CONNECTED"}."""
        return {
            f"{party} {role}": str(info.get("status"))
            for (party, role), info in self.received.items()
        }

    def _known(self, party: PartyRef) -> Json:
        """Give what was received of a party; of several roles the last."""
        known = [info for (about, _), info in self.received.items() if about == party]
        if not known:
            raise NotFound(f"nothing was received about {party}")
        return known[-1]
