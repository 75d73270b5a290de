"""Locations as a CPO would send them, right in every field until a test changes one."""

from typing import Any

Json = dict[str, Any]


def connector(**changes: object) -> Json:
    """Build a Connector."""
    return {
        "id": "1",
        "standard": "IEC_62196_T2",
        "format": "SOCKET",
        "power_type": "AC_3_PHASE",
        "max_voltage": 230,
        "max_amperage": 16,
        "tariff_ids": ["T1"],
        "last_updated": "2026-11-21T05:32:00Z",
    } | changes


def evse(**changes: object) -> Json:
    """Build an EVSE with one Connector."""
    return {
        "uid": "3256",
        "evse_id": "NL*CPA*E041503001",
        "status": "AVAILABLE",
        "capabilities": ["RESERVABLE", "RFID_READER"],
        "connectors": [connector()],
        "floor_level": "-1",
        "last_updated": "2026-11-21T05:32:00Z",
    } | changes


def location(**changes: object) -> Json:
    """Build a Location with one EVSE."""
    return {
        "country_code": "NL",
        "party_id": "CPA",
        "id": "LOC1",
        "publish": True,
        "name": "Station Zuid",
        "address": "Stationsplein 1",
        "city": "Amsterdam",
        "country": "NLD",
        "coordinates": {"latitude": "52.339000", "longitude": "4.873000"},
        "evses": [evse()],
        "facilities": ["TRAIN_STATION"],
        "time_zone": "Europe/Amsterdam",
        "last_updated": "2026-11-21T05:32:00Z",
    } | changes
