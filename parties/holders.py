"""Holders: parties at their platforms, by the names under which the hub files what is theirs.

A-30. `DE-MSA` is the holder that had this key first, `DE-MSA@17` the same key at platform 17. The
store and access use these names; on the wire a party is its key alone.
"""

from database import sql
from ocpi.types import PartyRef
from parties.models import Holder
from parties.sql import HOLDER_NAME

_KEY_LENGTH = len("DE-MSA")
HolderName = PartyRef | str
"""A holder's name; a `PartyRef` means the holder that is filed under its key alone."""


def ref_of(holder: str) -> PartyRef:
    """Return the party in a holder's name."""
    return PartyRef.parse(holder[:_KEY_LENGTH])


def name(ref: PartyRef, platform_id: int) -> str:
    """Return a party's name at a platform; one that has none gets one."""
    [(found,)] = sql.rows(HOLDER_NAME, {"key": str(ref), "platform": platform_id})
    return str(found)


def names(ref: PartyRef) -> list[str]:
    """Return all names of a party, for operators: they see what each of its holders has."""
    known = Holder.objects.filter(key=str(ref)).order_by("pk").values_list("name", flat=True)
    return list(known) or [str(ref)]
