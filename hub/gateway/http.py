"""The two ends of a message in HTTP, what came in and what goes out: no framework knows of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ocpi.errors import Finding
from ocpi.transport.message_ids import MessageIds


@dataclass(frozen=True, slots=True)
class Received:
    """What came in, as it came; path and query are raw, the body is read when needed."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    ids: MessageIds
    body: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Answer:
    """A body that is JSON already, with its headers; `findings` are what its sender did oddly."""

    body: bytes
    http_status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
