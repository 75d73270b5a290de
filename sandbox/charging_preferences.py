"""The answer of a CPO to the preferences of a driver for a session.

Spec: 2.2.1 mod_sessions, set charging preferences: the answer's data is one bare word.
"""

from sandbox.object_store import ObjectStore, read_object
from sandbox.patch import unknown
from sandbox.recorder import Seen

_NEEDED = {
    "departure_time": "DEPARTURE_REQUIRED",
    "energy_need": "ENERGY_NEED_REQUIRED",
}
_PLANNED = ("CHEAP", "GREEN")
"""Profiles that need to know until when, and how much."""


def preferred(sessions: ObjectStore, identifier: str, seen: Seen) -> str:
    """Take preferences for a session; raises when it is unknown."""
    if sessions.find(identifier) is None:
        raise unknown(sessions.kind, identifier)
    preferences = read_object(seen.body)
    if preferences.get("profile_type") not in _PLANNED:
        return "ACCEPTED"
    missing = (word for member, word in _NEEDED.items() if preferences.get(member) is None)
    return next(missing, "ACCEPTED")
