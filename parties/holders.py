"""Holders: whose something is, as the hub files it. A party at one platform, by a name of its own.

A-30. `DE-MSA` is the holder that had this key first, `DE-MSA@17` the same key at platform 17. Names
are the store's and access's; on the wire a party is its key alone.
"""

from database import sql
from ocpi.types import PartyRef
from parties.models import Holder
from parties.sql import HOLDER_NAME

_KEY = 6
Named = PartyRef | str
"""A holder by its name; a party stands for the holder that is filed under its key alone."""


def ref_of(holder: str) -> PartyRef:
    """Return the party that a holder's name is about."""
    return PartyRef.parse(holder[:_KEY])


def name(ref: PartyRef, platform_id: int) -> str:
    """Return the name of a party at a platform; who has none gets one."""
    [(found,)] = sql.rows(HOLDER_NAME, {"key": str(ref), "platform": platform_id})
    return str(found)


def names(ref: PartyRef) -> list[str]:
    """Return all names of one party, for operators: they see what every holder has."""
    known = Holder.objects.filter(key=str(ref)).order_by("pk").values_list("name", flat=True)
    return list(known) or [str(ref)]
