"""Every failure has one OCPI error, and shows the requester nothing of the receiver."""

import ssl
from ipaddress import AddressValueError

import aiohttp
import pytest

from ocpi.client import (
    AddressRefused,
    PeerError,
    PeerTimeout,
    PeerUnreachable,
    RedirectRefused,
    ReplyTooLarge,
    ReplyUnreadable,
)
from ocpi.client.failures import from_library


@pytest.mark.parametrize(
    "failure, code",
    [
        (PeerError, 4000),
        (PeerTimeout, 4002),
        (PeerUnreachable, 4003),
        (AddressRefused, 4000),
        (RedirectRefused, 4000),
        (ReplyTooLarge, 4000),
        (ReplyUnreadable, 4000),
    ],
)
def test_failure_becomes_a_hub_error(failure: type[PeerError], code: int) -> None:
    """Timeout 4002, not connected 4003, all others 4000, always with HTTP 200."""
    error = failure("10.1.2.3 said: nonsense").as_ocpi()

    assert (error.status_code, error.http_status) == (code, 200)
    assert "10.1.2.3" not in str(error)


@pytest.mark.parametrize(
    "error, failure",
    [
        (TimeoutError(), PeerTimeout),
        (aiohttp.SocketTimeoutError(), PeerTimeout),
        (aiohttp.ConnectionTimeoutError(), PeerUnreachable),
        (aiohttp.ServerDisconnectedError(), PeerUnreachable),
        (aiohttp.ClientOSError(104, "reset"), PeerUnreachable),
        (ConnectionRefusedError(), PeerUnreachable),
        (ssl.SSLError("alert"), PeerUnreachable),
        (OSError("no address"), PeerUnreachable),
        (aiohttp.ClientPayloadError(), ReplyUnreadable),
        (aiohttp.InvalidURL("x"), AddressRefused),
        (AddressValueError("x"), PeerError),
    ],
)
def test_library_error_has_one_meaning(error: Exception, failure: type[PeerError]) -> None:
    """The most specific rule of the table counts."""
    assert type(from_library(error)) is failure
