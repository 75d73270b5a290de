"""A request of the log as a command that makes it again, with a placeholder for the token.

Spec: 2.2.1 transport and format, authorization header, message routing, unique message ids.
"""

import shlex
from collections.abc import Iterator

from django.conf import settings

from hub.models import Exchange
from ocpi.transport.message_ids import CORRELATION_ID, REQUEST_ID
from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import PartyRef

TOKEN = "Token $TOKEN"  # noqa: S105 - a placeholder
_NOT_KEPT = "(not kept:"
_CUT = "\n(cut, "
_MASKED = "\N{HORIZONTAL ELLIPSIS}"


def headers(row: Exchange) -> dict[str, str]:
    """Return the headers that are known of a request; the token never is."""
    found = {"Authorization": TOKEN}
    found |= {REQUEST_ID: row.request_id, CORRELATION_ID: row.correlation_id}
    to, sender = (PartyRef.parse(key) if key else None for key in (row.receiver, row.sender))
    found |= RoutingHeaders(to=to, sender=sender).as_headers()
    if row.request_body:
        found["Content-Type"] = "application/json"
    return {name: value for name, value in found.items() if value}


def url(row: Exchange) -> str:
    """Return the whole URL of a request; what came in has the hub's own address."""
    base = f"{settings.HUB_PUBLIC_URL}{row.endpoint}" if row.direction == "in" else row.endpoint
    way = "/" if row.path and row.endpoint and not row.path.startswith(("?", "/")) else ""
    return f"{base}{way}{row.path}"


def as_curl(row: Exchange) -> str:
    """Return the command, below what is to be filled in first."""
    return "\n".join((*_notes(row), " \\\n  ".join(_parts(row))))


def _parts(row: Exchange) -> Iterator[str]:
    yield f"curl -X {shlex.quote(row.method)} {shlex.quote(url(row))}"
    for name, value in headers(row).items():
        shown = f'"{name}: {value}"' if value == TOKEN else shlex.quote(f"{name}: {value}")
        yield f"-H {shown}"
    if row.request_body and not row.request_body.startswith(_NOT_KEPT):
        yield f"--data-raw {shlex.quote(row.request_body.partition(_CUT)[0])}"


def _notes(row: Exchange) -> Iterator[str]:
    yield "# TOKEN is the credentials token in the form the other side expects (mostly base64)"
    if _MASKED in row.path or _MASKED in row.request_body:
        yield f"# {_MASKED} stands for what is masked: the log does not keep it, fill it in"
    if row.request_body.startswith(_NOT_KEPT):
        yield f"# the body is missing: {row.request_body}".replace("\n", " ")
    if _CUT in row.request_body:
        yield "# the body is cut: the log keeps only its beginning"
