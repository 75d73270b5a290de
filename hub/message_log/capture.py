"""Where the log hears of an exchange: a message goes its way, is answered, or a peer was asked.

All run in the midst of traffic: they take references, cut bodies, read the status of what is cut,
and leave. What the hub sends because of a message belongs to it: a context variable goes with the
work, also onto the event loop of the client, for each request.
"""

import logging
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import partial, wraps
from typing import Any, ParamSpec

from django.conf import settings
from django.http import HttpResponse

from hub.gateway.message import Message
from hub.gateway.routes import AskAll, Broadcast, Decided, Direct, Refused, Returned, Stored
from hub.message_log.entry import NOTHING, Cut, Entry, Way
from hub.message_log.writer import writer
from ocpi.client import Asked, Reply
from ocpi.errors import InvalidParameters
from ocpi.server import OcpiView
from ocpi.transport import envelope
from ocpi.transport.envelope import Envelope
from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import ModuleID, PartyRef
from parties.caller import Caller
from parties.hub_identity import hub_party

log = logging.getLogger(__name__)
Given = ParamSpec("Given")

LONGEST_URL_OF_A_STRANGER = 200
"""Characters kept of the URL of a request whose token nobody here issued."""


@dataclass(slots=True)
class UnderWay:
    """A message that is being answered; `was_sent` once anybody was asked because of it."""

    message: Message
    way: Way
    receiver: PartyRef | None
    was_sent: bool = False


_current: ContextVar[UnderWay | None] = ContextVar("message_under_way", default=None)


def goes(message: Message, route: Decided) -> None:
    """Note the way a message goes."""
    receiver = route.destination.ref if isinstance(route, Direct) else message.to
    _current.set(UnderWay(message, _way(message, route), receiver))


def _never_in_the_way(record: Callable[Given, None]) -> Callable[Given, None]:
    """Let no mistake of the log become one of the traffic."""

    @wraps(record)
    def recorded(*args: Given.args, **kwargs: Given.kwargs) -> None:
        try:
            record(*args, **kwargs)
        except Exception:
            log.exception("an exchange is missing in the message log")

    return recorded


@_never_in_the_way
def on_answered(view: OcpiView, response: HttpResponse, seconds: float, **_: Any) -> None:  # noqa: ANN401 - what signals carry
    """Remember a request to the hub and its answer."""
    about = _ended()
    if not settings.HUB_MESSAGE_LOG_DAYS:
        return
    caller = _caller(view)
    entry = _of_stranger if caller is None else partial(_of_platform, caller=caller, about=about)
    writer.put(entry(view, response, seconds))


def _of_stranger(view: OcpiView, response: HttpResponse, seconds: float) -> Entry:
    """Keep little, and nothing by which a request could pass for a party's or join its exchanges.

    Whoever has no token the hub knows may write any party's name and ids into a header.
    """
    return Entry(
        is_inbound=True,
        at=time.time() - seconds,
        seconds=seconds,
        method=view.request.method or "",
        url=_url(view)[:LONGEST_URL_OF_A_STRANGER],
        headers={},
        request=NOTHING,
        response=NOTHING,
        http_status=response.status_code,
        envelope=_without_data(envelope.read(response.content)),
    )


def _of_platform(
    view: OcpiView,
    response: HttpResponse,
    seconds: float,
    *,
    caller: Caller,
    about: UnderWay | None,
) -> Entry:
    most: int = settings.HUB_MESSAGE_LOG_BODY_BYTES
    body = response.content
    named = RoutingHeaders() if about else _named(view, caller)
    return Entry(
        is_inbound=True,
        at=time.time() - seconds,
        seconds=seconds,
        method=view.request.method or "",
        url=_url(view),
        headers={},
        request=Cut.of(view.received, most),
        response=Cut.of(body, most),
        way=about.way if about else None,
        was_sent=about is not None and about.was_sent,
        platform=caller.name,
        sender=about.message.sender if about else named.sender,
        receiver=(about.receiver if about else None) or named.to,
        request_id=view.message_ids.request_id,
        correlation_id=view.message_ids.correlation_id,
        secrets=(caller.presented_token,),
        http_status=response.status_code,
        envelope=_without_data(envelope.read(body)) if len(body) > most else None,
    )


@_never_in_the_way
def listen(asked: Asked) -> None:
    """Remember a request of the hub and what came of it."""
    about = _current.get()
    if about is not None:
        about.was_sent = True
    if not settings.HUB_MESSAGE_LOG_DAYS:
        return
    most: int = settings.HUB_MESSAGE_LOG_BODY_BYTES
    reply = asked.outcome if isinstance(asked.outcome, Reply) else None
    body = reply.body if reply else b""
    writer.put(
        Entry(
            is_inbound=False,
            at=time.time() - asked.seconds,
            seconds=asked.seconds,
            method=asked.method,
            url=asked.url,
            platform=asked.peer.name,
            headers=asked.headers,
            request=Cut.of(asked.body, most),
            response=Cut.of(body, most),
            way=about.way if about else None,
            module=about.message.module if about else "",
            secrets=(asked.peer.token, *_of_driver(about)),
            http_status=reply.http_status if reply else None,
            envelope=_without_data(reply.envelope) if reply and len(body) > most else None,
            error="" if reply else f"{type(asked.outcome).__name__}: {asked.outcome}",
        )
    )


def _url(view: OcpiView) -> str:
    path, query = view.raw_path(), view.raw_query()
    return f"{path}?{query}" if query else path


def _caller(view: OcpiView) -> Caller | None:
    """Return whose token was presented, also when it opened nothing (any more)."""
    # Asked for `auth`, a request that was refused would be authenticated once more.
    found = getattr(view.request, "_auth", None) or getattr(view.request, "token_of", None)
    return found if isinstance(found, Caller) else None


def _named(view: OcpiView, caller: Caller) -> RoutingHeaders:
    """Return the parties the headers name; a sender only if it is the platform's own."""
    try:
        named = RoutingHeaders.read(view.request.headers)
    except InvalidParameters:
        return RoutingHeaders()
    return named if named.sender in caller.refs else replace(named, sender=None)


def _without_data(read: Envelope | None) -> Envelope | None:
    """Keep the status alone: the data may be a page as large as answers get."""
    return read and replace(read, data=None)


def _of_driver(about: UnderWay | None) -> tuple[str, ...]:
    """Return what the URL of a token is made of: sent on, it stands in a URL of the peer's own."""
    if about is None or about.message.module != ModuleID.TOKENS:
        return ()
    return about.message.ids


def _ended() -> UnderWay | None:
    """Return the message that was being answered, which is done now."""
    found = _current.get()
    if found is not None:
        _current.set(None)
    return found


def _way(message: Message, route: Decided) -> Way:
    if isinstance(route, Direct):
        return Way.OPEN if message.to in {None, hub_party()} else Way.DIRECT
    return _WAYS.get(type(route), Way.HUB)


_WAYS = {
    Returned: Way.RESULT,
    Broadcast: Way.BROADCAST,
    Stored: Way.STORED,
    AskAll: Way.ASKED_ALL,
    Refused: Way.REFUSED,
}
