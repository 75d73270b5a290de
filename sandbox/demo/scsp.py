"""The business of an SCSP in the demo: it limits the power of a session, and checks the result.

Spec: 2.2.1 mod_charging_profiles.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ocpi.types import ModuleID, PartyRef
from sandbox.demo.actor import Actor, Request
from sandbox.object_store import read_object

MODULE = ModuleID.CHARGINGPROFILES
SET, LOOK = "set profile", "active profile"
WATTS = 11_000
PROFILE: Mapping[str, Any] = {
    "charging_rate_unit": "W",
    "duration": 3600,
    "charging_profile_period": [{"start_period": 0, "limit": WATTS}],
}


@dataclass(slots=True)
class ScspBusiness:
    """One SCSP of a process."""

    actor: Actor
    party: PartyRef

    def open(self) -> None:
        """Wait: there is nothing to steer yet."""

    def go_on(self) -> None:
        """Set a profile on the first running session that takes one."""
        tried: set[str] = set()
        while self.actor.wait_until(lambda: set(self._running()) - tried):
            name = min(set(self._running()) - tried)
            tried.add(name)
            if self._set(name) == "ACCEPTED":
                self._look(name)
                return

    def _set(self, name: str) -> str:
        text, body = f"of {WATTS / 1000:.0f} kW on {name}", {"charging_profile": PROFILE}
        request = Request(SET, "PUT", MODULE, quote(name, safe=""), text, body)
        return self.actor.order(self.party, request)

    def _look(self, name: str) -> None:
        asked = {"duration": 900}
        request = Request(LOOK, "GET", MODULE, quote(name, safe=""), f"of {name}", query=asked)
        self.actor.order(self.party, request)

    def _running(self) -> Iterator[str]:
        store = self.actor.platform.objects["sessions"]
        for key in store:
            session = read_object(store[key])
            if session["status"] == "ACTIVE":
                yield str(session["id"])
