"""Sessions to price: a CDR, its tariffs and periods, in as few words as a test needs.

Times of day are of Monday, 2 March 2026, in UTC, unless a date is given.
"""

import json
from typing import Any

from rating import CdrText, Place, Readings, StoredTariff, rate


def at(time: str) -> str:
    """Write `08:00` of that Monday, or `2026-03-29 00:30`, as OCPI does."""
    day, _, clock = time.rpartition(" ")
    return f"{day or '2026-03-02'}T{clock}{':00' if len(clock) == 5 else ''}Z"


def component(kind: str, price: Any, step_size: Any = 0, **members: Any) -> dict[str, Any]:
    """Return a PriceComponent, without steps unless a test asks for them."""
    return {"type": kind, "price": price, "step_size": step_size, **members}


def element(*components: dict[str, Any], **restrictions: Any) -> dict[str, Any]:
    """Return a TariffElement with its restrictions."""
    held = {"restrictions": restrictions} if restrictions else {}
    return {"price_components": list(components), **held}


def tariff(*elements: dict[str, Any], id: str = "T1", **members: Any) -> dict[str, Any]:  # noqa: A002  # OCPI's name
    """Return a Tariff of NL-CPA in EUR."""
    owned = {"country_code": "NL", "party_id": "CPA", "id": id, "currency": "EUR"}
    return {**owned, "elements": list(elements), **members}


def period(start: str, tariff_id: str | None = None, **volumes: Any) -> dict[str, Any]:
    """Return a ChargingPeriod with its dimensions."""
    dimensions = [{"type": kind, "volume": volume} for kind, volume in volumes.items()]
    named = {"tariff_id": tariff_id} if tariff_id else {}
    return {"start_date_time": at(start), "dimensions": dimensions, **named}


def cdr(
    tariffs: list[dict[str, Any]], *periods: dict[str, Any], end: str, **members: Any
) -> dict[str, Any]:
    """Return a CDR of NL-CPA that begins with its first period."""
    return {
        "country_code": "NL",
        "party_id": "CPA",
        "id": "CDR1",
        "start_date_time": periods[0]["start_date_time"],
        "end_date_time": at(end),
        "currency": "EUR",
        "tariffs": tariffs,
        "charging_periods": list(periods),
        **members,
    }


def hour(*elements: dict[str, Any], **volumes: Any) -> dict[str, Any]:
    """Return a CDR of one period from 08:00 to 09:00."""
    return cdr([tariff(*elements)], period("08:00", **volumes), end="09:00")


def rated(
    members: dict[str, Any],
    *,
    zone: str | None = "UTC",
    stored: tuple[StoredTariff, ...] = (),
    place: Place | None = None,
    **readings: str,
) -> dict[str, Any]:
    """Rate a CDR and return what would be stored."""
    text = CdrText(json.dumps(members))
    found = rate(text, stored, zone, place or Place(), Readings(**readings))
    return found.as_json()


def total(members: dict[str, Any], **asked: Any) -> str | None:
    """Rate a CDR and return its total without tax."""
    found = rated(members, **asked)
    assert "code" not in found, found["why"]
    amount: str | None = found["total"]["excl"]
    return amount


def code(members: dict[str, Any], **asked: Any) -> str:
    """Rate a CDR that has no price and return why; there is no total beside it."""
    found = rated(members, **asked)
    assert "total" not in found
    return str(found["code"])


def notes(members: dict[str, Any], **asked: Any) -> set[str]:
    """Rate a CDR and return the codes of its notes."""
    return {note["code"] for note in rated(members, **asked)["notes"]}


def used(members: dict[str, Any], kind: str, **asked: Any) -> list[tuple[int, str]]:
    """Rate a CDR and return the element and the volume of each line of a dimension."""
    lines = rated(members, **asked)["lines"]
    return [(line["element"], line["used"]) for line in lines if line["kind"] == kind]


def evening() -> dict[str, Any]:
    """Charge 12 minutes and park 20, the last 12 of them after 20:00 local, free of charge."""
    day = component("TIME", 2.4, 900), component("PARKING_TIME", 1.0, 900, vat=20)
    return cdr(
        [tariff(element(*day, start_time="17:00", end_time="20:00"), element(day[0]), id="22")],
        *(period("18:40", TIME=0.2), period("18:52", PARKING_TIME=0.3333)),
        end="19:12",
        total_cost={"excl_vat": 0.73},
    )


def stored_evening() -> tuple[CdrText, StoredTariff]:
    """Return the same session without its tariff, and the tariff as it is stored."""
    bare = evening() | {"tariffs": []}
    text = json.dumps(evening()["tariffs"][0])
    return CdrText(json.dumps(bare)), StoredTariff("22", "NL-CPA", text)
