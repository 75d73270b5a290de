"""The hub's tables: what it keeps, what changed, and who has been told."""

from hub.models.delivery import DeadLetter, Snapshot, Subscription
from hub.models.feed import Change
from hub.models.stored import Evse, Location, StoredObject, StoredPart

__all__ = [
    "Change",
    "DeadLetter",
    "Evse",
    "Location",
    "Snapshot",
    "StoredObject",
    "StoredPart",
    "Subscription",
]
