"""Locations that are stored and followed at once, as beat has it done every second."""

from typing import Any

from hub.statistics import follower
from tests.hub.store import stored_locations


def put(number: int, statuses: tuple[str, ...] = ("AVAILABLE", "CHARGING"), **changes: Any) -> None:
    """Store a Location with an EVSE for each status, and let the figures follow."""
    stored_locations.put(number, statuses, **changes)
    follower.follow(seconds=60)


def send(method: str, body: dict[str, Any], *ids: str) -> None:
    """Store a message about a Location or a part of one, and let the figures follow."""
    stored_locations.send(method, body, *ids)
    follower.follow(seconds=60)
