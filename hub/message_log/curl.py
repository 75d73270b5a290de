"""A logged request as a curl command that repeats it, with a placeholder for the token.

Spec: 2.2.1 transport and format, authorization header, message routing, unique message ids.
"""

import re
from collections.abc import Iterator

from django.conf import settings

from hub.models import Exchange
from ocpi.shell_words import NEWLINE, ends_in_newline, word
from ocpi.transport.message_ids import CORRELATION_ID, REQUEST_ID
from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import PartyRef

TOKEN = "Token $TOKEN"  # noqa: S105 - a placeholder
_NOT_KEPT = "(not kept:"
_CUT = re.compile(r"\n\(cut, [0-9,]+ bytes in all\)\Z")
_MASKED = "\N{HORIZONTAL ELLIPSIS}"


def headers(row: Exchange) -> dict[str, str]:
    """Return the headers of a request as far as the log has them; it never has the token."""
    found = {"Authorization": TOKEN}
    found |= {REQUEST_ID: row.request_id, CORRELATION_ID: row.correlation_id}
    to, sender = (PartyRef.parse(key) if key else None for key in (row.receiver, row.sender))
    found |= RoutingHeaders(to=to, sender=sender).as_headers()
    if row.request_body:
        found["Content-Type"] = "application/json"
    return {name: value for name, value in found.items() if value}


def url(row: Exchange) -> str:
    """Return the whole URL of a request; the hub's own if the request came in."""
    base = f"{settings.HUB_PUBLIC_URL}{row.endpoint}" if row.direction == "in" else row.endpoint
    slash = "/" if row.path and row.endpoint and not row.path.startswith(("?", "/")) else ""
    return f"{base}{slash}{row.path}"


def as_curl(row: Exchange) -> str:
    """Return the command, below comments that say what to fill in.

    Text of a peer is only in the command itself, quoted for the shell, and never in the comments.
    """
    return "\n".join((*_notes(row), *_preparation(row), " \\\n  ".join(_parts(row))))


def _parts(row: Exchange) -> Iterator[str]:
    yield f"curl -X {word(row.method)} {word(url(row))}"
    for name, value in headers(row).items():
        shown = f'"{name}: {value}"' if value == TOKEN else word(f"{name}: {value}")
        yield f"-H {shown}"
    body = _body(row)
    if body:
        yield f"--data-raw {word(body)}"


def _preparation(row: Exchange) -> Iterator[str]:
    if any(map(ends_in_newline, (row.method, url(row), _body(row), *headers(row).values()))):
        yield NEWLINE


def _body(row: Exchange) -> str:
    return "" if row.request_body.startswith(_NOT_KEPT) else _CUT.sub("", row.request_body)


def _notes(row: Exchange) -> Iterator[str]:
    # Some shells run comments at the prompt as commands: these words must do no harm there.
    yield "# TOKEN is the credentials token in the form the other side expects, mostly base64"
    if _MASKED in row.path or _MASKED in row.request_body:
        yield f"# {_MASKED} stands for what is masked: the log does not keep it, fill it in"
    if row.request_body.startswith(_NOT_KEPT):
        yield "# the body is missing: the log does not keep it"
    if _CUT.search(row.request_body):
        yield "# the body is cut: the log keeps only its beginning"
