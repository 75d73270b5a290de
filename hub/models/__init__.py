"""The hub's tables: stored objects, the feed, its delivery, pulls, the message log and figures."""

from hub.models.callbacks import Callback
from hub.models.charging import Cdr, Session, Tariff, Token
from hub.models.client_info import ClientInfo
from hub.models.delivery import DeadLetter, Receipt, Snapshot, Subscription
from hub.models.departed import Departed, KeptCdr
from hub.models.exchanges import Exchange
from hub.models.feed import Change
from hub.models.figures import Billed, Failure, Follower, Throttled, Traffic
from hub.models.locations import Evse, EvseChange, EvseStatus, Location, Spot, Unfed
from hub.models.post_in_flight import Posting
from hub.models.pull import Listed, Presence, PullState, Quarantined
from hub.models.stored import StoredObject, StoredPart

__all__ = [
    "Billed",
    "Callback",
    "Cdr",
    "Change",
    "ClientInfo",
    "DeadLetter",
    "Departed",
    "Evse",
    "EvseChange",
    "EvseStatus",
    "Exchange",
    "Failure",
    "Follower",
    "KeptCdr",
    "Listed",
    "Location",
    "Posting",
    "Presence",
    "PullState",
    "Quarantined",
    "Receipt",
    "Session",
    "Snapshot",
    "Spot",
    "StoredObject",
    "StoredPart",
    "Subscription",
    "Tariff",
    "Throttled",
    "Token",
    "Traffic",
    "Unfed",
]
