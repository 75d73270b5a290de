"""Answers to requests that no view sees: too long, too slow, too much, or broken off.

Spec: 2.2.1 transport and format. Below `/ocpi/` they are envelopes with the caller's ids, as all of
the hub's answers; elsewhere a sentence. They come before any token is looked at and are not logged.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings

from ocpi.errors import InvalidParameters, OcpiError, ServerError
from ocpi.transport import envelope
from ocpi.transport.message_ids import MessageIds
from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import PartyRef
from settings.security_headers import always

OCPI = "/ocpi"
LONGEST_URL = 4_000
"""Characters of path and query: no resource and no filter of a list needs more."""
MOST_HEADER_BYTES = 32_768
"""Of all header lines of a request together, and what the server holds of an unfinished one."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer, whole."""

    http_status: int
    content: bytes
    headers: Mapping[str, str]


def refusal(error: OcpiError, path: str, headers: Mapping[str, str]) -> Refusal:
    """Say what is wrong, in the form that is expected at a path."""
    secure = always(settings.SECURE_HSTS_SECONDS, settings.SECURE_REFERRER_POLICY)
    if not path.startswith(OCPI):
        plain = {"Content-Type": "text/plain; charset=utf-8", **secure}
        return Refusal(error.http_status, f"{error}\n".encode(), plain)
    content = envelope.render(status_code=error.status_code, message=str(error))
    hub = PartyRef(settings.HUB_COUNTRY_CODE, settings.HUB_PARTY_ID)
    ids = MessageIds.read(headers).as_headers()
    routing = RoutingHeaders(sender=hub).as_headers()
    as_json = {"Content-Type": "application/json", **secure, **ids, **routing}
    return Refusal(error.http_status, content, as_json)


def url_too_long(length: int) -> OcpiError | None:
    """Refuse a URL before anybody takes it apart."""
    if length <= LONGEST_URL:
        return None
    return InvalidParameters(f"the URL is longer than {LONGEST_URL} characters", http_status=414)


def head_too_large(size: int) -> OcpiError | None:
    """Refuse headers that no message has."""
    if size <= MOST_HEADER_BYTES:
        return None
    text = f"the headers are larger than {MOST_HEADER_BYTES} bytes together"
    return InvalidParameters(text, http_status=431)


def body_too_slow() -> OcpiError:
    """Refuse to wait any longer."""
    text = f"the body did not arrive within {settings.HUB_REQUEST_TIMEOUT:g} seconds"
    return InvalidParameters(text, http_status=408)


def body_broken_off() -> OcpiError:
    """Refuse half a message."""
    return InvalidParameters("the body broke off before its end", http_status=400)


def no_memory() -> OcpiError:
    """Refuse a long body while others take all the memory there is for them."""
    text = "the hub is reading as many long bodies as it has room for: send it again in a second"
    return ServerError(text, http_status=503)
