"""A driver's session at an EVSE: the Session from PENDING to COMPLETED, and its CDR.

Spec: 2.2.1 mod_sessions and mod_cdrs. The demo does not wait while a car charges: a session that
begins now is dated back, so that it ends about now.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from ocpi.types import format_datetime, parse_datetime
from sandbox.demo.pricing import SECONDS_PER_HOUR, Bill, bill, volume
from sandbox.demo.tokens import Permission

Json = dict[str, Any]
OWNER = ("country_code", "party_id")
OF_TOKEN = (*OWNER, "uid", "type", "contract_id")
AUTHORITY = ("auth_method", "authorization_reference")
OF_LOCATION = ("id", "name", "address", "city", "postal_code", "state", "country", "coordinates")
CAR_KILOWATTS = 60.0
"""What a car takes where it can get it."""
SLOW_KILOWATTS = 22
"""Up to this power people charge for long."""


@dataclass(frozen=True, slots=True)
class ChargingPlace:
    """Where somebody charges, and by which tariff."""

    location: Mapping[str, Any]
    evse: Mapping[str, Any]
    tariff: Mapping[str, Any]

    @property
    def connector(self) -> Mapping[str, Any]:
        """The connector in use: the first one."""
        found: Mapping[str, Any] = self.evse["connectors"][0]
        return found

    def __str__(self) -> str:
        return f"{self.location['id']}/{self.evse['uid']}"


def periods(place: ChargingPlace, end: datetime, chance: Random) -> list[Json]:
    """Make the charging periods of a session that ends then, cut where prices may change."""
    power = min(place.connector["max_electric_power"] / 1000, CAR_KILOWATTS)
    longest = 150 if power <= SLOW_KILOWATTS else 50  # minutes, as all below
    charging = timedelta(minutes=chance.randint(longest // 5, longest))
    parking = timedelta(minutes=chance.choice((0, 0, 7, 42, 75)))
    start = end.replace(microsecond=0) - charging - parking
    made = [
        _period(place, begun, {"ENERGY": round(power * hours, 3), "TIME": hours})
        for begun, hours in _cut(start, charging)
    ]
    parked = _cut(start + charging, parking)
    return made + [_period(place, begun, {"PARKING_TIME": hours}) for begun, hours in parked]


def _cut(start: datetime, length: timedelta) -> Iterator[tuple[datetime, float]]:
    """Cut a stretch of time at each full hour; the pieces' lengths are in hours."""
    end = start + length
    while start < end:
        full = start.replace(minute=0, second=0) + timedelta(hours=1)
        cut = min(full, end)
        yield start, round((cut - start).total_seconds() / SECONDS_PER_HOUR, 4)
        start = cut


def _period(place: ChargingPlace, begun: datetime, volumes: Mapping[str, float]) -> Json:
    return {
        "start_date_time": format_datetime(begun),
        "dimensions": [{"type": name, "volume": each} for name, each in volumes.items()],
        "tariff_id": place.tariff["id"],
    }


def pending(place: ChargingPlace, permission: Permission, *, name: str, start: str) -> Json:
    """Make the Session as it is before the car takes anything; only who may charge has one."""
    token = permission.token or {}
    reference = permission.reference
    return {
        **{member: place.location[member] for member in OWNER},
        "id": name,
        "start_date_time": start,
        "kwh": 0,
        "cdr_token": {member: token[member] for member in OF_TOKEN},
        "auth_method": permission.method,
        **({"authorization_reference": reference} if reference else {}),
        "location_id": place.location["id"],
        "evse_uid": place.evse["uid"],
        "connector_id": place.connector["id"],
        "currency": place.tariff["currency"],
        "status": "PENDING",
    }


def progress(place: ChargingPlace, planned: list[Json], end: str) -> Iterator[Json]:
    """Make the PATCHes of a Session, each with what was added since the one before."""
    last = len(planned)
    for done in range(last + 1):
        so_far = planned[:done]
        yield {
            **({"status": "ACTIVE"} if done == 0 else {}),
            **({"status": "COMPLETED", "end_date_time": end} if done == last else {}),
            "kwh": float(volume(so_far, "ENERGY")),
            **({"charging_periods": [planned[done - 1]]} if done else {}),
            "total_cost": _bill(place, so_far).total.as_json(),
        }


def merged_patch(patches: Iterable[Json]) -> Json:
    """Make one PATCH of all that are still to come: somebody ends the session now."""
    whole: Json = {"charging_periods": []}
    for patch in patches:
        charged = whole["charging_periods"] + patch.get("charging_periods", [])
        whole |= {**patch, "charging_periods": charged}
    return whole


def cdr(place: ChargingPlace, session: Mapping[str, Any], *, name: str, updated: str) -> Json:
    """Make the CDR of a completed Session."""
    charged: list[Json] = session["charging_periods"]
    costs = _bill(place, charged)
    length = _hours(session["start_date_time"], session["end_date_time"])
    return {
        **{member: session[member] for member in OWNER},
        "id": name,
        "start_date_time": session["start_date_time"],
        "end_date_time": session["end_date_time"],
        "session_id": session["id"],
        "cdr_token": session["cdr_token"],
        **{name: session[name] for name in AUTHORITY if name in session},
        "cdr_location": _cdr_location(place),
        "currency": session["currency"],
        "tariffs": [place.tariff],
        "charging_periods": charged,
        "total_cost": costs.total.as_json(),
        "total_fixed_cost": costs.fixed.as_json(),
        "total_energy": float(volume(charged, "ENERGY")),
        "total_energy_cost": costs.energy.as_json(),
        "total_time": float(length),
        "total_time_cost": costs.time.as_json(),
        "total_parking_time": float(volume(charged, "PARKING_TIME")),
        "total_parking_cost": costs.parking.as_json(),
        "last_updated": updated,
    }


def _bill(place: ChargingPlace, charged: list[Json]) -> Bill:
    return bill(place.tariff, charged, place.location["time_zone"])


def _hours(start: str, end: str) -> Decimal:
    seconds = (parse_datetime(end) - parse_datetime(start)).total_seconds()
    return round(Decimal(seconds) / SECONDS_PER_HOUR, 4)


def _cdr_location(place: ChargingPlace) -> Json:
    connector = place.connector
    return {
        **{name: place.location[name] for name in OF_LOCATION if name in place.location},
        "evse_uid": place.evse["uid"],
        "evse_id": place.evse["evse_id"],
        "connector_id": connector["id"],
        "connector_standard": connector["standard"],
        "connector_format": connector["format"],
        "connector_power_type": connector["power_type"],
    }
