"""In which time zone a session took place.

Specification: mod_tariffs, TariffRestrictions: times and dates are local to the Location. A CDR of
2.2 and later does not name the zone.
"""

from datetime import tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo

from rating.cdr import Cdr

_ONLY_ZONES = """
ALB Tirane AND Andorra AUT Vienna BEL Brussels BGR Sofia BIH Sarajevo BLR Minsk CHE Zurich
CZE Prague DNK Copenhagen EST Tallinn FIN Helsinki FRA Paris GBR London GGY Guernsey GIB Gibraltar
GRC Athens HRV Zagreb HUN Budapest IMN Isle_of_Man IRL Dublin ITA Rome JEY Jersey LIE Vaduz
LTU Vilnius LUX Luxembourg LVA Riga MCO Monaco MDA Chisinau MKD Skopje MLT Malta MNE Podgorica
NLD Amsterdam NOR Oslo POL Warsaw ROU Bucharest SMR San_Marino SRB Belgrade SVK Bratislava
SVN Ljubljana SWE Stockholm TUR Istanbul VAT Vatican XKX Belgrade
"""
_ELSEWHERE = {
    "ARE": "Asia/Dubai",
    "COL": "America/Bogota",
    "DEU": "Europe/Berlin",
    "GEO": "Asia/Tbilisi",
    "IND": "Asia/Kolkata",
    "ISL": "Atlantic/Reykjavik",
    "ISR": "Asia/Jerusalem",
    "JPN": "Asia/Tokyo",
    "KOR": "Asia/Seoul",
    "QAT": "Asia/Qatar",
    "SAU": "Asia/Riyadh",
    "SGP": "Asia/Singapore",
    "THA": "Asia/Bangkok",
    "TWN": "Asia/Taipei",
    "VNM": "Asia/Ho_Chi_Minh",
    "ZAF": "Africa/Johannesburg",
}
"""Germany has a second zone, Büsingen's, whose clocks have shown Berlin's time since 1980."""


def _only_zones() -> dict[str, str]:
    words = _ONLY_ZONES.split()
    pairs = zip(words[::2], words[1::2], strict=True)
    return {country: f"Europe/{city}" for country, city in pairs} | _ELSEWHERE


ONLY_ZONE = _only_zones()
"""Countries (ISO 3166-1 alpha-3) whose clocks all show the same."""


class Zone(NamedTuple):
    """A time zone, and who named it: `cdr`, `location`, `evse` or `country`."""

    name: str
    source: str
    clock: tzinfo


def zone_of(cdr: Cdr, location: str | None, evse: str | None) -> Zone | None:
    """Find the zone: the CDR's own, the stored Location's, that of its EVSE, the country's."""
    named = (
        ("cdr", cdr.time_zone),
        ("location", location),
        ("evse", evse),
        ("country", ONLY_ZONE.get(cdr.country)),
    )
    found = (_zone(name, source) for source, name in named if name)
    return next((zone for zone in found if zone is not None), None)


def _zone(name: object, source: str) -> Zone | None:
    try:
        return Zone(str(name), source, ZoneInfo(str(name)))
    except (KeyError, ValueError, OSError):
        return None
