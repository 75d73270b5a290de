"""How long, how much and how many: the bounds of every request the hub makes.

Specification: transport_and_format names none; a hub has to answer although a receiver hangs.
"""

from dataclasses import dataclass

MOST_REDIRECTS = 3
"""Steps of a 307/308 chain that are followed on the same host."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one client; times in seconds, sizes in bytes."""

    connect: float = 3.0
    """Name lookup, and again TCP and TLS, of one new connection."""

    total: float = 10.0
    """From the call to the last byte of the answer: waiting for a free connection, redirects and
    all. A peer that sends one byte a second is cut off here."""

    max_bytes: int = 10_000_000
    """The largest answer that is read, counted after decompression."""

    per_host: int = 32
    """Connections to one host and port at the same time."""

    connections: int = 1_000
    """Connections to all hosts at the same time."""

    keep_alive: float = 4.0
    """How long an idle connection is kept. Below the five seconds of common servers, so that it is
    the hub that closes and a message seldom meets a connection the peer has just given up."""
