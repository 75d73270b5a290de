"""What a simulated CPO asks for charging: one tariff for slow and one for fast charging.

Spec: 2.2.1 mod_tariffs. Prices change on the full hour only, so that periods can be cut there.
"""

from typing import Any

from ocpi.types import PartyRef

Json = dict[str, Any]
VAT = 21
OUTDATED = "AC-2025"
"""The tariff that is withdrawn while the demo runs; nobody charges by it."""

_AC = (
    {
        "price_components": [
            {"type": "FLAT", "price": 0.5, "vat": VAT, "step_size": 1},
            {"type": "ENERGY", "price": 0.35, "vat": VAT, "step_size": 1},
        ]
    },
    {
        "price_components": [{"type": "PARKING_TIME", "price": 1.5, "vat": VAT, "step_size": 300}],
        "restrictions": {"start_time": "08:00", "end_time": "22:00"},
    },
)
_DC = (
    {
        "price_components": [{"type": "ENERGY", "price": 0.69, "vat": VAT, "step_size": 100}],
        "restrictions": {"start_time": "07:00", "end_time": "20:00"},
    },
    {
        "price_components": [
            {"type": "ENERGY", "price": 0.59, "vat": VAT, "step_size": 100},
            {"type": "TIME", "price": 1.2, "vat": VAT, "step_size": 60},
            {"type": "PARKING_TIME", "price": 6, "step_size": 60},
        ]
    },
)
_OLD = ({"price_components": [{"type": "ENERGY", "price": 0.31, "vat": VAT, "step_size": 1}]},)


def tariffs(party: PartyRef, updated: str) -> list[Json]:
    """Make every tariff of a CPO, the outdated one included."""
    return [
        {
            "country_code": party.country_code,
            "party_id": party.party_id,
            "id": identifier,
            "currency": "EUR",
            "type": "REGULAR",
            "tariff_alt_text": [{"language": "en", "text": text}],
            "elements": list(elements),
            "last_updated": updated,
        }
        for identifier, text, elements in (
            ("AC", "0.50 to start, 0.35 per kWh, 1.50 per hour of parking by day", _AC),
            ("DC", "0.69 per kWh by day, 0.59 and 1.20 per hour by night", _DC),
            (OUTDATED, "0.31 per kWh", _OLD),
        )
    ]
