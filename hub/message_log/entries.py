"""What is remembered of an exchange until the writer has time for it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from hub.message_log.under_way import Way
from ocpi.transport.envelope import Envelope
from ocpi.types import PartyRef

_UNPUBLISHED = re.compile(rb'"publish"\s*:\s*false')


@dataclass(frozen=True, slots=True)
class Cut:
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


@dataclass(frozen=True, slots=True)
class Entry:
    """One exchange as it was; `url` of what came in is a path.

    `secrets` are the tokens it was made with, to be found wherever they are quoted. The `envelope`,
    without its data, was read at once where the body is cut.
    """

    is_inbound: bool
    at: float
    seconds: float
    method: str
    url: str
    headers: Mapping[str, str]
    request: Cut = field(repr=False)
    response: Cut = field(repr=False)
    way: Way | None = None
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

    @property
    def weight(self) -> int:
        """About how many bytes of memory it takes."""
        return len(self.request.text) + len(self.response.text) + _OVERHEAD


_OVERHEAD = 2_000
