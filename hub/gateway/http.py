"""The HTTP request that came in and the answer that goes out, without a framework's types."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ocpi.errors import Finding
from ocpi.transport.message_ids import MessageIds


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came in: path and query are raw, `body` reads the body when it is called."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    ids: MessageIds
    body: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer whose body is JSON already; `findings` are oddities of the object it is about."""

    body: bytes
    http_status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
