"""The objects that are sent: one of each module as a template, from which copies are numbered.

The objects are those of the sandbox. Two marks are in a template: for the number by which an
object differs from the next, and for its `last_updated`, which no two messages share.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from ocpi.types import ModuleID, PartyRef, format_datetime
from sandbox.demo import session as demo_session
from sandbox.demo.locations import location
from sandbox.demo.session import ChargingPlace
from sandbox.demo.tariffs import tariffs
from sandbox.demo.tokens import by_whitelist, token

CPO = PartyRef("NL", "CPA")
EMSP = PartyRef("DE", "M00")
NUMBER = "7777777777"
"""Stands for the number of an object; digits, which folding leaves alone."""
UPDATED = "2026-12-31T23:59:59Z"
_EPOCH = datetime(2027, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Template:
    """A message about an object: where below its endpoint, and its body, all with marks.

    `recipient` is the only party it is for, empty when it is for all.
    """

    module: ModuleID
    owner: PartyRef
    method: str
    object_id: str
    path: str
    body: bytes
    recipient: str = ""

    def numbered(self, number: int, moment: int) -> tuple[str, bytes]:
        """Return path and body of one object, as it is after so many seconds."""
        updated = format_datetime(_EPOCH + timedelta(seconds=moment)).encode()
        body = self.body.replace(NUMBER.encode(), b"%d" % number)
        return self.path.replace(NUMBER, str(number)), body.replace(UPDATED.encode(), updated)


def put(module: ModuleID, *, evses: int = 1, owner: PartyRef | None = None) -> Template:
    """Return the PUT of an object, the POST of a CDR; of Tokens any eMSP may be the owner."""
    value = _OBJECTS[module](evses)
    if owner is not None:
        value |= {"country_code": owner.country_code, "party_id": owner.party_id}
    ref = PartyRef(value["country_code"], value["party_id"])
    identifier = value["uid" if module == ModuleID.TOKENS else "id"]
    posted = module == ModuleID.CDRS
    return Template(
        module=module,
        owner=ref,
        method="POST" if posted else "PUT",
        object_id=identifier,
        path="" if posted else _path(ref, identifier),
        body=_text(value),
        recipient=str(EMSP) if "cdr_token" in value else "",
    )


def status_of_evse(evses: int, which: int = -1) -> Template:
    """Return the PATCH of the status of an EVSE, the last one, of a Location with so many."""
    value = _location(evses)
    path = _path(CPO, value["id"], value["evses"][which]["uid"])
    body = _text({"status": "CHARGING", "last_updated": UPDATED})
    return Template(ModuleID.LOCATIONS, CPO, "PATCH", value["id"], path, body)


def progress_of_session() -> Template:
    """Return a PATCH that adds a charging period to a Session."""
    name = _session()["id"]
    period = {"start_date_time": UPDATED, "dimensions": [{"type": "ENERGY", "volume": 1.25}]}
    body = {"kwh": 12.5, "charging_periods": [period], "last_updated": UPDATED}
    return Template(ModuleID.SESSIONS, CPO, "PATCH", name, _path(CPO, name), _text(body))


def _path(owner: PartyRef, *ids: str) -> str:
    return "/".join((owner.country_code, owner.party_id, *ids))


def _text(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _named(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    return {**value, name: f"B{NUMBER}", "last_updated": UPDATED}


def _location(evses: int) -> dict[str, Any]:
    value = location(1, CPO, evses=evses)
    changed = [{**evse, "last_updated": UPDATED} for evse in value["evses"]]
    return {**_named("id", value), "id": f"E{evses}-{NUMBER}", "evses": changed}


def _tariff() -> dict[str, Any]:
    return _named("id", tariffs(CPO, UPDATED)[0])


def _token() -> dict[str, Any]:
    return _named("uid", token(1, EMSP, UPDATED))


def _place() -> ChargingPlace:
    where = location(1, CPO, evses=1)
    return ChargingPlace(where, where["evses"][0], tariffs(CPO, UPDATED)[0])


def _session() -> dict[str, Any]:
    end = datetime(2026, 11, 21, 12, tzinfo=UTC)
    periods = demo_session.periods(_place(), end, Random(1))
    start = periods[0]["start_date_time"]
    driver = by_whitelist(token(1, EMSP, UPDATED))
    made = demo_session.pending(_place(), driver, name=f"S{NUMBER}", start=start)
    changed = {"status": "ACTIVE", "charging_periods": periods, "kwh": 21.5}
    return {**made, **changed, "last_updated": UPDATED}


def _cdr() -> dict[str, Any]:
    session = {**_session(), "end_date_time": "2026-11-21T12:00:00Z"}
    return demo_session.cdr(_place(), session, name=f"C{NUMBER}", updated=UPDATED)


_OBJECTS: Mapping[ModuleID, Callable[[int], dict[str, Any]]] = {
    ModuleID.TARIFFS: lambda _: _tariff(),
    ModuleID.LOCATIONS: _location,
    ModuleID.TOKENS: lambda _: _token(),
    ModuleID.SESSIONS: lambda _: _session(),
    ModuleID.CDRS: lambda _: _cdr(),
}
