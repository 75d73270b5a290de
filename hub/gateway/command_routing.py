"""The receivers of commands and charging profiles that have no TO headers.

Spec: 2.2.1 mod_commands, mod_charging_profiles, transport and format (Open Routing Request); A-36,
A-105, A-110, A-112.
"""

from collections.abc import Collection, Mapping

import msgspec
from django.conf import settings

from hub.gateway import callbacks
from hub.gateway.callbacks import RequestSubject
from hub.gateway.message import Message
from hub.gateway.routes import Addressee, Destination, HubAnswer
from hub.module_policy import POLICIES
from hub.store import Viewer
from hub.store.reads import is_anothers, owners_of
from ocpi.errors import Finding, HubError, InvalidParameters, NotFound, UnknownReceiver
from ocpi.modules import EarlierAction, OwnerOf
from ocpi.types import InterfaceRole, ModuleID, PartyRef, fold
from ocpi.versions import kept_type
from parties import access, holders
from parties.holders import ref_of
from parties.role_pairs import role_pairs

# CommandResponse and ChargingProfileResponse have the same two members.
REJECTED = msgspec.json.encode({"result": "REJECTED", "timeout": 0})
_TOO_OFTEN = msgspec.json.encode({"result": "TOO_OFTEN", "timeout": 0})
_UNKNOWN_SESSION = msgspec.json.encode({"result": "UNKNOWN_SESSION", "timeout": 0})


def receiver_of(message: Message) -> Addressee | HubAnswer:
    """Return the party a message is for, or an answer that the hub can give itself.

    Raises `OcpiError` when it could be for several parties, or for none.
    """
    match message.resource.about:
        case OwnerOf(member, module):
            return _owner_of_object(message, module, _text_member(message, member))
        case EarlierAction(member, request):
            return _party_of_earlier(message, member, request)
    raise unroutable(message)


def unroutable(message: Message) -> HubError:
    """Return the error for a message whose receiver follows from neither headers nor content."""
    what = f"whom this is for cannot be told from a message about {message.module}"
    return HubError(f"{what}: set OCPI-to-country-code and OCPI-to-party-id")


def answer_about_others_session(message: Message, receiver: Destination) -> bytes | None:
    """Answer a request about a Session that is known to be another party's (S-11); else None.

    Raises `NotFound` where the specification has no result like UNKNOWN_SESSION.
    """
    session_id = _session_of(message)
    if session_id is None or not _is_anothers(message.holder, receiver.holder, session_id):
        return None
    if message.asks_for_results:
        return _UNKNOWN_SESSION
    text = f"the hub knows no Session {session_id!r} that {message.sender} may see"
    raise NotFound(text)


def _session_of(message: Message) -> str | None:
    """Return the id of the Session that a message to its CPO is about, if it is about one."""
    about = message.resource.about
    if not isinstance(about, OwnerOf) or about.module != ModuleID.SESSIONS:
        return None
    found = _member(message, about.member)
    return found if isinstance(found, str) else None


def _is_anothers(holder: str, owner: str, session_id: str) -> bool:
    sessions = POLICIES[ModuleID.SESSIONS]
    return is_anothers(sessions, owner, fold(session_id).replace("\x00", ""), party=holder)


def too_often_answer(message: Message, receiver: Destination) -> bytes | None:
    """Answer TOO_OFTEN for a CPO that accepted a profile of this session a moment ago (CP-15)."""
    if not settings.HUB_PROFILE_SECONDS or message.module != ModuleID.CHARGINGPROFILES:
        return None
    session_id = message.values["session_id"]
    lately = callbacks.accepted_lately(
        session_id, receiver=receiver.ref, platform_id=receiver.platform_id
    )
    return _TOO_OFTEN if lately else None


def check(message: Message) -> None:
    """Refuse a command for a driver who is not the sender's (CMD-15, A-112)."""
    body = message.resource.body
    if body is None or "token" not in body.model_fields:
        return
    token = message.content.get("token")
    said = token if isinstance(token, Mapping) else {}
    owner = PartyRef(str(said.get("country_code", "")), str(said.get("party_id", "")))
    if owner != message.sender:
        finding = Finding("token", f"is not one of {message.sender}'s, who sends this")
        raise InvalidParameters(findings=(finding,), data=REJECTED)


def _owner_of_object(message: Message, module: ModuleID, object_id: str) -> Addressee | HubAnswer:
    """Return the owner of the object that a message names, among those the sender may see."""
    found = _visible_owners(message, module, object_id)
    if not found and module == ModuleID.SESSIONS:
        return HubAnswer(_UNKNOWN_SESSION)
    kind = kept_type(module)
    if not found:
        text = f"the hub knows no {kind.name} {object_id!r} that {message.sender} may see"
        raise kind.unknown(text, data=_rejected(message))
    return _only_one(found, f"{kind.name} {object_id!r}")


def _party_of_earlier(message: Message, member: str, request: str) -> Addressee:
    """Return the other party of an earlier request: its receiver, or its sender."""
    said = _text_member(message, member)
    earlier = RequestSubject(message.module, request, said)
    asking = message.interface is InterfaceRole.RECEIVER
    return _asked_earlier(message, member, earlier) if asking else _asker(message, earlier)


def _asked_earlier(message: Message, member: str, earlier: RequestSubject) -> Addressee:
    """Return the receiver of the sender's own earlier request with this id (CMD-18)."""
    made = callbacks.receivers_asked(
        earlier, sender=message.sender, platform_id=message.platform_id
    )
    found = {Addressee(each.ref, platform_id=each.platform_id) for each in made}
    what = f"{member.removesuffix('_id')} {earlier.about!r}"
    if not found:
        text = f"the hub remembers no {what} of {message.sender}"
        raise InvalidParameters(findings=(Finding(member, text),), data=_rejected(message))
    return _only_one(found, what)


def _asker(message: Message, earlier: RequestSubject) -> Addressee:
    """Return the party whose profile for a session the sender, its CPO, accepted."""
    setter = callbacks.last_asker(earlier, receiver=message.sender, platform_id=message.platform_id)
    holder = holders.name(setter.ref, setter.platform_id) if setter else ""
    if setter is None or _is_anothers(holder, message.holder, earlier.about):
        text = f"nobody has set a charging profile for session {earlier.about!r}"
        raise UnknownReceiver(f"{text}: set OCPI-to-country-code and OCPI-to-party-id")
    return Addressee(setter.ref, platform_id=setter.platform_id)


def _member(message: Message, member: str) -> object:
    """Return a variable step of the path by its name, else a member of the body."""
    if member in message.values:
        return message.values[member]
    return message.content.get(member)


def _text_member(message: Message, name: str) -> str:
    found = _member(message, name)
    is_text = isinstance(found, str) and (name in message.values or found.isprintable())
    if not is_text:
        wrong = Finding(name, "is required, as a string of printable characters")
        raise InvalidParameters(findings=(wrong,), data=_rejected(message))
    return str(found)


def _rejected(message: Message) -> bytes | None:
    """Return the `data` of an error: the result REJECTED, where results are asked for."""
    return REJECTED if message.asks_for_results else None


def _visible_owners(message: Message, module: ModuleID, object_id: str) -> list[Addressee]:
    """Return the owners of objects of this id that the sender may see.

    A party that stands in for an owner is not found like this, it has to be named by TO headers.
    """
    owners = access.visible_owners(
        receiver=message.holder, module=module, roles=role_pairs(module), epoch=message.epoch
    )
    found = owners_of(POLICIES[module], Viewer(message.holder, owners), fold(object_id))
    return [Addressee(ref_of(holder), holder) for holder in found]


def _only_one(found: Collection[Addressee], what: str) -> Addressee:
    if len(found) > 1:
        several = " and ".join(sorted(str(each.ref) for each in found))
        text = f"{what} is ambiguous, it exists at {several}"
        raise InvalidParameters(f"{text}: set OCPI-to-country-code and OCPI-to-party-id")
    return next(iter(found))
