"""Peer feedback: what a message, an answer or its absence says of a platform, noted for operators.

Spec: 2.2.1 transport and format; `parties.deviations` explains each deviation. Nothing here changes
the answer to the message, even if the hub cannot store the feedback. The view notes requests,
`hub.gateway.forwarding` notes answers and failures.
"""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain

from database import sql
from hub.gateway import circuit_breaker
from hub.gateway.message import Message
from hub.gateway.outbound import Outbound, PeerAnswer, token_refused
from hub.gateway.response_url_parameter import IN_BODY, split
from hub.gateway.routes import Destination
from hub.gateway.steps import in_thread
from ocpi import client
from ocpi.errors import Finding, OcpiError
from ocpi.transport.envelope import wraps_object
from ocpi.transport.message_ids import CORRELATION_ID, REQUEST_ID
from ocpi.transport.routing_headers import FROM_COUNTRY, FROM_PARTY
from parties import connection_health, deviations
from parties.deviations import Deviation
from parties.registration.inbound import record_failure

log = logging.getLogger(__name__)

FoundDeviations = Iterator[tuple[Deviation, str]]
"""Each with an example of where it was found."""

_IDS = (REQUEST_ID, CORRELATION_ID)
_FROM = (FROM_COUNTRY, FROM_PARTY)
_NEXT = re.compile(r"\bnext\b", re.IGNORECASE)


async def of_message(message: Message) -> None:
    """Note the deviations of a message that came in; goes on in a thread if there are any."""
    found = list(_in_message(message))
    if found:
        await in_thread()
        deviations.note(message.platform_id, found)


async def of_object(message: Message, findings: Sequence[Finding]) -> None:
    """Note where an accepted object is odd, but no value of it: that may be a driver's token."""
    await in_thread()
    odd = f"{message.module}: {findings[0].path}"
    deviations.note(message.platform_id, [(Deviation.ODD_OBJECTS, odd)])


def note(
    request: Outbound,
    outcome: client.Reply | client.PeerError,
    answer: PeerAnswer | OcpiError,
) -> None:
    """Note what the outcome of a request says of its receiver; `answer` is what it became."""
    destination = request.destination
    with sql.best_effort(f"what {destination.ref} answered"):
        if isinstance(outcome, client.PeerError):
            _failure(request, outcome)
            return
        circuit_breaker.note_answer(destination)
        if outcome.refuses_token:
            _alert(destination)
            return
        _reply(request, outcome, answer)


def has_news(
    request: Outbound,
    outcome: client.Reply | client.PeerError,
    answer: PeerAnswer | OcpiError,
) -> bool:
    """Whether `note` has anything to write down; of most answers it has not."""
    if isinstance(outcome, client.PeerError) or not isinstance(answer, PeerAnswer):
        return True
    destination = request.destination
    if destination.unanswered or destination.is_unseen or outcome.is_throttled:
        return True
    found = chain(_in_reply(request, outcome), _in_answer(request, outcome, answer))
    return any(True for _ in found)


def _failure(request: Outbound, error: client.PeerError) -> None:
    """Note a failure; silence counts for the circuit breaker too."""
    log.warning("%s could not be asked: %s", request.destination.ref, error)
    found = _in_failure(request.about, error)
    deviations.note(request.destination.platform_id, found)
    if isinstance(error, client.PeerTimeout | client.PeerUnreachable):
        circuit_breaker.note_silence(request.destination)


def _alert(destination: Destination) -> None:
    """Show operators that the platform refuses the hub's token."""
    error = token_refused(destination)
    log.error("connection in trouble: %s", error)
    record_failure(destination.platform_id, error)
    connection_health.doubt(destination.platform_id)


def _reply(request: Outbound, reply: client.Reply, answer: PeerAnswer | OcpiError) -> None:
    destination = request.destination
    if reply.is_throttled:
        connection_health.throttled(destination.platform_id, reply.retry_after)
    found = [*_in_reply(request, reply)]
    if isinstance(answer, PeerAnswer):
        found += _in_answer(request, reply, answer)
    if found:
        deviations.note(destination.platform_id, found)
    if destination.is_unseen and reply.envelope is not None:
        connection_health.answered(destination.platform_id)


def _in_message(message: Message) -> FoundDeviations:
    about = f"{message.method} {message.module}"
    if message.lacks_ids:
        yield Deviation.NO_IDS_SENT, about
    if message.is_inferred:
        yield Deviation.NO_SENDER_SENT, about
    in_query = message.asks_for_results and message.method not in IN_BODY
    if in_query and split(message.query).is_bare:
        yield Deviation.URL_NOT_ENCODED, about
    if message.is_result and _is_wrapped(message):
        yield Deviation.RESULT_IN_ENVELOPE, str(message.module)


def _is_wrapped(message: Message) -> bool:
    with suppress(OcpiError):
        return wraps_object(message.value)
    return False


def _in_failure(about: str, error: client.PeerError) -> FoundDeviations:
    """Find deviations in a failure; silence is none."""
    if isinstance(error, client.RedirectRefused):
        yield Deviation.REDIRECTS, about
    if isinstance(error, client.ReplyTooLarge | client.ReplyUnreadable):
        yield Deviation.UNREADABLE, about


def _in_reply(request: Outbound, reply: client.Reply) -> FoundDeviations:
    """Find deviations in the envelope and headers of a reply."""
    example = f"{request.about}: HTTP {reply.http_status}"
    if reply.envelope is None:
        yield Deviation.NO_ENVELOPE, example
        return
    if _lacks(reply.headers, _IDS):
        yield Deviation.NO_IDS_RETURNED, example
    if _lacks(reply.headers, _FROM):
        yield Deviation.NO_SENDER_RETURNED, example
    if request.is_single and (reply.envelope.data or b"").lstrip().startswith(b"["):
        yield Deviation.OBJECT_IN_LIST, example


def _in_answer(request: Outbound, reply: client.Reply, answer: PeerAnswer) -> FoundDeviations:
    """Find deviations in the URLs of an answer: those that the hub could not use."""
    # The Link of a last page may have other relations than "next"; that is no deviation.
    link = reply.headers.get("Link")
    if link is not None and answer.next_page is None and (not link.strip() or _NEXT.search(link)):
        yield Deviation.LINK_UNUSABLE, request.about
    if request.method == "POST" and "Location" in reply.headers and answer.location is None:
        yield Deviation.LOCATION_UNUSABLE, request.about


def _lacks(headers: Mapping[str, str], names: Sequence[str]) -> bool:
    return not all(headers.get(name) for name in names)
