"""For whom a command or a charging profile is when its address does not say.

Spec: 2.2.1 mod_commands, mod_charging_profiles, transport and format (Open Routing Request); A-36,
A-105, A-110, A-112.
"""

from collections.abc import Callable, Collection, Mapping

import orjson
from django.conf import settings

from hub import callbacks
from hub.messages import Message
from hub.policy import POLICIES
from hub.routing import Known
from hub.store import Viewer
from hub.store.reading import owners_of
from ocpi.errors import Finding, InvalidParameters, UnknownLocation, UnknownReceiver
from ocpi.types import InterfaceRole, ModuleID, PartyRef, fold
from ocpi.validation import decode_object
from parties import access

REJECTED = orjson.dumps({"result": "REJECTED", "timeout": 0})
_TOO_OFTEN = orjson.dumps({"result": "TOO_OFTEN", "timeout": 0})
_UNKNOWN_SESSION = orjson.dumps({"result": "UNKNOWN_SESSION", "timeout": 0})
_WITH_TOKEN = frozenset({"START_SESSION", "RESERVE_NOW"})


def receiver_of(message: Message) -> PartyRef | Known:
    """Return the party a message is for, or what the hub can answer itself.

    Raises `OcpiError` when several parties could be meant, or nobody is.
    """
    if message.module.identifier is ModuleID.CHARGINGPROFILES:
        return _of_profile(message)
    value = decode_object(message.body)
    return _OF_COMMAND[message.match.resource.path[0]](message, value)


def too_often(message: Message, receiver: PartyRef) -> Known | None:
    """Answer for a CPO that is to be spared: as often as configured, and no more (CP-15)."""
    if not settings.HUB_PROFILE_SECONDS or message.module.identifier is ModuleID.COMMANDS:
        return None
    session_id = message.match.values["session_id"]
    return Known(_TOO_OFTEN) if callbacks.asked_lately(session_id, receiver=receiver) else None


def check(message: Message) -> None:
    """Refuse a command for a driver who is not the sender's (CMD-15, A-112)."""
    is_command = message.module.identifier is ModuleID.COMMANDS
    if not is_command or not _WITH_TOKEN & set(message.match.resource.path):
        return
    token = decode_object(message.body).get("token")
    said = token if isinstance(token, Mapping) else {}
    owner = PartyRef(str(said.get("country_code", "")), str(said.get("party_id", "")))
    if owner != message.sender:
        finding = Finding("token", f"is not one of {message.sender}'s, who sends this")
        raise InvalidParameters(findings=(finding,), data=REJECTED)


def _of_profile(message: Message) -> PartyRef | Known:
    session_id = message.match.values["session_id"]
    if message.interface is InterfaceRole.RECEIVER:
        return _at_session(message, session_id)
    setter = callbacks.setter_of_profile(session_id, receiver=message.sender)
    if setter is None:
        raise UnknownReceiver(f"nobody has set a charging profile for session {session_id!r}")
    return setter


def _by_location(message: Message, value: Mapping[str, object]) -> PartyRef:
    location_id = _member(value, "location_id")
    found = _owners(message, ModuleID.LOCATIONS, location_id)
    if not found:
        text = f"the hub knows no Location {location_id!r} that {message.sender} may see"
        raise UnknownLocation(text, data=REJECTED)
    return _only(found, f"Location {location_id!r}")


def _by_session(message: Message, value: Mapping[str, object]) -> PartyRef | Known:
    return _at_session(message, _member(value, "session_id"))


def _by_reservation(message: Message, value: Mapping[str, object]) -> PartyRef:
    """Return where the sender made a reservation of this id: others' ids are theirs (CMD-18)."""
    reservation_id = _member(value, "reservation_id")
    found = callbacks.reserved_at(reservation_id, sender=message.sender)
    if not found:
        text = f"the hub remembers no reservation {reservation_id!r} of {message.sender}"
        raise InvalidParameters(findings=(Finding("reservation_id", text),), data=REJECTED)
    return _only(found, f"reservation {reservation_id!r}")


def _at_session(message: Message, session_id: str) -> PartyRef | Known:
    found = _owners(message, ModuleID.SESSIONS, session_id)
    return _only(found, f"Session {session_id!r}") if found else Known(_UNKNOWN_SESSION)


_OF_COMMAND: Mapping[str, Callable[[Message, Mapping[str, object]], PartyRef | Known]] = {
    "START_SESSION": _by_location,
    "RESERVE_NOW": _by_location,
    "UNLOCK_CONNECTOR": _by_location,
    "STOP_SESSION": _by_session,
    "CANCEL_RESERVATION": _by_reservation,
}


def _member(value: Mapping[str, object], name: str) -> str:
    found = value.get(name)
    if not isinstance(found, str) or not found.isprintable():
        raise InvalidParameters(findings=(Finding(name, "is required"),), data=REJECTED)
    return found


def _owners(message: Message, module: ModuleID, object_id: str) -> list[PartyRef]:
    """Return whose objects of this id the sender may see."""
    owners = access.visible_owners(receiver=message.sender, module=module)
    return owners_of(POLICIES[module], Viewer(message.sender, owners), fold(object_id))


def _only(found: Collection[PartyRef], what: str) -> PartyRef:
    if len(found) > 1:
        several = " and ".join(map(str, sorted(found)))
        text = f"{what} is ambiguous, it exists at {several}"
        raise InvalidParameters(f"{text}: set OCPI-to-country-code and OCPI-to-party-id")
    return next(iter(found))
