"""Open routing: the receiver of a message, found from what the message is about.

Spec: 2.2.1 transport and format, Open Routing Request; A-35, A-36 of the ambiguities.
"""

from django.conf import settings

from hub.gateway import broadcast, command_routing
from hub.gateway.message import Message
from hub.gateway.routes import Addressee, AskAll, Decided, HubAnswer, Kept
from hub.gateway.routing import Directory, decide_for
from hub.module_policy import POLICIES
from hub.store import Viewer
from hub.store.reads import owners_of
from ocpi.errors import InvalidParameters, UnknownToken
from ocpi.types import InterfaceRole
from parties import access
from parties.holders import ref_of


def decide(message: Message, directory: Directory) -> Decided:
    """Decide where an `Open` message goes: its receiver follows from its path or its body."""
    try:
        found = _recipient_of(message)
    except UnknownToken:
        if message.resource.real_time and settings.HUB_AUTHORIZE_UNKNOWN == "ask":
            return AskAll()
        raise
    return found if isinstance(found, HubAnswer) else decide_for(found, message, directory)


def _recipient_of(message: Message) -> Addressee | HubAnswer:
    """Return the addressee of an `Open` message, or an answer that the hub can give itself."""
    if message.kept is Kept.NOTHING:
        return command_routing.receiver_of(message)
    if message.interface is InterfaceRole.RECEIVER:
        return broadcast.addressee_of(message)
    holder = owner(message)
    return Addressee(ref_of(holder), holder)


def viewer(message: Message) -> Viewer:
    """Return the sender with the owners whose objects it may see."""
    owners = access.visible_owners(
        receiver=message.holder, module=message.module, epoch=message.epoch
    )
    return Viewer(message.holder, owners, strict=message.quirks.strict_receiver)


def owner(message: Message) -> str:
    """Return the owner of the object that an id names, among those the sender may see.

    Ids are unique per owner only: with several owners, the sender has to name one (LOC-16).
    """
    kind = message.kind
    if kind is None or message.kept is Kept.NOTHING or not message.ids:
        raise command_routing.unroutable(message)
    object_id = message.ids[0]
    found = owners_of(POLICIES[message.module], viewer(message), message.key)
    if not found:
        text = f"the hub knows no {kind.name} {object_id!r} that {message.sender} may see"
        raise kind.unknown(text, http_status=404)
    if len(found) > 1:
        owners = " and ".join(str(ref_of(each)) for each in found)
        text = f"{kind.name} {object_id!r} is ambiguous, it exists at {owners}"
        raise InvalidParameters(f"{text}: set OCPI-to-country-code and OCPI-to-party-id")
    return found[0]
