"""Peer feedback: what a message, an answer or its absence says of a platform, noted for operators.

Spec: 2.2.1 transport and format; `parties.deviations` explains each deviation. Nothing here changes
the answer to the message, even if the hub cannot store the feedback. The view notes requests,
`hub.gateway.forwarding` notes answers and failures.
"""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from database import sql
from hub.gateway import circuit_breaker
from hub.gateway.message import Message
from hub.gateway.outbound import Outbound, PeerAnswer, token_refused
from hub.gateway.response_url_parameter import IN_BODY, split
from hub.gateway.routes import Destination
from ocpi import client
from ocpi.errors import Finding, OcpiError
from ocpi.transport.envelope import wraps_object
from ocpi.transport.message_ids import CORRELATION_ID, REQUEST_ID
from ocpi.transport.routing_headers import FROM_COUNTRY, FROM_PARTY
from parties import connection_health, deviations
from parties.deviations import Deviation, Met
from parties.registration.inbound import record_failure

log = logging.getLogger(__name__)

_IDS = (REQUEST_ID, CORRELATION_ID)
_FROM = (FROM_COUNTRY, FROM_PARTY)
_NEXT = re.compile(r"\bnext\b", re.IGNORECASE)


def of_message(message: Message) -> None:
    """Note the deviations of a message that came in."""
    found = list(_in_message(message))
    if found:
        deviations.note(message.platform_id, found)


def of_object(message: Message, findings: Sequence[Finding]) -> None:
    """Note where an accepted object is odd, once for each kind of mistake in it.

    No value of it is an example: that may be a driver's token.
    """
    deviations.note(message.platform_id, deviations.odd_object(message.module, findings))


def note(
    request: Outbound,
    outcome: client.Reply | client.PeerError,
    answer: PeerAnswer | OcpiError,
) -> None:
    """Note what the outcome of a request says of its receiver; `answer` is what it became."""
    note_deviations(request, outcome, answer)
    destination = request.destination
    with sql.best_effort(f"what {destination.ref} answered"):
        if isinstance(outcome, client.PeerError):
            _failure(request, outcome)
            return
        circuit_breaker.note_answer(destination)
        if outcome.refuses_token:
            _alert(destination)
            return
        _reply(destination, outcome)


def note_deviations(
    request: Outbound,
    outcome: client.Reply | client.PeerError,
    answer: PeerAnswer | OcpiError,
) -> None:
    """Note what is odd about an outcome; this does not block."""
    platform_id = request.destination.platform_id
    if isinstance(outcome, client.PeerError):
        deviations.note(platform_id, _in_failure(request.about, outcome))
    elif not outcome.refuses_token:
        deviations.note(platform_id, _in_reply(request, outcome))
        if isinstance(answer, PeerAnswer):
            deviations.note(platform_id, _in_answer(request, outcome, answer))


def has_news(
    request: Outbound,
    outcome: client.Reply | client.PeerError,
    answer: PeerAnswer | OcpiError,
) -> bool:
    """Whether an answer says something of its receiver's health; most do not."""
    if isinstance(outcome, client.PeerError) or not isinstance(answer, PeerAnswer):
        return True
    destination = request.destination
    return bool(destination.unanswered or destination.is_unseen or outcome.is_throttled)


def _failure(request: Outbound, error: client.PeerError) -> None:
    """Note a failure; silence counts for the circuit breaker too."""
    log.warning("%s could not be asked: %s", request.destination.ref, error)
    if isinstance(error, client.PeerTimeout | client.PeerUnreachable):
        circuit_breaker.note_silence(request.destination)


def _alert(destination: Destination) -> None:
    """Show operators that the platform refuses the hub's token."""
    error = token_refused(destination)
    log.error("connection in trouble: %s", error)
    record_failure(destination.platform_id, error)
    connection_health.doubt(destination.platform_id)


def _reply(destination: Destination, reply: client.Reply) -> None:
    if reply.is_throttled:
        connection_health.throttled(destination.platform_id, reply.retry_after)
    if destination.is_unseen and reply.envelope is not None:
        connection_health.answered(destination.platform_id)


def _in_message(message: Message) -> Iterator[Met]:
    about = f"{message.method} {message.module}"
    if message.lacks_ids:
        yield Met(Deviation.NO_IDS_SENT, about)
    if message.is_inferred:
        yield Met(Deviation.NO_SENDER_SENT, about)
    in_query = message.asks_for_results and message.method not in IN_BODY
    if in_query and split(message.query).is_bare:
        yield Met(Deviation.URL_NOT_ENCODED, about)
    if message.is_result and _is_wrapped(message):
        yield Met(Deviation.RESULT_IN_ENVELOPE, str(message.module))


def _is_wrapped(message: Message) -> bool:
    with suppress(OcpiError):
        return wraps_object(message.value)
    return False


def _in_failure(about: str, error: client.PeerError) -> Iterator[Met]:
    """Find deviations in a failure; silence is none."""
    if isinstance(error, client.RedirectRefused):
        yield Met(Deviation.REDIRECTS, about)
    if isinstance(error, client.ReplyTooLarge | client.ReplyUnreadable):
        yield Met(Deviation.UNREADABLE, about)


def _in_reply(request: Outbound, reply: client.Reply) -> Iterator[Met]:
    """Find deviations in the envelope and headers of a reply."""
    example = f"HTTP {reply.http_status}"
    if reply.envelope is None:
        yield Met(Deviation.NO_ENVELOPE, request.about, example)
        return
    yield from deviations.odd_envelope(request.about, reply.oddities)
    if _lacks(reply.headers, _IDS):
        yield Met(Deviation.NO_IDS_RETURNED, request.about, example)
    if _lacks(reply.headers, _FROM):
        yield Met(Deviation.NO_SENDER_RETURNED, request.about, example)
    if request.is_single and (reply.envelope.data or b"").lstrip().startswith(b"["):
        yield Met(Deviation.OBJECT_IN_LIST, request.about, example)


def _in_answer(request: Outbound, reply: client.Reply, answer: PeerAnswer) -> Iterator[Met]:
    """Find deviations in the URLs of an answer: those that the hub could not use."""
    # The Link of a last page may have other relations than "next"; that is no deviation.
    link = reply.headers.get("Link")
    if link is not None and answer.next_page is None and (not link.strip() or _NEXT.search(link)):
        yield Met(Deviation.LINK_UNUSABLE, request.about)
    if request.method == "POST" and "Location" in reply.headers and answer.location is None:
        yield Met(Deviation.LOCATION_UNUSABLE, request.about)


def _lacks(headers: Mapping[str, str], names: Sequence[str]) -> bool:
    return not all(headers.get(name) for name in names)
