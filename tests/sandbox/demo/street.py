"""A street of charging stations whose clock stands still, and what they pushed."""

from datetime import UTC, datetime
from typing import Any

from ocpi.types import ModuleID, PartyRef
from ocpi.versions import VERSIONS
from sandbox.demo.cdr_check import KnownSession
from sandbox.demo.charging import ChargingEvent, ChargingStations
from sandbox.demo.locations import location
from sandbox.demo.push import Message, apply_to_own
from sandbox.demo.tariffs import tariffs
from sandbox.demo.tokens import token
from sandbox.object_store import ObjectStore, read_object, write_object

CPA, MSA = PartyRef("NL", "CPA"), PartyRef("DE", "MSA")
NOW = "2026-11-21T00:00:00Z"
Json = dict[str, Any]


def object_store(module: str, number: str = "2.2.1") -> ObjectStore:
    """Make an empty store."""
    kind = VERSIONS[number].modules[ModuleID(module)].kept
    assert kind
    return ObjectStore(kind)


class Street:
    """An operator's stations with a clock that stands still, and what they pushed."""

    def __init__(self, *tokens: Json) -> None:
        """Open for these tokens."""
        self.own = {
            name: object_store(name) for name in ("tariffs", "locations", "sessions", "cdrs")
        }
        for each in tariffs(CPA, NOW):
            self.own["tariffs"].put(CPA, each["id"], body=write_object(each))
        for index in range(1, 4):
            body = write_object(location(index, CPA))
            self.own["locations"].put(CPA, f"L{index}", body=body)
        known = object_store("tokens")
        for each in tokens:
            known.put(MSA, each["uid"], body=write_object(each), variant=each["type"])
        self.charging = ChargingStations(
            self.own, known, seed=1, clock=lambda: datetime(2026, 11, 21, tzinfo=UTC)
        )
        self.messages: list[Message] = []
        self.turned_away: list[str] = []

    def watch(self, moments: int) -> None:
        """Let so much happen, and make it true."""
        for _ in range(moments):
            self.make_true(self.charging.next_event())

    def make_true(self, happening: ChargingEvent) -> None:
        """Note what happened."""
        for message in happening.messages:
            apply_to_own(self.own[message.module], message)
            self.messages.append(message)
        if happening.turned_away:
            self.turned_away.append(happening.turned_away)

    def status(self, location_id: str, evse_uid: str) -> str:
        """Tell what an EVSE says of itself."""
        return str(
            read_object(self.own["locations"].get_text(CPA, location_id, evse_uid))["status"]
        )

    def bodies(self, module: str) -> list[Json]:
        """Return what was sent about a module."""
        return [dict(each.body or {}) for each in self.messages if each.module == module]


CARDS = [token(index, MSA, NOW) for index in range(1, 5)]


def known(street: Street, cdr: Json) -> KnownSession:
    """Gather what an eMSP that received everything would know."""
    session: Json = street.own["sessions"].objects()[f"NL-CPA/{cdr['session_id']}"]
    tariff = street.own["tariffs"].objects()[f"NL-CPA/{cdr['charging_periods'][0]['tariff_id']}"]
    shown = next(
        each
        for each in CARDS
        if (each["uid"], each["type"]) == (cdr["cdr_token"]["uid"], cdr["cdr_token"]["type"])
    )
    return KnownSession(session, tariff, "Europe/Amsterdam", shown)
