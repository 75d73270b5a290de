"""Journeys as the log has them, and the ids that objects go by there."""

from hub.masking.personal import mask_value
from hub.message_log.sql import BODIES
from hub.models import Exchange
from ocpi.types import fold

MOST_OF_A_JOURNEY = 500


def journey(correlation_id: str, *, bodies: int = 0) -> list[Exchange]:
    """Return what belongs to a correlation id, in the order in which it began.

    With the bodies, unless there are more than so many. What strangers send belongs to nothing.
    """
    if not correlation_id:
        return []
    found = Exchange.objects.filter(correlation_id=correlation_id).order_by("-at", "-id")
    rows = list(found.defer(*BODIES)[:MOST_OF_A_JOURNEY])[::-1]
    if 0 < len(rows) <= bodies:
        return list(found[: len(rows)])[::-1]
    return rows


def keys(object_id: str) -> set[str]:
    """Return how an id may stand in the log: a token's is masked there, if it is not already."""
    is_masked = object_id.startswith("\N{HORIZONTAL ELLIPSIS}")
    return {fold(object_id)} if is_masked else {fold(object_id), fold(mask_value(object_id))}
