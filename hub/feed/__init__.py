"""The feed: what changed, in an order that never changes afterwards, as far as it is final.

Changes are ordered by (`transaction`, `seq`) and read only below the oldest running transaction:
everything there is committed or gone for good, so a position once passed stays complete however
late another transaction commits. The store takes an object's lock before its transaction number,
which makes this order each object's own order too.
"""

from hub.feed.changes import (
    END_OF_TRANSACTION,
    Batch,
    FedChange,
    Position,
    Selection,
    is_pending,
    read,
)
from hub.feed.sql import HORIZON

__all__ = [
    "END_OF_TRANSACTION",
    "HORIZON",
    "Batch",
    "FedChange",
    "Position",
    "Selection",
    "is_pending",
    "read",
]
