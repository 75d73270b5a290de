"""A request to the hub and its answer, as plain facts: whatever server has them can fill it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ocpi.transport.message_ids import MessageIds
from parties.caller import Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredRequest:
    """What the log is told of a request once its answer is made.

    method       in upper case, as it was sent
    path, query  raw, before any percent-encoding is undone
    headers      of the request, by names in any case; the parties of one that no message was read
                 from are in them
    ids          those that the answer gives back
    caller       whose token was presented, even if it is not valid any more; None: a stranger's
    body         as far as it was read
    answer       the body of the answer
    seconds      how long the answer took
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str] = field(repr=False)
    ids: MessageIds
    caller: Caller | None
    body: bytes = field(repr=False)
    http_status: int
    answer: bytes = field(repr=False)
    seconds: float

    @property
    def url(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path
