"""Journeys: the messages of one exchange; and the keys by which the log has an object."""

from hub.masking.personal import mask_value
from hub.message_log.sql import BODIES
from hub.models import Exchange
from ocpi.types import fold

MOST_OF_A_JOURNEY = 500
"""Messages that are shown of one correlation id: the newest."""


def journey(correlation_id: str, *, most_with_bodies: int = 0) -> list[Exchange]:
    """Return the messages with a correlation id, oldest first.

    Their bodies are read too if there are no more than `most_with_bodies` of them.
    """
    if not correlation_id:
        return []  # requests of strangers have none
    found = Exchange.objects.filter(correlation_id=correlation_id).order_by("-at", "-id")
    rows = list(found.defer(*BODIES)[:MOST_OF_A_JOURNEY])[::-1]
    if 0 < len(rows) <= most_with_bodies:
        return list(found[: len(rows)])[::-1]
    return rows


def keys(object_id: str) -> set[str]:
    """Return the keys that an object with this id may have in the log: as it is, or masked."""
    is_masked = object_id.startswith("\N{HORIZONTAL ELLIPSIS}")
    return {fold(object_id)} if is_masked else {fold(object_id), fold(mask_value(object_id))}
