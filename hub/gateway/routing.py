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

    nobody registered it, or may; or it is nobody the
    sender has to do with                               4001
    no role of it implements the interface              4000
    the sender may not call this interface of it        4001
    its platform is PLANNED, OFFLINE or SUSPENDED       4003
    its platform did not answer lately                  4003
    its platform asked for a pause (HTTP 429)           4000
    its platform offers no such endpoint                4000
"""

from collections.abc import Callable, Collection, Iterable, Sequence
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
    sender: PartyRef | None = None


@dataclass(frozen=True, slots=True)
class Destination:
    """A party the hub knows, and whether its platform can be spoken to.

    What is its at this platform the hub files under the name of a `holder`. The sender has to do
    with it in this module when it `is_known`, and may send this message to it when it
    `may_be_called`, however it is connected; it `is_live` while its platform names it and is not
    suspended.
    `endpoint` is the URL of the addressed interface at its platform, None when it offers none;
    `pause` the seconds for which the platform wants to be left alone; `silence` those for which the
    hub spares it and its requesters the wait, because so many messages in a row went `unanswered`.
    An answer of a platform that `is_unseen` lately is a sign of life worth noting. A driver waits
    `authorize_seconds` for it, 0: as long as for any eMSP.
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
    is_unseen: bool = False
    authorize_seconds: float = 0
    holder: str = ""
    is_known: bool = True
    may_be_called: bool = True
    is_live: bool = True


@dataclass(frozen=True, slots=True)
class Meant:
    """A party a message turned out to be for: any of it, or what is said of it besides.

    The `holder` under whose name the hub has what the message is about, the platform that was asked
    before, or the `roles` of which one is meant.
    """

    ref: PartyRef
    holder: str = ""
    platform_id: int = 0
    roles: frozenset[Role] = frozenset()

    def includes(self, one: Destination) -> bool:
        """Tell whether a registration of the party is what is meant."""
        return (
            self.holder in {"", one.holder}
            and self.platform_id in {0, one.platform_id}
            and (not self.roles or one.role in self.roles)
        )


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


Decided = Direct | Broadcast | Stored | AskAll | Known | Refused
Route = Decided | Open


def decide(address: Address, directory: Directory) -> Route:
    """Decide where a message goes."""
    if address.to is not None and address.to != directory.hub:
        return decide_for(Meant(address.to), address, directory)
    receiving = address.interface is InterfaceRole.RECEIVER
    if address.kept is Kept.NOTHING:
        return Open()
    if address.method != "GET":
        is_open = address.to is None and address.kept is Kept.FOR_ONE
        return Broadcast() if receiving and not is_open else Open()
    if receiving or address.is_list or address.to is not None:
        return Stored()
    return Open()


def decide_for(meant: Meant, address: Address, directory: Directory) -> Direct | Refused:
    """Choose the platform by the role that module and interface imply (TF-84, A-30)."""
    try:
        chosen = destination_for(meant, address, directory)
    except OcpiError as error:
        return Refused(error)
    refusal = objection(chosen, _asked(address))
    return Refused(refusal) if refusal else Direct(chosen)


def destination_for(meant: Meant, address: Address, directory: Directory) -> Destination:
    """Return the party a sender means, among those it may call; raises `OcpiError` for no such.

    Whoever has nothing to do with a party gets the same answer whether it is there or not.
    """
    found = directory.destinations(meant.ref, address.module, address.interface)
    known = [one for one in found if one.is_known]
    fitting = _fitting(found, address)
    if known and not {one.platform_id for one in known} & {one.platform_id for one in fitting}:
        roles = " and ".join(sorted({one.role for one in known}))
        raise HubError(f"{meant.ref} is {roles}, which does not implement {_asked(address)}")
    callable_ = [one for one in fitting if one.may_be_called and meant.includes(one)]
    if not callable_:
        raise _nobody(meant.ref, address)
    return max(callable_, key=_preference(address))


def _asked(address: Address) -> str:
    return f"the {address.interface} interface of {address.module}"


def _nobody(ref: PartyRef, address: Address) -> OcpiError:
    if ref == address.sender:
        return InvalidParameters(f"OCPI-to and OCPI-from are the same party, {ref}")
    shared = f" that {address.sender} may exchange {address.module} with" if address.sender else ""
    check = "check OCPI-to-country-code and OCPI-to-party-id"
    operator = "whether there is an agreement, the hub's operator knows"
    return UnknownReceiver(f"this hub knows no party {ref}{shared}: {check}; {operator}")


def _fitting(found: Iterable[Destination], address: Address) -> list[Destination]:
    """Return, at each platform, the roles that implement an interface; else their stand-ins."""
    at: dict[int, list[Destination]] = {}
    for one in found:
        at.setdefault(one.platform_id, []).append(one)
    return [one for roles in at.values() for one in _implementing(roles, address)]


def _implementing(known: Collection[Destination], address: Address) -> list[Destination]:
    """Return the roles that implement an interface; else those that stand in for them (CP-10)."""
    for applies in (implements, stands_in):
        found = [one for one in known if applies(one.role, address.module, address.interface)]
        if found:
            return found
    return []


def _preference(address: Address) -> Callable[[Destination], tuple[bool, bool | int]]:
    """Say which of several registrations of a party is meant, the greatest.

    What is personal goes to one of them, by its role, whether it can be reached now or not.
    """
    if address.kept is Kept.FOR_ONE:
        return lambda one: (one.endpoint is not None, -_BY_ROLE.index(one.role))
    return lambda one: (one.connected, one.endpoint is not None)


_BY_ROLE = sorted(Role, key=lambda role: role is not Role.EMSP)


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
    candidates = typical or refs
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
