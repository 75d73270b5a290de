"""The report of every request to a peer, for a listener beside its caller: the message log.

It is given when the client is configured, and called on the client's own event loop.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ocpi.client.failures import PeerError
from ocpi.client.peer import Peer
from ocpi.client.reply import Reply


@dataclass(frozen=True, slots=True)
class CompletedRequest:
    """One request to a peer and its outcome: the reply, or why there is none."""

    method: str
    url: str
    peer: Peer
    headers: Mapping[str, str]
    """The caller's own, without Authorization."""

    body: bytes | None = field(repr=False)
    outcome: Reply | PeerError
    seconds: float


Listener = Callable[[CompletedRequest], None]
"""Called once for each request; must neither wait nor raise."""
