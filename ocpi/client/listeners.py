"""The report of every request to a peer, for somebody beside its caller: the message log.

Whoever configures the client may listen, on the client's own event loop.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ocpi.client.failures import PeerError
from ocpi.client.peer import Peer
from ocpi.client.reply import Reply


@dataclass(frozen=True, slots=True)
class Asked:
    """One request to a peer and what came of it: its reply, or why there is none."""

    method: str
    url: str
    peer: Peer
    headers: Mapping[str, str]
    """The caller's own, without Authorization."""

    body: bytes | None = field(repr=False)
    outcome: Reply | PeerError
    seconds: float


Listener = Callable[[Asked], None]
"""Called once for each request; must neither wait nor raise."""
