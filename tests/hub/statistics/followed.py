"""Locations that are stored and followed at once, as beat has it done every second."""

import time
from typing import Any

from hub import feed
from hub.statistics import follower
from ocpi.types import ModuleID
from tests.hub.store import stored_locations

_LONGEST_SECONDS = 20


def catch_up() -> None:
    """Let the figures follow all that is stored, once no older transaction runs.

    Transactions of all databases of the server count, so those of tests that run beside this one.
    """
    end = time.monotonic() + _LONGEST_SECONDS
    while feed.is_pending(ModuleID.LOCATIONS) and time.monotonic() < end:
        time.sleep(0.01)
    follower.follow(seconds=60)


def put(number: int, statuses: tuple[str, ...] = ("AVAILABLE", "CHARGING"), **changes: Any) -> None:
    """Store a Location with an EVSE for each status, and let the figures follow."""
    stored_locations.put(number, statuses, **changes)
    catch_up()


def send(method: str, body: dict[str, Any], *ids: str) -> None:
    """Store a message about a Location or a part of one, and let the figures follow."""
    stored_locations.send(method, body, *ids)
    catch_up()
