"""Entries of the log, captured when a message is routed or answered, and when a peer was asked.

This runs inside requests, so it does little: it keeps references, cuts bodies, and reads the OCPI
status of a body that is cut. A context variable holds the message that is being answered, also on
the event loop of the client, so that what the hub sends because of it is logged with its route.
"""

import logging
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import wraps
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
Arguments = ParamSpec("Arguments")

LONGEST_URL_OF_A_STRANGER = 200
"""Characters kept of the URL of a request with a token that the hub did not issue, or with none."""


@dataclass(slots=True)
class MessageInProgress:
    """A message that is being answered; `was_sent` once the hub sent a request because of it."""

    message: Message
    route: LoggedRoute
    receiver: PartyRef | None
    was_sent: bool = False


_current: ContextVar[MessageInProgress | None] = ContextVar("message_in_progress", default=None)


def on_routed(message: Message, route: Decided) -> None:
    """Note the route of a message, for its own entry and those of what is sent because of it."""
    receiver = route.destination.ref if isinstance(route, Direct) else message.to
    _current.set(MessageInProgress(message, _logged_route(message, route), receiver))


def _errors_only_logged(record: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """Log exceptions instead of raising them: no fault of the log may fail a request."""

    @wraps(record)
    def recorded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        try:
            record(*args, **kwargs)
        except Exception:
            log.exception("an exchange is missing in the message log")

    return recorded


@_errors_only_logged
def on_answered(view: OcpiView, response: HttpResponse, seconds: float, **_: Any) -> None:  # noqa: ANN401 - what signals carry
    """Log a request to the hub and its answer."""
    current = _take_current()
    if not settings.HUB_MESSAGE_LOG_DAYS:
        return
    caller = _caller(view)
    if caller is None:
        entry = _entry_of_stranger(view, response, seconds)
    else:
        entry = _entry_of_platform(view, response, seconds, caller=caller, current=current)
    writer.put(entry)


def _entry_of_stranger(view: OcpiView, response: HttpResponse, seconds: float) -> Entry:
    """Keep little, and nothing by which a request could pass for a party's or join its exchanges.

    Without a token of the hub, anybody may write any party's name and ids into the headers.
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
    current: MessageInProgress | None,
) -> Entry:
    max_bytes: int = settings.HUB_MESSAGE_LOG_BODY_BYTES
    body = response.content
    named = RoutingHeaders() if current else _routing_headers(view, caller)
    return Entry(
        is_inbound=True,
        at=time.time() - seconds,
        seconds=seconds,
        method=view.request.method or "",
        url=_url(view),
        headers={},
        request=LoggedBody.of(view.received, max_bytes),
        response=LoggedBody.of(body, max_bytes),
        route=current.route if current else None,
        was_sent=current is not None and current.was_sent,
        platform=caller.name,
        sender=current.message.sender if current else named.sender,
        receiver=(current.receiver if current else None) or named.to,
        request_id=view.message_ids.request_id,
        correlation_id=view.message_ids.correlation_id,
        secrets=(caller.presented_token,),
        http_status=response.status_code,
        envelope=_without_data(envelope.read(body)) if len(body) > max_bytes else None,
    )


@_errors_only_logged
def on_asked(asked: CompletedRequest) -> None:
    """Log a request that the hub made, and its answer or failure."""
    current = _current.get()
    if current is not None:
        current.was_sent = True
    if not settings.HUB_MESSAGE_LOG_DAYS:
        return
    max_bytes: int = settings.HUB_MESSAGE_LOG_BODY_BYTES
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
            request=LoggedBody.of(asked.body, max_bytes),
            response=LoggedBody.of(body, max_bytes),
            route=current.route if current else None,
            module=current.message.module if current else "",
            secrets=(asked.peer.token, *_token_ids(current)),
            http_status=reply.http_status if reply else None,
            envelope=_without_data(reply.envelope) if reply and len(body) > max_bytes else None,
            error="" if reply else f"{type(asked.outcome).__name__}: {asked.outcome}",
        )
    )


def _url(view: OcpiView) -> str:
    path, query = view.raw_path(), view.raw_query()
    return f"{path}?{query}" if query else path


def _caller(view: OcpiView) -> Caller | None:
    """Return the platform whose token was presented, even if it is not valid any more."""
    # Not `request.auth`: reading that would authenticate a refused request once more.
    found = getattr(view.request, "_auth", None) or getattr(view.request, "token_of", None)
    return found if isinstance(found, Caller) else None


def _routing_headers(view: OcpiView, caller: Caller) -> RoutingHeaders:
    """Return the parties the headers name; the sender only if it is a party of the platform."""
    try:
        named = RoutingHeaders.read(view.request.headers)
    except InvalidParameters:
        return RoutingHeaders()
    return named if named.sender in caller.refs else replace(named, sender=None)


def _without_data(read: Envelope | None) -> Envelope | None:
    """Keep the status alone: the data may be a page of many megabytes."""
    return read and replace(read, data=None)


def _token_ids(current: MessageInProgress | None) -> tuple[str, ...]:
    """Return the ids in the URL of a Token: forwarded, they are part of a URL at the peer."""
    if current is None or current.message.module != ModuleID.TOKENS:
        return ()
    return current.message.ids


def _take_current() -> MessageInProgress | None:
    """Return the message that was being answered, and forget it: its answer is made."""
    current = _current.get()
    if current is not None:
        _current.set(None)
    return current


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
