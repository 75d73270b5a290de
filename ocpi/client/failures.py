"""The failures of a call to a peer, and the OCPI error each of them becomes.

Specification: status_codes, Hub errors.

    PeerError                  4000
    ├── PeerTimeout            4002  asked, and no whole answer within the time allowed
    ├── PeerUnreachable        4003  no name, no connection, no TLS, or hung up before answering
    ├── AddressRefused         4000  the URL or the address behind it is not one the hub may call
    ├── RedirectRefused        4000  sent elsewhere: another host, another scheme, or in circles
    ├── ReplyTooLarge          4000  more bytes than the hub is willing to read
    └── ReplyUnreadable        4000  broken off in the middle, or not HTTP

An answer that arrived whole is a `Reply`, never one of these, whatever its HTTP status.
"""

from typing import ClassVar

import aiohttp

from ocpi.errors import HubError, OcpiError, ReceiverNotConnected, ReceiverTimeout


class PeerError(Exception):
    """A peer gave no usable answer; the text names the details and is meant for the operator."""

    ocpi_error: ClassVar[type[OcpiError]] = HubError
    sentence: ClassVar[str] = "The receiver could not be asked."
    """What the requesting party reads: no address, no path, no library message."""

    def as_ocpi(self) -> OcpiError:
        """Return the hub error the requesting party gets."""
        return self.ocpi_error(self.sentence)


class PeerTimeout(PeerError):
    """The peer did not send a whole answer within the time allowed."""

    ocpi_error = ReceiverTimeout
    sentence = "The receiver did not answer in time."


class PeerUnreachable(PeerError):
    """The peer has no name, accepts no connection, fails TLS or hung up before answering."""

    ocpi_error = ReceiverNotConnected
    sentence = "The receiver is not connected."


class AddressRefused(PeerError):
    """The URL, or the address its name stands for, is not one the hub may call."""

    sentence = "The receiver's address is not one the hub may call."


class RedirectRefused(PeerError):
    """The peer redirects to another host, to another scheme, without a target or in circles."""

    sentence = "The receiver redirects, which the hub does not follow."


class ReplyTooLarge(PeerError):
    """The peer's answer is larger than the hub is willing to read."""

    sentence = "The receiver's answer is too large."


class ReplyUnreadable(PeerError):
    """The peer's answer broke off in the middle or is not HTTP."""

    sentence = "The receiver's answer cannot be read."


CAUSES = (aiohttp.ClientError, OSError, ValueError)
"""Everything the HTTP library raises because of a peer; TimeoutError is an OSError."""

_KINDS: tuple[tuple[type[Exception], type[PeerError]], ...] = (
    (aiohttp.ConnectionTimeoutError, PeerUnreachable),
    (TimeoutError, PeerTimeout),
    (aiohttp.ClientConnectionError, PeerUnreachable),
    (aiohttp.InvalidURL, AddressRefused),
    (aiohttp.ClientError, ReplyUnreadable),
    (OSError, PeerUnreachable),
)
"""The first match counts: most specific first."""


def from_library(error: Exception) -> PeerError:
    """Map an error of the HTTP library or of the operating system; the only place that does."""
    kind = next((kind for cause, kind in _KINDS if isinstance(error, cause)), PeerError)
    return kind(f"{type(error).__name__}: {error}")
