"""A catalogue of plausible Dutch charging locations, the same for the same seed.

Locations chapter: every object is a complete 2.2.1 Location, and a valid 2.2 one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from ocpi.types import PartyRef, format_datetime

Json = dict[str, Any]

OPENED = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
"""When the first location of the catalogue was last updated; each next one a minute later."""


@dataclass(frozen=True, slots=True)
class City:
    """A city around its centre."""

    name: str
    latitude: float
    longitude: float
    postal_code: int
    state: str


CITIES = (
    City("Amsterdam", 52.3676, 4.9041, 1012, "Noord-Holland"),
    City("Rotterdam", 51.9244, 4.4777, 3011, "Zuid-Holland"),
    City("Den Haag", 52.0705, 4.3007, 2511, "Zuid-Holland"),
    City("Utrecht", 52.0907, 5.1214, 3511, "Utrecht"),
    City("Eindhoven", 51.4416, 5.4697, 5611, "Noord-Brabant"),
    City("Groningen", 53.2194, 6.5665, 9711, "Groningen"),
    City("Tilburg", 51.5555, 5.0913, 5038, "Noord-Brabant"),
    City("Almere", 52.3508, 5.2647, 1315, "Flevoland"),
    City("Breda", 51.5719, 4.7683, 4811, "Noord-Brabant"),
    City("Nijmegen", 51.8126, 5.8372, 6511, "Gelderland"),
    City("Arnhem", 51.9851, 5.8987, 6811, "Gelderland"),
    City("Haarlem", 52.3874, 4.6462, 2011, "Noord-Holland"),
    City("Enschede", 52.2215, 6.8937, 7511, "Overijssel"),
    City("Zwolle", 52.5168, 6.0830, 8011, "Overijssel"),
    City("Maastricht", 50.8514, 5.6910, 6211, "Limburg"),
    City("Leeuwarden", 53.2012, 5.7999, 8911, "Friesland"),
    City("Middelburg", 51.4988, 3.6109, 4331, "Zeeland"),
    City("Assen", 52.9925, 6.5649, 9401, "Drenthe"),
)
STREETS = (
    "Stationsplein",
    "Marktstraat",
    "Kerkweg",
    "Havenstraat",
    "Molenlaan",
    "Julianalaan",
    "Industrieweg",
    "Parkweg",
    "Singel",
    "Beatrixstraat",
)
SITES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("P+R", "PARKING_LOT", ("BUS_STOP", "CARPOOL_PARKING")),
    ("Garage", "PARKING_GARAGE", ("MALL", "WIFI")),
    ("Straat", "ON_STREET", ("CAFE",)),
    ("Snellaadplein", "ALONG_MOTORWAY", ("FUEL_STATION", "RESTAURANT", "WIFI")),
    ("Hotel", "PARKING_LOT", ("HOTEL", "RESTAURANT")),
    ("Station", "PARKING_LOT", ("TRAIN_STATION", "BIKE_SHARING")),
)
STANDARD_AC: Mapping[str, object] = {
    "standard": "IEC_62196_T2",
    "format": "SOCKET",
    "power_type": "AC_3_PHASE",
    "max_voltage": 230,
    "max_amperage": 32,
    "max_electric_power": 22000,
}
STANDARD_DC: Mapping[str, object] = {
    "standard": "IEC_62196_T2_COMBO",
    "format": "CABLE",
    "power_type": "DC",
    "max_voltage": 920,
    "max_amperage": 400,
    "max_electric_power": 150000,
}
CHADEMO: Mapping[str, object] = {
    "standard": "CHADEMO",
    "format": "CABLE",
    "power_type": "DC",
    "max_voltage": 500,
    "max_amperage": 120,
    "max_electric_power": 50000,
}
ALWAYS_OPEN: Json = {"twentyfourseven": True}
SHOP_HOURS: Json = {
    "twentyfourseven": False,
    "regular_hours": [
        {"weekday": weekday, "period_begin": "07:00", "period_end": "22:00"}
        for weekday in range(1, 8)
    ],
}
ENERGY_MIX: Json = {
    "is_green_energy": True,
    "energy_sources": [
        {"source": "WIND", "percentage": 70},
        {"source": "SOLAR", "percentage": 30},
    ],
    "supplier_name": "Noordzeewind",
}


def location(index: int, party: PartyRef, evses: int = 3, *, seed: int = 1) -> Json:
    """Make the location with this number, L1 being the first, as its owner would PUT it."""
    chance = Random(f"{seed}/{party}/{index}")  # noqa: S311 - nothing here is secret
    city = chance.choice(CITIES)
    kind, parking_type, facilities = chance.choice(SITES)
    street, number = chance.choice(STREETS), chance.randint(1, 180)
    updated = format_datetime(OPENED + timedelta(minutes=index))
    fast = parking_type == "ALONG_MOTORWAY" or _one_in(5, chance)
    return {
        "country_code": party.country_code,
        "party_id": party.party_id,
        "id": f"L{index}",
        "publish": True,
        "name": f"{kind} {street} {city.name}",
        "address": f"{street} {number}",
        "city": city.name,
        "postal_code": f"{city.postal_code} {chance.choice('ABCDEGHJK')}{chance.choice('ABCDEX')}",
        "state": city.state,
        "country": "NLD",
        "coordinates": _around(city, chance),
        "parking_type": parking_type,
        "evses": [_evse(party, (index, each), updated, fast=fast) for each in range(1, evses + 1)],
        "operator": {"name": f"Charging {party}", "website": "https://charging.example"},
        "facilities": list(facilities),
        "time_zone": "Europe/Amsterdam",
        "opening_times": ALWAYS_OPEN if fast or _one_in(2, chance) else SHOP_HOURS,
        "charging_when_closed": _one_in(2, chance),
        "energy_mix": ENERGY_MIX,
        "last_updated": updated,
    }


def _one_in(number: int, chance: Random) -> bool:
    return chance.randrange(number) == 0


def _around(city: City, chance: Random) -> Json:
    """Choose a spot within some two kilometres of the centre."""
    return {
        "latitude": f"{city.latitude + chance.uniform(-0.018, 0.018):.6f}",
        "longitude": f"{city.longitude + chance.uniform(-0.03, 0.03):.6f}",
    }


def _evse(party: PartyRef, numbers: tuple[int, int], updated: str, *, fast: bool) -> Json:
    index, each = numbers
    plugs = [STANDARD_DC if fast else STANDARD_AC]
    if fast and each % 2:
        plugs.append(CHADEMO)
    return {
        "uid": f"E{each}",
        "evse_id": f"{party.country_code}*{party.party_id}*E{index:05}*{each}",
        "status": "AVAILABLE",
        "capabilities": ["RFID_READER", "REMOTE_START_STOP_CAPABLE", "RESERVABLE"],
        "connectors": [
            {
                "id": str(position),
                **plug,
                "tariff_ids": ["DC" if fast else "AC"],
                "last_updated": updated,
            }
            for position, plug in enumerate(plugs, start=1)
        ],
        "floor_level": "0",
        "physical_reference": str(each),
        "last_updated": updated,
    }
