"""Where a message goes, decided from its address alone: no HTTP, no queue, no database.

Spec: 2.2.1 transport and format, message routing headers; status codes, Hub errors; A-22 to A-36 of
the ambiguities.

    TO          interface   method                      route
    a party     either      any                         Direct, or Refused with the reason
    the hub     RECEIVER    PUT, PATCH, POST, DELETE    Broadcast
    the hub     either      GET                         Stored (of a list: GET-All)
    the hub     SENDER      any other                   Open: the hub owns nothing to act on
    nobody      RECEIVER    PUT, PATCH, POST, DELETE    Broadcast (A-35); personal data: Open (A-26)
    hub, nobody either      any, of what is not kept    Open: commands, charging profiles
    nobody      RECEIVER    GET                         Stored: what the hub itself received
    nobody      SENDER      GET of a list               Stored
    nobody      SENDER      any other                   Open

Why a party cannot be reached, the first that applies:

    nobody registered it, or may                        4001
    no role of it implements the interface              4000
    its platform is PLANNED, OFFLINE or SUSPENDED       4003
    its platform did not answer lately                  4003
    its platform asked for a pause (HTTP 429)           4000
    its platform offers no such endpoint                4000
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from ocpi.errors import (
    HubError,
    InvalidParameters,
    OcpiError,
    ReceiverNotConnected,
    UnknownReceiver,
)
from ocpi.types import InterfaceRole, ModuleID, PartyRef, Role
from parties.role_pairs import implements, stands_in


class Kept(StrEnum):
    """What the hub keeps of a module."""

    FOR_ALL = "for all"
    FOR_ONE = "for one"
    """Personal data: each object for one party."""
    NOTHING = "nothing"
    """Its messages are for one party, now."""


@dataclass(frozen=True, slots=True)
class Address:
    """What of a message decides its route."""

    method: str
    module: ModuleID
    interface: InterfaceRole
    to: PartyRef | None
    is_list: bool = False
    kept: Kept = Kept.FOR_ALL


@dataclass(frozen=True, slots=True)
class Destination:
    """A party the hub knows, and whether its platform can be spoken to.

    `endpoint` is the URL of the addressed interface at its platform, None when it offers none;
    `pause` the seconds for which the platform wants to be left alone; `silence` those for which the
    hub spares it and its requesters the wait, because so many messages in a row went `unanswered`.
    """

    ref: PartyRef
    role: Role
    platform_id: int
    connected: bool
    status: str
    endpoint: str | None
    pause: int = 0
    silence: int = 0
    unanswered: int = 0
    version: str = ""
    is_behind_hub: bool = False


class Directory(Protocol):
    """Who is known to the hub."""

    @property
    def hub(self) -> PartyRef:
        """The hub's own party."""

    def destinations(
        self, ref: PartyRef, module: ModuleID, interface: InterfaceRole
    ) -> Sequence[Destination]:
        """Return every role under which a party is registered."""


@dataclass(frozen=True, slots=True)
class Direct:
    """Forward to this party now, and bring its answer back."""

    destination: Destination


@dataclass(frozen=True, slots=True)
class Broadcast:
    """Store, acknowledge and deliver to every party that may have it."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Answer from what the hub keeps."""


@dataclass(frozen=True, slots=True)
class Open:
    """Find the receiver from what the message is about."""


@dataclass(frozen=True, slots=True)
class AskAll:
    """Ask everybody it could be for: a driver waits, and nobody here knows the token."""


@dataclass(frozen=True, slots=True)
class Known:
    """Answer this: the hub knows that nobody else does."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """Answer this error; the reason is part of it."""

    error: OcpiError


Route = Direct | Broadcast | Stored | Open | AskAll | Known | Refused


def decide(address: Address, directory: Directory) -> Route:
    """Decide where a message goes."""
    if address.to is not None and address.to != directory.hub:
        return decide_for(address.to, address, directory)
    receiving = address.interface is InterfaceRole.RECEIVER
    if address.kept is Kept.NOTHING:
        return Open()
    if address.method != "GET":
        is_open = address.to is None and address.kept is Kept.FOR_ONE
        return Broadcast() if receiving and not is_open else Open()
    if receiving or address.is_list or address.to is not None:
        return Stored()
    return Open()


def decide_for(to: PartyRef, address: Address, directory: Directory) -> Direct | Refused:
    """Choose the platform by the role that module and interface imply (TF-84, A-30)."""
    known = directory.destinations(to, address.module, address.interface)
    asked = f"the {address.interface} interface of {address.module}"
    if not known:
        why = "check OCPI-to-country-code and OCPI-to-party-id"
        return Refused(UnknownReceiver(f"this hub knows no party {to}: {why}"))
    fitting = _fitting(known, address)
    if not fitting:
        roles = " and ".join(sorted(one.role for one in known))
        return Refused(HubError(f"{to} is {roles}, which does not implement {asked}"))
    chosen = max(fitting, key=lambda one: (one.connected, one.endpoint is not None))
    refusal = objection(chosen, asked)
    return Refused(refusal) if refusal else Direct(chosen)


def _fitting(known: Sequence[Destination], address: Address) -> list[Destination]:
    """Return the roles that implement an interface; else those that stand in for them (CP-10)."""
    for applies in (implements, stands_in):
        found = [one for one in known if applies(one.role, address.module, address.interface)]
        if found:
            return found
    return []


def objection(chosen: Destination, asked: str) -> OcpiError | None:
    """Say why nothing can be sent to a party now."""
    if not chosen.connected:
        return ReceiverNotConnected(f"{chosen.ref} is {chosen.status}; nothing was sent")
    if chosen.silence:
        text = f"{chosen.ref} did not answer lately; nothing was sent"
        return ReceiverNotConnected(f"{text}, try again in {chosen.silence} s")
    if chosen.pause:
        return HubError(f"{chosen.ref} throttles requests: try again in {chosen.pause} s")
    if chosen.endpoint is None:
        return HubError(f"the platform of {chosen.ref} does not offer {asked}")
    return None


def sender_of(
    named: PartyRef | None,
    parties: Sequence[tuple[Role, PartyRef]],
    module: ModuleID,
    interface: InterfaceRole,
) -> PartyRef:
    """Return who speaks: the FROM party if it is the platform's, or the only one it can be.

    Raises `InvalidParameters` otherwise (TF-81, TF-82, A-33). Who calls an interface implements
    the opposite one.
    """
    refs = {ref for _, ref in parties}
    if named is not None:
        if named not in refs:
            raise InvalidParameters(f"OCPI-from: {named} is no party of this platform; {_of(refs)}")
        return named
    opposite = _OPPOSITE[interface]
    typical = {ref for role, ref in parties if implements(role, module, opposite)}
    candidates = typical or {ref for role, ref in parties if stands_in(role, module, opposite)}
    candidates = candidates or refs
    if len(candidates) != 1:
        why = f"say which of your parties speaks; {_of(candidates)}"
        raise InvalidParameters(f"OCPI-from-country-code and OCPI-from-party-id: {why}")
    return candidates.pop()


def _of(refs: set[PartyRef]) -> str:
    return f"it can be {' or '.join(sorted(map(str, refs))) or 'none at present'}"


_OPPOSITE = {
    InterfaceRole.SENDER: InterfaceRole.RECEIVER,
    InterfaceRole.RECEIVER: InterfaceRole.SENDER,
}
