"""A peer as the client calls it: its credentials token, and how that is written on the wire.

Specification: transport_and_format, Authorization header.
"""

from dataclasses import dataclass, field

from ocpi.transport import authorization


@dataclass(frozen=True, slots=True)
class Peer:
    """The credentials token a platform gave us; it never shows in a repr."""

    token: str = field(repr=False)
    base64: bool = True
    name: str = field(default="", compare=False)
    """What a listener is to call the peer."""
    authorization: str = field(init=False, repr=False, compare=False)
    """The ready `Authorization` value: encoded once, sent with every message."""

    def __post_init__(self) -> None:
        """Write the header value once."""
        value = authorization.header(self.token, base64=self.base64)
        object.__setattr__(self, "authorization", value)
