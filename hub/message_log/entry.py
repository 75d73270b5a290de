"""An exchange as it waits in memory until the writer has time for it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Self

from hub.message_log.endpoints import Endpoint
from ocpi.transport.envelope import Envelope
from ocpi.types import PartyRef

LONGEST_MESSAGE = 2_000
"""Characters of the words of an answer, or of why there is none."""
_PUBLISH = b'"publish"'
_UNPUBLISHED = re.compile(rb'"publish"\s*+:\s*+false')


class LoggedRoute(StrEnum):
    """The route column of the log: what the hub did with a message, or why it sent one."""

    DIRECT = "direct"
    OPEN = "open"
    BROADCAST = "broadcast"
    STORED = "stored"
    RESULT = "result"
    ASKED_ALL = "asked all"
    HUB = "hub"
    """The hub answered it itself."""
    REFUSED = "refused"
    """Nothing was stored or sent; the answer says why."""
    DELIVERY = "delivery"
    PULL = "pull"
    HANDSHAKE = "handshake"
    GAP = "gap"
    """No message: it says how many are missing here. No figure counts it."""


@dataclass(frozen=True, slots=True)
class LoggedBody:
    """The beginning of a body, and what is known of all of it.

    Spec: LOC-17. `unpublished` is read from the whole body: a Location often has its `publish`
    behind what the log keeps.
    """

    text: bytes
    size: int
    unpublished: bool

    @classmethod
    def of(cls, body: bytes | None, max_bytes: int) -> Self:
        """Keep the first `max_bytes` of a body."""
        if not body:
            return cls(b"", 0, unpublished=False)
        return cls(body[:max_bytes], len(body), _says_unpublished(body))

    @property
    def is_cut(self) -> bool:
        return len(self.text) < self.size


NO_BODY = LoggedBody(b"", 0, unpublished=False)


def _says_unpublished(body: bytes) -> bool:
    """Whether a member `publish` is false anywhere in JSON."""
    # A pattern alone looks at each byte of a page by itself: that takes ten times as long.
    found = body.find(_PUBLISH)
    while found >= 0:
        if _UNPUBLISHED.match(body, found):
            return True
        found = body.find(_PUBLISH, found + len(_PUBLISH))
    return False


@dataclass(frozen=True, slots=True)
class Entry:
    """One exchange: a request and its answer, or the error in place of an answer.

    `at` is when it began, in seconds since 1970. `url` is a path if the request came in. `headers`
    are those the hub sent; of a request that came in, the other fields have all that matters.
    `endpoint` and `object_id` are as its message was read, None where none could be: then they are
    read from the URL. The body of a request has the id of an object in its member `posted_id`, if
    that names one.
    `secrets` are the credentials tokens of the exchange, which are masked wherever a text quotes
    them. `envelope` is set where the response body is cut, and has no data. An entry that is not
    `is_written` gets no row and only counts in the figures.
    """

    is_inbound: bool
    at: float
    seconds: float
    method: str
    url: str
    headers: Mapping[str, str]
    request: LoggedBody = field(repr=False)
    response: LoggedBody = field(repr=False)
    endpoint: Endpoint | None = None
    object_id: str | None = None
    posted_id: str = ""
    route: LoggedRoute | None = None
    was_sent: bool = False
    platform: str = ""
    sender: PartyRef | None = None
    receiver: PartyRef | None = None
    module: str = ""
    request_id: str = ""
    correlation_id: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    http_status: int | None = None
    envelope: Envelope | None = None
    error: str = ""
    is_written: bool = True

    @property
    def is_rationed(self) -> bool:
        """Whether a quota bounds its rows: a request that the hub refuses costs its sender nothing.

        A 429 of the party that a message went to is that party's: it bounds nothing.
        """
        if not self.is_inbound:
            return False
        is_over_rate = self.http_status == HTTPStatus.TOO_MANY_REQUESTS and not self.was_sent
        return not self.platform or is_over_rate

    @property
    def bytes_in_memory(self) -> int:
        """About how many bytes of memory it takes."""
        bodies = len(self.request.text) + len(self.response.text)
        headers = sum(len(name) + len(value) for name, value in self.headers.items())
        return bodies + max(
            _LEAST_BYTES, _BYTES_OF_OBJECTS + headers + len(self.url) + len(self.error)
        )


_LEAST_BYTES, _BYTES_OF_OBJECTS = 2_000, 1_000
"""Of an entry without its bodies: at least, and of its Python objects without their texts."""


def gap(number: int, at: float) -> Entry:
    """Return what stands in the log in place of so many exchanges that it had no room for."""
    return Entry(
        is_inbound=False,
        at=at,
        seconds=0.0,
        method="",
        url="",
        headers={},
        request=NO_BODY,
        response=NO_BODY,
        endpoint=Endpoint(),
        object_id="",
        route=LoggedRoute.GAP,
        error=f"the message log has a gap: {number} exchanges did not fit",
    )
