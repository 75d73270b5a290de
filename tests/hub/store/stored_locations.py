"""Locations of NL-CPA, stored as its messages are, without HTTP."""

from typing import Any

from hub import store
from tests.cast import CPA, a_location
from tests.hub.store.write_requests import location_write


def send(method: str, body: dict[str, Any], *ids: str) -> None:
    """Store a message about a Location, or about a part of one."""
    store.apply(location_write(method, *ids, body=body))


def put(number: int, statuses: tuple[str, ...] = ("AVAILABLE", "CHARGING"), **changes: Any) -> None:
    """Store a Location with an EVSE for each status."""
    body = a_location(CPA, number, evses=len(statuses), **changes)
    for evse, status in zip(body.get("evses", []), statuses, strict=True):
        evse["status"] = status
    send("PUT", body, body["id"])
