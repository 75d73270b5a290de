"""The hub behind an ASGI server: the event loop reads requests and answers messages, step by step.

A message to a functional module is answered by `hub.exchange`, all else by Django in a thread:
console, versions, credentials, client info. Only ASGI carries a path before its percent-encoding is
undone, and an OCPI id may contain `/` (docs/decisions/0001-raw-paths-need-asgi.md). Bodies are read
before any thread is taken, so a slow sender holds none, and never beyond one byte more than the hub
accepts (`settings/bodies.py`): whoever asks for an overlong one hears that it is too large, and a
stranger's long one is answered unread. How answers go out is in `settings/answers.py`.
"""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from http import HTTPStatus

from django.conf import settings
from django.db import close_old_connections

from hub.gateway.endpoint import EndpointURL, endpoint_of
from hub.gateway.http import Body as ReceivedBody
from hub.gateway.http import Received
from ocpi.errors import OcpiError
from ocpi.transport import paths
from ocpi.transport.message_ids import MessageIds
from settings import django_bridge, health
from settings.answers import Answer, RawHeaders, Send, StreamedAnswer, send_in_parts, send_whole
from settings.bodies import Body, MemoryBudget, Receive, SenderLeft, Share
from settings.refusals import (
    OCPI,
    body_broken_off,
    body_too_slow,
    head_too_large,
    no_memory,
    refusal,
    url_too_long,
)
from settings.scope import Scope, address_of, headers_of
from settings.security_headers import always

_threads = ThreadPoolExecutor(settings.HUB_WEB_THREADS, thread_name_prefix="web")
_budget = MemoryBudget()
_LINGER_SECONDS = 1.0
"""How long a sender that was answered before the end of its body may go on writing."""


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one HTTP request, or note that the server starts this process."""
    if scope["type"] == "lifespan" and "state" in scope:  # as granian's has
        _begin()
    elif scope["type"] == "http":
        await _serve(scope, receive, send)


async def _serve(scope: Scope, receive: Receive, send: Send) -> None:
    headers = headers_of(scope)
    refused = _too_long(scope)
    body = Body(receive, headers)
    answer: Answer | StreamedAnswer
    with _budget.share() as share:
        try:
            content = None if refused else await _content(scope, body, headers, share)
        except OcpiError as error:
            refused = error
        if refused is not None:
            answer = _refused(refused, scope, headers)
        elif health.is_probe(scope):
            answer = await health.answer(scope, _threads)
        else:
            answer = await _answer(scope, headers, content)
    if isinstance(answer, StreamedAnswer):
        await send_in_parts(answer, receive, send, closers=_threads)
    elif body.is_whole:
        await send_whole(answer, send)
    else:
        await _last_answer(answer, send, body)


def _too_long(scope: Scope) -> OcpiError | None:
    """Refuse an endless URL, or headers that no message has, before anybody takes them apart."""
    size = sum(len(name) + len(value) for name, value in scope["headers"])
    return url_too_long(len(scope["raw_path"]) + len(scope["query_string"])) or head_too_large(size)


def _begin() -> None:
    """Record from now on that this process is up: the gaps in that record are outages."""
    from hub.pull import outages  # noqa: PLC0415 - Django is set up meanwhile

    outages.watch()


async def _content(
    scope: Scope, body: Body, headers: Mapping[str, str], share: Share
) -> bytes | None:
    """Return the body; None for a stranger's long one, which is answered unread."""
    admits = partial(_admits, scope["path"], headers)
    try:
        async with asyncio.timeout(settings.HUB_REQUEST_TIMEOUT):
            return await body.read(share, _threads, admits)
    except TimeoutError:
        raise (_turned_away(scope) if body.awaits_memory else body_too_slow()) from None
    except SenderLeft:  # left to the server, this would be a 500
        raise body_broken_off() from None


def _turned_away(scope: Scope) -> OcpiError:
    """Refuse a known sender for lack of memory; what it pushed is then missing, as in an outage."""
    from hub.pull import outages  # noqa: PLC0415 - Django is set up meanwhile

    if scope["path"].startswith(OCPI):
        outages.note_refused(scope["method"])
    return no_memory()


def _admits(path: str, headers: Mapping[str, str]) -> bool:
    """Whether the sender of a long body is known: a platform by its token, a user by log-in."""
    from operators.sessions import is_logged_in  # noqa: PLC0415 - Django is set up meanwhile
    from parties.authentication import is_known  # noqa: PLC0415

    try:
        if path.startswith(OCPI):
            return is_known(headers.get("authorization"))
        return is_logged_in(headers.get("cookie", ""))
    finally:
        close_old_connections()


async def _last_answer(answer: Answer, send: Send, body: Body) -> None:
    """Answer before the end of a body; its sender may write on for a moment, then it is cut off."""
    closing = [*answer.headers, (b"connection", b"close")]
    await send_whole(answer._replace(headers=closing), send)
    with suppress(TimeoutError, SenderLeft):
        async with asyncio.timeout(_LINGER_SECONDS):
            await body.drop()


def _refused(error: OcpiError, scope: Scope, headers: Mapping[str, str]) -> Answer:
    """Return the answer to a request that is refused before any view sees it."""
    made = refusal(error, scope["path"], headers)
    encoded = _encoded(made.headers)
    if error.http_status == HTTPStatus.SERVICE_UNAVAILABLE:
        encoded.append((b"retry-after", b"1"))
    return Answer(made.http_status, encoded, made.content)


async def _answer(
    scope: Scope, headers: Mapping[str, str], body: bytes | None
) -> Answer | StreamedAnswer:
    """Answer a request: a message in steps, anything else in one thread."""
    raw_path = paths.encoded(scope["raw_path"].decode("latin-1"))
    endpoint = endpoint_of(raw_path)
    if endpoint is None:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(_threads, django_bridge.answer, scope, headers, body)
    received = Received(
        method=scope["method"],
        path=raw_path,
        query=paths.encoded(scope["query_string"].decode("latin-1")),
        headers=headers,
        ids=MessageIds.read(headers),
        body=ReceivedBody(body),
        address=address_of(scope),
    )
    return await _exchanged(received, endpoint)


async def _exchanged(received: Received, endpoint: EndpointURL) -> Answer:
    """Answer a message to a functional module."""
    from hub import exchange  # noqa: PLC0415 - Django is set up meanwhile
    from hub.gateway.steps import carry_out  # noqa: PLC0415

    answer = await carry_out(exchange.answer(received, endpoint), _threads)
    secure = always(settings.SECURE_HSTS_SECONDS, settings.SECURE_REFERRER_POLICY)
    headers = {**answer.headers, **secure}
    return Answer(answer.http_status, _encoded(headers), answer.body)


def _encoded(headers: Mapping[str, str]) -> RawHeaders:
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
