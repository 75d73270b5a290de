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
from typing import ParamSpec

from django.conf import settings

from hub.gateway.message import Message
from hub.gateway.routes import AskAll, Broadcast, Decided, Direct, Refused, Returned, Stored
from hub.message_log.answered_request import AnsweredRequest
from hub.message_log.endpoints import Endpoint
from hub.message_log.entry import LONGEST_MESSAGE, NO_BODY, Entry, LoggedBody, LoggedRoute
from hub.message_log.writer import writer
from ocpi.client import CompletedRequest, Reply
from ocpi.errors import InvalidParameters
from ocpi.transport import envelope
from ocpi.transport.envelope import Envelope
from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import ModuleID, PartyRef, one_line
from parties.caller import Caller
from parties.hub_identity import hub_party

log = logging.getLogger(__name__)
Arguments = ParamSpec("Arguments")

_LARGEST_CODE = 2**63 - 1
LONGEST_URL_OF_A_STRANGER = 200
"""Characters kept of the URL of a request with a token that the hub did not issue, or with none."""


@dataclass(slots=True)
class MessageInProgress:
    """A message that is being answered; `was_sent` once the hub sent a request because of it."""

    message: Message
    route: LoggedRoute
    receiver: PartyRef | None
    was_sent: bool = False

    @property
    def is_page_of_hub(self) -> bool:
        return self.route is LoggedRoute.STORED and self.message.is_list


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
def on_answered(answered: AnsweredRequest) -> None:
    """Log a request to the hub and its answer."""
    current = _take_current()
    if not settings.HUB_MESSAGE_LOG_DAYS:
        return
    if answered.caller is None:
        entry = _entry_of_stranger(answered)
    else:
        entry = _entry_of_platform(answered, caller=answered.caller, current=current)
    writer.put(entry)


def _entry_of_stranger(answered: AnsweredRequest) -> Entry:
    """Keep little, and nothing by which a request could pass for a party's or join its exchanges.

    Without a token of the hub, anybody may write any party's name and ids into the headers.
    """
    return Entry(
        is_inbound=True,
        at=time.time() - answered.seconds,
        seconds=answered.seconds,
        method=answered.method,
        url=answered.url[:LONGEST_URL_OF_A_STRANGER],
        headers={},
        request=NO_BODY,
        response=NO_BODY,
        http_status=answered.http_status,
        envelope=_without_data(envelope.read(answered.answer)),
    )


def _entry_of_platform(
    answered: AnsweredRequest, *, caller: Caller, current: MessageInProgress | None
) -> Entry:
    max_bytes: int = settings.HUB_MESSAGE_LOG_BODY_BYTES
    message = current.message if current else None
    sender, receiver = _parties(answered, caller, current)
    return Entry(
        is_inbound=True,
        at=time.time() - answered.seconds,
        seconds=answered.seconds,
        method=answered.method,
        url=answered.url,
        headers={},
        request=LoggedBody.of(answered.body, max_bytes),
        response=LoggedBody.of(answered.answer, max_bytes),
        endpoint=_endpoint(answered, message, caller.name) if message else None,
        object_id=next(iter(message.ids), "") if message else None,
        posted_id=_posted_id(message) if message else "",
        route=current.route if current else None,
        was_sent=current is not None and current.was_sent,
        platform=caller.name,
        sender=sender,
        receiver=receiver,
        request_id=answered.ids.request_id,
        correlation_id=answered.ids.correlation_id,
        secrets=(caller.presented_token,),
        http_status=answered.http_status,
        envelope=_envelope_if_cut(answered.answer, max_bytes, current),
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
            envelope=_envelope_of(reply, max_bytes) if reply else None,
            error=_own_words(reply) if reply else _error(asked.outcome),
        )
    )


_STEPS_OF_ENDPOINT = 5
"""Of a path of the hub: nothing, `ocpi`, version, interface, module."""


def _endpoint(answered: AnsweredRequest, message: Message, platform: str) -> Endpoint:
    """Return what a message was read to be about; its path is shown as it was sent."""
    version, module, interface = message.version, str(message.module), message.interface.value
    path = "".join(answered.path.split("/", _STEPS_OF_ENDPOINT)[_STEPS_OF_ENDPOINT:])
    shown = f"{path}?{answered.query}" if answered.query else path
    url = f"/ocpi/{version}/{interface.lower()}/{module}"
    return Endpoint(url, shown, platform, version, module, interface)


def _posted_id(message: Message) -> str:
    """Return the member of the body that has the id of an object that is posted."""
    is_posted = message.method == "POST" and message.kind is not None and message.kind.posted
    return message.kind.id_field if is_posted and message.kind else ""


def _parties(
    answered: AnsweredRequest, caller: Caller, current: MessageInProgress | None
) -> tuple[PartyRef | None, PartyRef | None]:
    """Return sender and receiver: as the headers name them where no message could be read.

    There the sender is only believed if it is a party of the platform.
    """
    if current is not None:
        return current.message.sender, current.receiver
    try:
        named = RoutingHeaders.read(answered.headers)
    except InvalidParameters:
        return None, None
    return (named.sender if named.sender in caller.refs else None), named.to


def _own_words(reply: Reply) -> str:
    """Return what a peer says about a failure other than in its status message."""
    return "" if reply.ok else reply.words


def _envelope_of(reply: Reply, max_bytes: int) -> Envelope | None:
    """Return the status of a reply that its logged body does not tell: it is cut, or repaired."""
    read = reply.envelope
    is_told = read is not None and not read.is_repaired and len(reply.body) <= max_bytes
    return None if is_told else _without_data(read)


def _envelope_if_cut(
    answer: bytes, max_bytes: int, current: MessageInProgress | None
) -> Envelope | None:
    """Return the status of an answer of which only the beginning is kept.

    A page of the hub's own may be megabytes, and ends with its status: it is not read for that.
    """
    if len(answer) <= max_bytes:
        return None
    if current is not None and current.is_page_of_hub:
        return envelope.read_end(answer)
    return _without_data(envelope.read(answer))


def _without_data(read: Envelope | None) -> Envelope | None:
    """Keep the status alone: the data may be a page of many megabytes.

    A peer's status code may be any number; beyond 64 bits it could not be handed over.
    """
    if read is None:
        return None
    bounded = max(-_LARGEST_CODE, min(read.status_code, _LARGEST_CODE))
    return replace(read, data=None, status_code=bounded)


def _error(outcome: object) -> str:
    """Return why there is no reply; peers may have had a word in it."""
    return one_line(f"{type(outcome).__name__}: {outcome}", longest=LONGEST_MESSAGE)


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
