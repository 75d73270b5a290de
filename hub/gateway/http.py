"""The HTTP request that came in and the answer that goes out, without a framework's types."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.conf import settings

from ocpi.errors import BodyTooLarge, Finding, NotJson
from ocpi.transport.message_ids import MessageIds


@dataclass(slots=True)
class Body:
    """The body of a request: called, it is read, and from then on it is `read`.

    `content` is cut one byte beyond `HUB_MAX_BODY_BYTES`; None when it was not taken off the wire,
    as a stranger's long one.
    """

    content: bytes | None
    read: bytes = b""

    def __call__(self) -> bytes:
        """Return it as it was sent; raises `BodyTooLarge`."""
        if self.content is None:
            raise NotJson("the body broke off before its end")
        most: int = settings.HUB_MAX_BODY_BYTES
        if len(self.content) > most:
            raise BodyTooLarge(f"the body is larger than {most} bytes")
        self.read = self.content
        return self.content


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came in.

    Path and query are raw, header names in lower case; the values of one that stood several times
    are joined by commas. `address` is where its connection comes from.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    ids: MessageIds
    body: Body
    address: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer whose body is JSON already; `findings` are oddities of the object it is about."""

    body: bytes
    http_status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
