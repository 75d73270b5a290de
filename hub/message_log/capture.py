"""Entries of the log: noted when a message is routed or answered, and when a peer was asked.

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
from hub.message_log.entry import NO_BODY, Entry, LoggedBody, LoggedRoute
from hub.message_log.writer import writer
from ocpi.client import CompletedRequest, Reply
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
class MessageInProgress:
    """A message that is being answered; `was_sent` once anybody was asked because of it."""

    message: Message
    route: LoggedRoute
    receiver: PartyRef | None
    was_sent: bool = False


_current: ContextVar[MessageInProgress | None] = ContextVar("message_in_progress", default=None)


def on_routed(message: Message, route: Decided) -> None:
    """Note where a message goes, for its entry and for those of what is sent because of it."""
    receiver = route.destination.ref if isinstance(route, Direct) else message.to
    _current.set(MessageInProgress(message, _logged_route(message, route), receiver))


def _errors_only_logged(record: Callable[Given, None]) -> Callable[Given, None]:
    """Let no mistake of the log become one of the traffic."""

    @wraps(record)
    def recorded(*args: Given.args, **kwargs: Given.kwargs) -> None:
        try:
            record(*args, **kwargs)
        except Exception:
            log.exception("an exchange is missing in the message log")

    return recorded


@_errors_only_logged
def on_answered(view: OcpiView, response: HttpResponse, seconds: float, **_: Any) -> None:  # noqa: ANN401 - what signals carry
    """Remember a request to the hub and its answer."""
    about = _take_current()
    if not settings.HUB_MESSAGE_LOG_DAYS:
        return
    caller = _caller(view)
    entry = (
        _entry_of_stranger
        if caller is None
        else partial(_entry_of_platform, caller=caller, about=about)
    )
    writer.put(entry(view, response, seconds))


def _entry_of_stranger(view: OcpiView, response: HttpResponse, seconds: float) -> Entry:
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
        request=NO_BODY,
        response=NO_BODY,
        http_status=response.status_code,
        envelope=_without_data(envelope.read(response.content)),
    )


def _entry_of_platform(
    view: OcpiView,
    response: HttpResponse,
    seconds: float,
    *,
    caller: Caller,
    about: MessageInProgress | None,
) -> Entry:
    most: int = settings.HUB_MESSAGE_LOG_BODY_BYTES
    body = response.content
    named = RoutingHeaders() if about else _routing_headers(view, caller)
    return Entry(
        is_inbound=True,
        at=time.time() - seconds,
        seconds=seconds,
        method=view.request.method or "",
        url=_url(view),
        headers={},
        request=LoggedBody.of(view.received, most),
        response=LoggedBody.of(body, most),
        route=about.route if about else None,
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


@_errors_only_logged
def on_asked(asked: CompletedRequest) -> None:
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
            request=LoggedBody.of(asked.body, most),
            response=LoggedBody.of(body, most),
            route=about.route if about else None,
            module=about.message.module if about else "",
            secrets=(asked.peer.token, *_driver_ids(about)),
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


def _routing_headers(view: OcpiView, caller: Caller) -> RoutingHeaders:
    """Return the parties the headers name; a sender only if it is the platform's own."""
    try:
        named = RoutingHeaders.read(view.request.headers)
    except InvalidParameters:
        return RoutingHeaders()
    return named if named.sender in caller.refs else replace(named, sender=None)


def _without_data(read: Envelope | None) -> Envelope | None:
    """Keep the status alone: the data may be a page as large as answers get."""
    return read and replace(read, data=None)


def _driver_ids(about: MessageInProgress | None) -> tuple[str, ...]:
    """Return what the URL of a token is made of: sent on, it stands in a URL of the peer's own."""
    if about is None or about.message.module != ModuleID.TOKENS:
        return ()
    return about.message.ids


def _take_current() -> MessageInProgress | None:
    """Return the message that was being answered, which is over now."""
    found = _current.get()
    if found is not None:
        _current.set(None)
    return found


def _logged_route(message: Message, route: Decided) -> LoggedRoute:
    if isinstance(route, Direct):
        return LoggedRoute.OPEN if message.to in {None, hub_party()} else LoggedRoute.DIRECT
    return _LOGGED_ROUTES.get(type(route), LoggedRoute.HUB)


_LOGGED_ROUTES = {
    Returned: LoggedRoute.RESULT,
    Broadcast: LoggedRoute.BROADCAST,
    Stored: LoggedRoute.STORED,
    AskAll: LoggedRoute.ASKED_ALL,
    Refused: LoggedRoute.REFUSED,
}
