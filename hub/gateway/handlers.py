"""The handlers that answer a message, by the route that was decided for it."""

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from hub.gateway.broadcast import accepted
from hub.gateway.http import Answer
from hub.gateway.message import Message
from hub.gateway.realtime_authorization import authorized
from hub.gateway.relay import relayed, returned
from hub.gateway.routes import AskAll, Broadcast, Decided, Direct, Known, Refused, Returned, Stored
from hub.gateway.stored_answers import stored
from ocpi.transport import envelope


def _known(_message: Message, route: Known) -> Answer:
    return Answer(envelope.render(data=route.data))


def _refused(_message: Message, route: Refused) -> NoReturn:
    raise route.error


HANDLERS: Mapping[type[Decided], Callable[[Message, Any], Answer]] = {
    Direct: relayed,
    Broadcast: accepted,
    Stored: stored,
    Returned: returned,
    AskAll: authorized,
    Known: _known,
    Refused: _refused,
}
"""What a message is answered with: the receiver's words, an acknowledgement, or stored text."""
