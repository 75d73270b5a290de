"""The one HTTP client of the hub: every request to a platform leaves through this package.

Specification: transport_and_format, JSON / HTTP implementation guide; status_codes, Hub errors.

Use `shared()` in the hub, or an `OcpiClient` of your own in tests and tools. `request()` is for
threads, `send()` for coroutines that `run()` brings onto the client's event loop.
"""

from ocpi.client.address_guard import AddressPolicy
from ocpi.client.client import PRODUCT, OcpiClient
from ocpi.client.failures import (
    AddressRefused,
    PeerError,
    PeerTimeout,
    PeerUnreachable,
    RedirectRefused,
    ReplyTooLarge,
    ReplyUnreadable,
)
from ocpi.client.limits import Limits
from ocpi.client.listeners import CompletedRequest, Listener
from ocpi.client.loop import LoopThread
from ocpi.client.own_address import ITSELF, OwnAddress
from ocpi.client.peer import Peer
from ocpi.client.process_wide import configure, locate, shared
from ocpi.client.reply import TOKEN_REFUSED, Reply
from ocpi.client.urls import join, with_query

__all__ = [
    "ITSELF",
    "PRODUCT",
    "TOKEN_REFUSED",
    "AddressPolicy",
    "AddressRefused",
    "CompletedRequest",
    "Limits",
    "Listener",
    "LoopThread",
    "OcpiClient",
    "OwnAddress",
    "Peer",
    "PeerError",
    "PeerTimeout",
    "PeerUnreachable",
    "RedirectRefused",
    "Reply",
    "ReplyTooLarge",
    "ReplyUnreadable",
    "configure",
    "join",
    "locate",
    "shared",
    "with_query",
]
