"""Which habits of a platform show in a message of its, or in its answer to one.

Spec: 2.2.1 transport and format; `parties.observed_habits` says what each means. Nothing here
changes what becomes of a message.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from hub.gateway.message import Message
from ocpi import client
from ocpi.errors import Finding
from ocpi.transport.message_ids import CORRELATION_ID, REQUEST_ID
from ocpi.transport.routing_headers import FROM_COUNTRY, FROM_PARTY
from parties.observed_habits import Habit

Met = Iterator[tuple[Habit, str]]

_IDS = (REQUEST_ID, CORRELATION_ID)
_FROM = (FROM_COUNTRY, FROM_PARTY)
_NEXT = re.compile(r"\bnext\b", re.IGNORECASE)


def of_message(message: Message, headers: Mapping[str, str]) -> Met:
    """Look at a message that came in."""
    about = f"{message.method} {message.module.identifier}"
    if _lacks(headers, _IDS):
        yield Habit.NO_IDS_SENT, about
    if message.is_inferred:
        yield Habit.NO_SENDER_SENT, about


def of_object(message: Message, findings: Sequence[Finding]) -> Met:
    """Look at what is odd about an object that was accepted; where, not what: it may be a token."""
    if findings:
        yield Habit.ODD_OBJECTS, f"{message.module.identifier}: {findings[0].path}"


def of_answer(about: str, reply: client.Reply, *, is_single: bool) -> Met:
    """Look at an answer to a message that was passed on; a single object is no list."""
    told = f"{about}: HTTP {reply.http_status}"
    if reply.envelope is None:
        yield Habit.NO_ENVELOPE, told
        return
    if _lacks(reply.headers, _IDS):
        yield Habit.NO_IDS_RETURNED, told
    if _lacks(reply.headers, _FROM):
        yield Habit.NO_SENDER_RETURNED, told
    if is_single and (reply.envelope.data or b"").lstrip().startswith(b"["):
        yield Habit.OBJECT_IN_LIST, told


def of_failure(about: str, error: client.PeerError) -> Met:
    """Look at why there is no answer; silence is no habit."""
    if isinstance(error, client.RedirectRefused):
        yield Habit.REDIRECTS, about
    if isinstance(error, client.ReplyTooLarge | client.ReplyUnreadable):
        yield Habit.UNREADABLE, about


def of_link(about: str, reply: client.Reply, *, usable: str | None) -> Met:
    """Look at the Link of an answer, and what could be made of it; a last page may name others."""
    told = reply.headers.get("Link")
    if told is not None and usable is None and (not told.strip() or _NEXT.search(told)):
        yield Habit.LINK_UNUSABLE, about


def of_location(about: str, reply: client.Reply, *, usable: str | None) -> Met:
    """Look at the URL of what was posted."""
    if "Location" in reply.headers and usable is None:
        yield Habit.LOCATION_UNUSABLE, about


def _lacks(headers: Mapping[str, str], names: Sequence[str]) -> bool:
    return not all(headers.get(name) for name in names)
