"""Objects as their owners would send them, right in every field until a test changes one."""

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


def a_tariff(**changes: object) -> Json:
    """Build a Tariff of the CPO."""
    return {
        "country_code": "NL",
        "party_id": "CPA",
        "id": "T1",
        "currency": "EUR",
        "type": "REGULAR",
        "elements": [
            {
                "price_components": [
                    {"type": "FLAT", "price": 0.5, "vat": 20.0, "step_size": 1},
                    {"type": "ENERGY", "price": 0.25, "vat": 10.0, "step_size": 1},
                ],
                "restrictions": {"day_of_week": ["MONDAY", "TUESDAY"], "max_power": 32.0},
            }
        ],
        "last_updated": "2026-11-21T05:32:00Z",
    } | changes


def a_token(**changes: object) -> Json:
    """Build an RFID Token of the eMSP."""
    return {
        "country_code": "DE",
        "party_id": "MSA",
        "uid": "TOKEN-1",
        "type": "RFID",
        "contract_id": "DE8MSACC12E46L89",
        "visual_number": "DF000-2001-8999-1",
        "issuer": "Mobility Service A",
        "valid": True,
        "whitelist": "ALWAYS",
        "language": "de",
        "last_updated": "2026-11-21T05:32:00Z",
    } | changes


def a_cdr_token(**changes: object) -> Json:
    """Build what a Session or CDR repeats of that Token."""
    return {
        "country_code": "DE",
        "party_id": "MSA",
        "uid": "TOKEN-1",
        "type": "RFID",
        "contract_id": "DE8MSACC12E46L89",
    } | changes


def a_charging_period(**changes: object) -> Json:
    """Build a period in which energy was charged."""
    return {
        "start_date_time": "2026-11-21T05:00:00Z",
        "dimensions": [{"type": "ENERGY", "volume": 15.342}, {"type": "TIME", "volume": 1.973}],
        "tariff_id": "T1",
    } | changes


def a_session(**changes: object) -> Json:
    """Build an active Session at the CPO with the Token of the eMSP."""
    return {
        "country_code": "NL",
        "party_id": "CPA",
        "id": "S1",
        "start_date_time": "2026-11-21T05:00:00Z",
        "kwh": 15.342,
        "cdr_token": a_cdr_token(),
        "auth_method": "WHITELIST",
        "location_id": "LOC1",
        "evse_uid": "3256",
        "connector_id": "1",
        "currency": "EUR",
        "charging_periods": [a_charging_period()],
        "total_cost": {"excl_vat": 4.34, "incl_vat": 4.82},
        "status": "ACTIVE",
        "last_updated": "2026-11-21T05:32:00Z",
    } | changes


def a_cdr_location(**changes: object) -> Json:
    """Build the Connector a CDR was charged at."""
    return {
        "id": "LOC1",
        "name": "Station Zuid",
        "address": "Stationsplein 1",
        "city": "Amsterdam",
        "postal_code": "1077XX",
        "country": "NLD",
        "coordinates": {"latitude": "52.339000", "longitude": "4.873000"},
        "evse_uid": "3256",
        "evse_id": "NL*CPA*E041503001",
        "connector_id": "1",
        "connector_standard": "IEC_62196_T2",
        "connector_format": "SOCKET",
        "connector_power_type": "AC_3_PHASE",
    } | changes


def a_cdr(**changes: object) -> Json:
    """Build the CDR of that Session when it has ended."""
    return {
        "country_code": "NL",
        "party_id": "CPA",
        "id": "C1",
        "start_date_time": "2026-11-21T05:00:00Z",
        "end_date_time": "2026-11-21T06:58:23Z",
        "session_id": "S1",
        "cdr_token": a_cdr_token(),
        "auth_method": "WHITELIST",
        "cdr_location": a_cdr_location(),
        "currency": "EUR",
        "tariffs": [a_tariff()],
        "charging_periods": [a_charging_period()],
        "total_cost": {"excl_vat": 4.34, "incl_vat": 4.82},
        "total_energy": 15.342,
        "total_time": 1.973,
        "last_updated": "2026-11-21T06:58:30Z",
    } | changes
