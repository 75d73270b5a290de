"""The check of a CDR by an eMSP: against the session it saw and the tariff it received.

Spec: 2.2.1 mod_cdrs. Modules arrive one independently of the other, so a CDR waits for its session.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from threading import Lock
from typing import Any

from ocpi.types import PartyRef
from sandbox.demo.pricing import Bill, bill, volume
from sandbox.object_store import Key, ObjectStore, read_object

Json = dict[str, Any]
# What a CDR must have as its session has it; what both may lack.
SAME = ("start_date_time", "end_date_time", "cdr_token", "auth_method", "currency")
MAY_BE = ("authorization_reference",)
COSTS = {
    "total_fixed_cost": "fixed",
    "total_energy_cost": "energy",
    "total_time_cost": "time",
    "total_parking_cost": "parking",
    "total_cost": "total",
}


@dataclass(frozen=True, slots=True)
class KnownSession:
    """What an eMSP has about one CDR: its session, the tariff and the time zone of the place."""

    session: Mapping[str, Any]
    tariff: Mapping[str, Any]
    time_zone: str
    token: Mapping[str, Any] | None


def disagreements(cdr: Mapping[str, Any], known: KnownSession) -> list[str]:
    """Say in what a CDR differs from what it should be."""
    return [*_facts(cdr, known), *_amounts(cdr, known)]


def _facts(cdr: Mapping[str, Any], known: KnownSession) -> Iterator[str]:
    session, location = known.session, cdr["cdr_location"]
    yield from (f"{name} is not its session's" for name in SAME if cdr[name] != session[name])
    yield from (
        f"{name} is not its session's" for name in MAY_BE if cdr.get(name) != session.get(name)
    )
    if cdr["charging_periods"] != session["charging_periods"]:
        yield "charging_periods are not its session's"
    for name, shown in (
        ("location_id", location["id"]),
        ("evse_uid", location["evse_uid"]),
        ("connector_id", location["connector_id"]),
    ):
        if session[name] != shown:
            yield f"{name} is not its session's"
    if known.token is None or known.token["contract_id"] != cdr["cdr_token"]["contract_id"]:
        yield "cdr_token is none of ours"
    if cdr["tariffs"] != [known.tariff]:
        yield "tariffs is not the tariff we received"


def _amounts(cdr: Mapping[str, Any], known: KnownSession) -> Iterator[str]:
    energy = volume(cdr["charging_periods"], "ENERGY")
    if not energy == _number(cdr["total_energy"]) == _number(known.session["kwh"]):
        yield f"total_energy is {cdr['total_energy']}, its session's kwh {known.session['kwh']}"
    due: Bill = bill(known.tariff, cdr["charging_periods"], known.time_zone)
    for name, part in COSTS.items():
        expected = getattr(due, part).as_json()
        if cdr[name] != expected:
            yield f"{name} is {cdr[name]}, by the tariff {expected}"
    if known.session["total_cost"] != cdr["total_cost"]:
        yield "total_cost is not its session's"


def _number(value: float) -> Decimal:
    return Decimal(str(value))


Report = Callable[[Json, list[str]], None]


@dataclass(slots=True)
class Auditor:
    """Checks what an eMSP received as soon as it can; `report` gets each CDR with its findings."""

    own: Mapping[str, ObjectStore]
    received: Mapping[str, ObjectStore]
    report: Report
    findings: dict[str, list[str]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def look(self) -> None:
        """Check every CDR that was not checked and can be."""
        with self._lock:
            for key in self.received["cdrs"]:
                name = f"{key[0]}-{key[1]}/{key[2]}"
                if name not in self.findings:
                    self._check(name, read_object(self.received["cdrs"][key]))

    def _check(self, name: str, cdr: Json) -> None:
        known = self._known(cdr)
        if known is not None:
            self.findings[name] = disagreements(cdr, known)
            self.report(cdr, self.findings[name])

    def _known(self, cdr: Json) -> KnownSession | None:
        """Gather what is known about a CDR; None as long as something has not arrived."""
        owner = (cdr["country_code"], cdr["party_id"])
        session = self._find("sessions", (*owner, cdr["session_id"]))
        tariff = self._find("tariffs", (*owner, cdr["charging_periods"][0]["tariff_id"]))
        location = self._find("locations", (*owner, cdr["cdr_location"]["id"]))
        if not session or session["status"] != "COMPLETED" or not tariff or not location:
            return None
        return KnownSession(session, tariff, location["time_zone"], self._token(cdr["cdr_token"]))

    def _find(self, module: str, key: Key) -> Json | None:
        text = self.received[module].get(key)
        return read_object(text) if text is not None else None

    def _token(self, shown: Mapping[str, Any]) -> Json | None:
        owner, store = PartyRef(shown["country_code"], shown["party_id"]), self.own["tokens"]
        try:
            return read_object(store.get_text(owner, shown["uid"], variant=shown["type"]))
        except store.kind.unknown:
            return None
