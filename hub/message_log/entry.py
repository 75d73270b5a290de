"""An exchange as it waits in memory until the writer has time for it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Self

from ocpi.transport.envelope import Envelope
from ocpi.types import PartyRef

_UNPUBLISHED = re.compile(rb'"publish"\s*:\s*false')


class LoggedRoute(StrEnum):
    """Where a message went as the log has it: what the hub did with it, or why it sent one."""

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


@dataclass(frozen=True, slots=True)
class LoggedBody:
    """The beginning of a body, and what is known of all of it.

    Spec: LOC-17; a Location often says at its end that it is `unpublished`.
    """

    text: bytes
    size: int
    unpublished: bool

    @classmethod
    def of(cls, body: bytes | None, most: int) -> Self:
        """Keep no more than the log keeps."""
        if not body:
            return cls(b"", 0, unpublished=False)
        return cls(body[:most], len(body), _UNPUBLISHED.search(body) is not None)

    @property
    def is_cut(self) -> bool:
        """Whether there was more."""
        return len(self.text) < self.size


NO_BODY = LoggedBody(b"", 0, unpublished=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """One exchange as it was; `url` of what came in is a path.

    `secrets` are the tokens it was made with, to be found wherever they are quoted. The `envelope`,
    without its data, was read at once where the body is cut. What came in brings no headers along:
    they say nothing that is not said by the other members. What is not `is_written` gets no row and
    counts in the figures alone.
    """

    is_inbound: bool
    at: float
    seconds: float
    method: str
    url: str
    headers: Mapping[str, str]
    request: LoggedBody = field(repr=False)
    response: LoggedBody = field(repr=False)
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
        """Whether a quota bounds its rows: refused unread, it costs its sender nothing."""
        return self.is_inbound and (
            not self.platform or self.http_status == HTTPStatus.TOO_MANY_REQUESTS
        )

    @property
    def weight(self) -> int:
        """About how many bytes of memory it takes."""
        bodies = len(self.request.text) + len(self.response.text)
        headers = sum(len(name) + len(value) for name, value in self.headers.items())
        return bodies + max(_LEAST, _OBJECTS + headers + len(self.url) + len(self.error))


_LEAST, _OBJECTS = 2_000, 1_000
