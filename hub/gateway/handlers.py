"""The handlers that answer a message, by the route that was decided for it."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, NoReturn

from hub.gateway.broadcast import accept_push
from hub.gateway.http import Answer
from hub.gateway.message import Message
from hub.gateway.realtime_authorization import authorize_driver
from hub.gateway.relay import relay_message, return_result
from hub.gateway.routes import (
    AskAll,
    Broadcast,
    Decided,
    Direct,
    HubAnswer,
    Refused,
    Returned,
    Stored,
)
from hub.gateway.stored_answers import serve_stored
from ocpi.transport import envelope


async def _hub_answer(_message: Message, route: HubAnswer) -> Answer:
    return Answer(envelope.render(data=route.data))


async def _refused(_message: Message, route: Refused) -> NoReturn:
    raise route.error


HANDLERS: Mapping[type[Decided], Callable[[Message, Any], Coroutine[Any, Any, Answer]]] = {
    Direct: relay_message,
    Broadcast: accept_push,
    Stored: serve_stored,
    Returned: return_result,
    AskAll: authorize_driver,
    HubAnswer: _hub_answer,
    Refused: _refused,
}
"""From a route to the coroutine that answers it; `hub.exchange` awaits it, mostly on the loop.

Whatever may block comes after `await in_thread()` (`hub.gateway.steps`).
"""
