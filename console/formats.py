"""Energy, cost and duration as people read them; the exact figures are in the object's text.

Spec: 2.2.1 mod_sessions, mod_cdrs; types, Price class.
"""

from hub.models.charging import Charged

_NONE = "-"


def energy(row: Charged) -> str:
    """Show the energy charged."""
    return _NONE if row.kwh is None else f"{row.kwh:,.3f} kWh"


def price(row: Charged) -> str:
    """Show the cost without VAT."""
    return _NONE if row.cost is None else f"{row.cost:,.2f} {row.currency}"


def price_per_kwh(row: Charged) -> str:
    """Show the average cost of a kWh."""
    if row.cost is None or not row.kwh:
        return _NONE
    return f"{row.cost / row.kwh:,.4f} {row.currency} per kWh"


def duration(row: Charged) -> str:
    """Show how long it took."""
    if row.started_at is None or row.ended_at is None:
        return _NONE
    minutes = int((row.ended_at - row.started_at).total_seconds() // 60)
    return f"{minutes // 60} h {minutes % 60:02} min"
