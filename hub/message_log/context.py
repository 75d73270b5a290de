"""Which message the hub is working on, so that what it sends meanwhile belongs to it.

A context variable goes with the work: also onto the event loop of the client, for each request.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum

from hub.gateway.message import Message
from hub.gateway.routing import AskAll, Broadcast, Direct, Refused, Route, Stored
from ocpi.types import PartyRef
from parties.hub_identity import hub_party


class Way(StrEnum):
    """What the hub did with a message, or why it sent one."""

    DIRECT = "direct"
    OPEN = "open"
    BROADCAST = "broadcast"
    STORED = "stored"
    RESULT = "result"
    ASKED_ALL = "asked all"
    HUB = "hub"
    """The hub answered it itself."""
    REFUSED = "refused"
    """Nothing was stored or sent; the answer says why."""
    DELIVERY = "delivery"
    PULL = "pull"
    HANDSHAKE = "handshake"


@dataclass(slots=True)
class UnderWay:
    """A message that is being answered; `was_sent` once anybody was asked because of it."""

    message: Message
    way: Way
    receiver: PartyRef | None
    was_sent: bool = False


_current: ContextVar[UnderWay | None] = ContextVar("message_under_way", default=None)


def goes(message: Message, route: Route | None = None) -> None:
    """Note the way a message goes; without a route it is a result."""
    receiver = route.destination.ref if isinstance(route, Direct) else message.to
    _current.set(UnderWay(message, _way(message, route), receiver))


def current() -> UnderWay | None:
    """Return the message that is being answered here, if any."""
    return _current.get()


def ended() -> UnderWay | None:
    """Return the message that was being answered, which is done now."""
    found = _current.get()
    if found is not None:
        _current.set(None)
    return found


def _way(message: Message, route: Route | None) -> Way:
    if isinstance(route, Direct):
        return Way.OPEN if message.to in {None, hub_party()} else Way.DIRECT
    return _WAYS.get(type(route), Way.HUB)


_WAYS = {
    type(None): Way.RESULT,
    Broadcast: Way.BROADCAST,
    Stored: Way.STORED,
    AskAll: Way.ASKED_ALL,
    Refused: Way.REFUSED,
}
