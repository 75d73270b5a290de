"""Routing: where a message goes, decided without HTTP, queue or database.

Spec: 2.2.1 transport and format, message routing headers; status codes, Hub errors; A-22 to A-36 of
the ambiguities.

    TO          interface   method                      route
    any         SENDER      POST of a result            Returned: to its requester
    any         RECEIVER    GET of what was posted      Stored: the hub has its receiver
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

    it is the sender itself                             2001
    no platform has registered or may register it, or
    the sender has no agreement with it                 4001
    no role of it implements the interface              4000
    the sender may not call this interface of it        4001
    its platform is PLANNED, OFFLINE or SUSPENDED       4003
    its platform did not answer lately                  4003
    its platform asked for a pause (HTTP 429)           4000
    its platform offers no such endpoint                4000
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol

from hub.gateway.routes import (
    Addressee,
    Broadcast,
    Destination,
    Direct,
    Kept,
    Open,
    Refused,
    Returned,
    Route,
    Stored,
)
from ocpi.errors import (
    HubError,
    InvalidParameters,
    OcpiError,
    ReceiverNotConnected,
    UnknownReceiver,
)
from ocpi.types import InterfaceRole, ModuleID, PartyRef, Role
from parties.role_pairs import implements, stands_in


class InterfaceCall(Protocol):
    """A call of one interface of a module; `sender` is None when the hub itself calls."""

    @property
    def module(self) -> ModuleID: ...
    @property
    def interface(self) -> InterfaceRole: ...
    @property
    def kept(self) -> Kept: ...
    @property
    def sender(self) -> PartyRef | None: ...


class Routable(InterfaceCall, Protocol):
    """The properties of a message that decide its route."""

    @property
    def method(self) -> str: ...
    @property
    def to(self) -> PartyRef | None: ...
    @property
    def is_list(self) -> bool: ...
    @property
    def is_posted(self) -> bool: ...
    @property
    def is_result(self) -> bool: ...


class Directory(Protocol):
    """The parties that the hub knows."""

    @property
    def hub(self) -> PartyRef:
        """The hub's own party."""

    def destinations(
        self, ref: PartyRef, module: ModuleID, interface: InterfaceRole
    ) -> Sequence[Destination]:
        """Return every role under which a party is registered."""


SAY_WHO_SPEAKS = "say which of your parties speaks"
"""What somebody is told who leaves OCPI-from out though it may be several."""


def decide(message: Routable, directory: Directory) -> Route:
    """Decide where a message goes."""
    if message.is_result:
        return Returned()
    if message.is_posted and message.method == "GET":
        return Stored()
    if message.to is not None and message.to != directory.hub:
        return decide_for(Addressee(message.to), message, directory)
    return _of_hub(message)


def _of_hub(message: Routable) -> Route:
    """Decide about a message to the hub, or to nobody."""
    receiving = message.interface is InterfaceRole.RECEIVER
    if message.kept is Kept.NOTHING:
        return Open()
    if message.method != "GET":
        is_open = message.to is None and message.kept is Kept.FOR_ONE
        return Broadcast() if receiving and not is_open else Open()
    if receiving or message.is_list or message.to is not None:
        return Stored()
    return Open()


def decide_for(addressee: Addressee, call: InterfaceCall, directory: Directory) -> Direct | Refused:
    """Choose the platform by the role that module and interface imply (TF-84, A-30)."""
    try:
        chosen = destination_for(addressee, call, directory)
    except OcpiError as error:
        return Refused(error)
    refusal = objection(chosen, _described(call))
    return Refused(refusal) if refusal else Direct(chosen)


def destination_for(addressee: Addressee, call: InterfaceCall, directory: Directory) -> Destination:
    """Return the best registration of a party among those that the sender may call.

    Raises `OcpiError` when there is none. A sender without an agreement gets the same error whether
    the party exists or not.
    """
    found = directory.destinations(addressee.ref, call.module, call.interface)
    fitting = _fitting(found, call)
    candidates = [each for each in fitting if each.may_be_called and addressee.includes(each)]
    if candidates:
        return max(candidates, key=_preference(call))
    if addressee.ref == call.sender:
        raise InvalidParameters(f"OCPI-to and OCPI-from are the same party, {addressee.ref}")
    known = [each for each in found if each.is_known]
    if known and not {each.platform_id for each in known} & {each.platform_id for each in fitting}:
        roles = " and ".join(sorted({each.role for each in known}))
        raise HubError(f"{addressee.ref} is {roles}, which does not implement {_described(call)}")
    raise _unknown(addressee.ref, call)


def _described(call: InterfaceCall) -> str:
    return f"the {call.interface} interface of {call.module}"


def _unknown(ref: PartyRef, call: InterfaceCall) -> OcpiError:
    shared = f" that {call.sender} may exchange {call.module} with" if call.sender else ""
    check = "check OCPI-to-country-code and OCPI-to-party-id"
    operator = "whether there is an agreement, the hub's operator knows"
    return UnknownReceiver(f"this hub knows no party {ref}{shared}: {check}; {operator}")


def _fitting(found: Iterable[Destination], call: InterfaceCall) -> list[Destination]:
    """Return the roles that implement an interface, or stand in for it, of each platform apart."""
    by_platform: dict[int, list[Destination]] = {}
    for each in found:
        by_platform.setdefault(each.platform_id, []).append(each)
    return [each for roles in by_platform.values() for each in _implementing(roles, call)]


def _implementing(roles: Collection[Destination], call: InterfaceCall) -> list[Destination]:
    """Return the roles that implement an interface; else those that stand in for them (CP-10)."""
    for applies in (implements, stands_in):
        found = [each for each in roles if applies(each.role, call.module, call.interface)]
        if found:
            return found
    return []


def _preference(call: InterfaceCall) -> Callable[[Destination], tuple[bool, bool | int]]:
    """Return the key by which the greatest of a party's registrations is the one to call.

    Personal data always goes to the same one, by its role, even if that cannot be reached now,
    so that the data of one driver is not spread over several.
    """
    if call.kept is Kept.FOR_ONE:
        return lambda each: (each.endpoint is not None, -_BY_ROLE.index(each.role))
    return lambda each: (each.connected, each.endpoint is not None)


_BY_ROLE = sorted(Role, key=lambda role: role is not Role.EMSP)
"""The eMSP first, because personal data is about its customer."""


def objection(chosen: Destination, asked: str) -> OcpiError | None:
    """Return why nothing can be sent to a party now; None when it can."""
    if not chosen.connected:
        return ReceiverNotConnected(f"{chosen.ref} is {chosen.status}; nothing was sent")
    if chosen.circuit_seconds:
        text = f"{chosen.ref} did not answer lately; nothing was sent"
        return ReceiverNotConnected(f"{text}, try again in {chosen.circuit_seconds} s")
    if chosen.pause_seconds:
        return HubError(f"{chosen.ref} throttles requests: try again in {chosen.pause_seconds} s")
    if chosen.endpoint is None:
        return HubError(f"the platform of {chosen.ref} does not offer {asked}")
    return None


def sender_of(
    named: PartyRef | None,
    parties: Sequence[tuple[Role, PartyRef]],
    module: ModuleID,
    interface: InterfaceRole,
) -> PartyRef:
    """Return the sender: the `named` party, else the only party of the platform that it can be.

    Raises `InvalidParameters` when the platform does not have that party, or none is named and
    there are several (TF-81, TF-82, A-33). The caller of an interface implements the opposite one.
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
        why = f"{SAY_WHO_SPEAKS}; {_of(candidates)}"
        raise InvalidParameters(f"OCPI-from-country-code and OCPI-from-party-id: {why}")
    return candidates.pop()


def _of(refs: set[PartyRef]) -> str:
    return f"it can be {' or '.join(sorted(map(str, refs))) or 'none at present'}"


_OPPOSITE = {
    InterfaceRole.SENDER: InterfaceRole.RECEIVER,
    InterfaceRole.RECEIVER: InterfaceRole.SENDER,
}
