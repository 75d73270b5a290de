"""For whom a command or a charging profile is when its address does not say.

Spec: 2.2.1 mod_commands, mod_charging_profiles, transport and format (Open Routing Request); A-36,
A-105, A-110, A-112.
"""

from collections.abc import Callable, Collection, Mapping

import msgspec
from django.conf import settings

from hub.gateway import callbacks
from hub.gateway.message import Message
from hub.gateway.routes import Destination, Known, Meant
from hub.policy import POLICIES
from hub.store import Viewer
from hub.store.reads import is_anothers, owners_of
from ocpi.errors import Finding, InvalidParameters, NotFound, UnknownLocation, UnknownReceiver
from ocpi.types import InterfaceRole, ModuleID, PartyRef, fold
from parties import access, holders
from parties.holders import ref_of
from parties.role_pairs import ROLE_PAIRS

REJECTED = msgspec.json.encode({"result": "REJECTED", "timeout": 0})
_TOO_OFTEN = msgspec.json.encode({"result": "TOO_OFTEN", "timeout": 0})
_UNKNOWN_SESSION = msgspec.json.encode({"result": "UNKNOWN_SESSION", "timeout": 0})
_WITH_TOKEN = frozenset({"START_SESSION", "RESERVE_NOW"})


def receiver_of(message: Message) -> Meant | Known:
    """Return the party a message is for, or what the hub can answer itself.

    Raises `OcpiError` when several parties could be meant, or nobody is.
    """
    if message.module is ModuleID.CHARGINGPROFILES:
        return _of_profile(message)
    value = message.content
    return _OF_COMMAND[message.resource.path[0]](message, value)


def answer_for_another(message: Message, receiver: Destination) -> bytes | None:
    """Answer who names a Session that the hub knows to be for somebody else (S-11).

    Raises `OcpiError` where the specification has no word for it.
    """
    session_id = _session_of(message)
    if session_id is None or not _is_anothers(message.holder, receiver.holder, session_id):
        return None
    if message.module is not ModuleID.SESSIONS:
        return _UNKNOWN_SESSION
    text = f"the hub knows no Session {session_id!r} that {message.sender} may see"
    raise NotFound(text)


def _session_of(message: Message) -> str | None:
    """Return the id of the CPO's Session that a message to the CPO is about."""
    identifier, calls_cpo = message.module, message.interface is InterfaceRole.RECEIVER
    if identifier is ModuleID.SESSIONS:
        return None if calls_cpo or message.is_list else message.ids[0]
    if identifier is ModuleID.CHARGINGPROFILES:
        return message.values["session_id"] if calls_cpo else None
    if identifier is not ModuleID.COMMANDS or message.resource.path != ("STOP_SESSION",):
        return None
    found = message.content.get("session_id")
    return found if isinstance(found, str) else None


def _is_anothers(holder: str, owner: str, session_id: str) -> bool:
    sessions = POLICIES[ModuleID.SESSIONS]
    return is_anothers(sessions, owner, fold(session_id).replace("\x00", ""), party=holder)


def too_often(message: Message, receiver: Destination) -> bytes | None:
    """Answer for a CPO that is to be spared: as often as configured, and no more (CP-15)."""
    if not settings.HUB_PROFILE_SECONDS or message.module is ModuleID.COMMANDS:
        return None
    session_id = message.values["session_id"]
    lately = callbacks.asked_lately(
        session_id, receiver=receiver.ref, platform_id=receiver.platform_id
    )
    return _TOO_OFTEN if lately else None


def check(message: Message) -> None:
    """Refuse a command for a driver who is not the sender's (CMD-15, A-112)."""
    is_command = message.module is ModuleID.COMMANDS
    if not is_command or not _WITH_TOKEN & set(message.resource.path):
        return
    token = message.content.get("token")
    said = token if isinstance(token, Mapping) else {}
    owner = PartyRef(str(said.get("country_code", "")), str(said.get("party_id", "")))
    if owner != message.sender:
        finding = Finding("token", f"is not one of {message.sender}'s, who sends this")
        raise InvalidParameters(findings=(finding,), data=REJECTED)


def _of_profile(message: Message) -> Meant | Known:
    session_id = message.values["session_id"]
    if message.interface is InterfaceRole.RECEIVER:
        return _at_session(message, session_id)
    setter = callbacks.setter_of_profile(
        session_id, receiver=message.sender, platform_id=message.platform_id
    )
    holder = holders.name(setter.ref, setter.platform_id) if setter else ""
    if setter is None or _is_anothers(holder, message.holder, session_id):
        text = f"nobody has set a charging profile for session {session_id!r}"
        raise UnknownReceiver(f"{text}: set OCPI-to-country-code and OCPI-to-party-id")
    return Meant(setter.ref, platform_id=setter.platform_id)


def _by_location(message: Message, value: Mapping[str, object]) -> Meant:
    location_id = _member(value, "location_id")
    found = _owners(message, ModuleID.LOCATIONS, location_id)
    if not found:
        text = f"the hub knows no Location {location_id!r} that {message.sender} may see"
        raise UnknownLocation(text, data=REJECTED)
    return _only(found, f"Location {location_id!r}")


def _by_session(message: Message, value: Mapping[str, object]) -> Meant | Known:
    return _at_session(message, _member(value, "session_id"))


def _by_reservation(message: Message, value: Mapping[str, object]) -> Meant:
    """Return where the sender made a reservation of this id: others' ids are theirs (CMD-18)."""
    reservation_id = _member(value, "reservation_id")
    made = callbacks.reserved_at(
        reservation_id, sender=message.sender, platform_id=message.platform_id
    )
    found = {Meant(each.ref, platform_id=each.platform_id) for each in made}
    if not found:
        text = f"the hub remembers no reservation {reservation_id!r} of {message.sender}"
        raise InvalidParameters(findings=(Finding("reservation_id", text),), data=REJECTED)
    return _only(found, f"reservation {reservation_id!r}")


def _at_session(message: Message, session_id: str) -> Meant | Known:
    found = _owners(message, ModuleID.SESSIONS, session_id)
    return _only(found, f"Session {session_id!r}") if found else Known(_UNKNOWN_SESSION)


_OF_COMMAND: Mapping[str, Callable[[Message, Mapping[str, object]], Meant | Known]] = {
    "START_SESSION": _by_location,
    "RESERVE_NOW": _by_location,
    "UNLOCK_CONNECTOR": _by_location,
    "STOP_SESSION": _by_session,
    "CANCEL_RESERVATION": _by_reservation,
}


def _member(value: Mapping[str, object], name: str) -> str:
    found = value.get(name)
    if not isinstance(found, str) or not found.isprintable():
        wrong = Finding(name, "is required, as a string of printable characters")
        raise InvalidParameters(findings=(wrong,), data=REJECTED)
    return found


def _owners(message: Message, module: ModuleID, object_id: str) -> list[Meant]:
    """Return whose objects of this id the sender may see; who stands in for them is named in TO."""
    owners = access.visible_owners(receiver=message.holder, module=module, roles=ROLE_PAIRS[module])
    found = owners_of(POLICIES[module], Viewer(message.holder, owners), fold(object_id))
    return [Meant(ref_of(holder), holder) for holder in found]


def _only(found: Collection[Meant], what: str) -> Meant:
    if len(found) > 1:
        several = " and ".join(sorted(str(each.ref) for each in found))
        text = f"{what} is ambiguous, it exists at {several}"
        raise InvalidParameters(f"{text}: set OCPI-to-country-code and OCPI-to-party-id")
    return next(iter(found))
