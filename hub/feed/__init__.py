"""The feed: all changes, in an order that is final once they are read.

Changes are ordered by (`transaction`, `seq`) and read only below the oldest running transaction,
where everything is committed or rolled back: nothing can appear before a position that a reader has
passed. The store takes an object's lock before its transaction number, so that this order is each
object's own order too.
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
from hub.feed.shared_read import Reading
from hub.feed.sql import HORIZON
from hub.feed.together import read_all

__all__ = [
    "END_OF_TRANSACTION",
    "HORIZON",
    "Batch",
    "FedChange",
    "Position",
    "Reading",
    "Selection",
    "is_pending",
    "read",
    "read_all",
]
