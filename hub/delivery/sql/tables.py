"""The tables that delivery's statements name."""

# ruff: noqa: SLF001 - _meta is the documented way to a table's name

from hub.models import Change, DeadLetter, Follower, Receipt, Snapshot, Subscription
from parties.models import Endpoint, Party, Platform

SUBSCRIPTION = Subscription._meta.db_table
SNAPSHOT = Snapshot._meta.db_table
RECEIPT = Receipt._meta.db_table
DEAD_LETTER = DeadLetter._meta.db_table
CHANGE = Change._meta.db_table
FOLLOWER = Follower._meta.db_table
PARTY = Party._meta.db_table
PLATFORM = Platform._meta.db_table
ENDPOINT = Endpoint._meta.db_table
