"""The quirks of a simulated platform: what real implementations do differently, each switchable.

The defaults follow the specification; a changed one is a quirk met in the field.
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, TypedDict

from ocpi.errors import InvalidParameters, MethodNotAllowed, OcpiError, Unauthenticated
from ocpi.transport import envelope
from ocpi.transport.message_ids import MessageIds
from ocpi.transport.routing_headers import RoutingHeaders
from sandbox.recorder import Seen
from sandbox.server import Answer

JSON_HEADERS = {"Content-Type": "application/json"}


class QuirkOptions(TypedDict, total=False):
    """The same switches as keyword arguments of SandboxPlatform."""

    base64: bool
    accepts: Literal["base64", "raw", "both"]
    trailing_slash: bool
    bare_errors: bool
    echo_ids: bool
    answer_routing: bool
    wrap_objects: bool
    ignore_to: bool
    page_limit: int
    cursor_links: bool
    needs_location: bool
    role_blind: bool
    credentials_side: Literal["SENDER", "RECEIVER"]


@dataclass(frozen=True, slots=True)
class Quirks:
    """What one platform does, differently or not.

    base64: encode the token in its own requests.
    accepts: the token forms it takes; by default base64, and both if it sends raw tokens itself.
    trailing_slash: advertise every endpoint with a slash at its end.
    bare_errors: answer errors as {"detail": …}, and a bad token by 403.
    echo_ids: return X-Request-ID and X-Correlation-ID.
    answer_routing: return the routing headers, swapped.
    wrap_objects: answer a single object as a list of one, also to PUT and PATCH.
    ignore_to: list the objects of all its parties, whoever was asked.
    page_limit: the most objects it puts into one page.
    cursor_links: lead on by a relative Link with a cursor, and give no total.
    needs_location: authorize no driver without knowing where.
    role_blind: keep the last endpoint of each module, whatever role is beside it.
    credentials_side: the role under which alone it looks for a credentials endpoint.
    """

    base64: bool = True
    accepts: Literal["base64", "raw", "both"] | None = None
    trailing_slash: bool = False
    bare_errors: bool = False
    echo_ids: bool = True
    answer_routing: bool = True
    wrap_objects: bool = False
    ignore_to: bool = False
    page_limit: int = 50
    cursor_links: bool = False
    needs_location: bool = False
    role_blind: bool = False
    credentials_side: Literal["SENDER", "RECEIVER"] | None = None

    @property
    def token_forms(self) -> tuple[bool, ...]:
        """The forms taken, each as whether it is base64."""
        taken = self.accepts or ("base64" if self.base64 else "both")
        return {"base64": (True,), "raw": (False,), "both": (True, False)}[taken]

    def success(self, data: object = None, *, http_status: int = 200) -> Answer:
        """Render a successful answer; None means there are no data."""
        rendered = None if data is None else json.dumps(data, ensure_ascii=False).encode()
        return self.success_text(rendered, http_status=http_status)

    def success_text(self, data: bytes | None, *, http_status: int = 200) -> Answer:
        """Render a successful answer around JSON text kept as it is."""
        return Answer(http_status, envelope.render(data=data), JSON_HEADERS)

    def single(self, text: str, *, http_status: int = 200) -> Answer:
        """Render one object's text, wrapped if this platform does that."""
        wrapped = f"[{text}]" if self.wrap_objects else text
        return self.success_text(wrapped.encode(), http_status=http_status)

    def stored(self, text: str, *, created: bool) -> Answer:
        """Render the answer to a push: no data, unless this platform wraps objects."""
        http_status = 201 if created else 200
        if self.wrap_objects:
            return self.single(text, http_status=http_status)
        return self.success(http_status=http_status)

    def refusal(self, error: OcpiError) -> Answer:
        """Render an error, as envelope or bare."""
        allowed = {"Allow": ", ".join(error.allowed)} if isinstance(error, MethodNotAllowed) else {}
        headers = {**JSON_HEADERS, **allowed}
        if not self.bare_errors:
            body = envelope.render(
                status_code=error.status_code, data=error.data, message=str(error)
            )
            return Answer(error.http_status, body, headers)
        http_status = 403 if isinstance(error, Unauthenticated) else error.http_status
        return Answer(http_status, json.dumps({"detail": str(error)}).encode(), headers)

    def headers(self, seen: Seen) -> dict[str, str]:
        """Give the message ids and routing headers this platform returns for a request."""
        headers = MessageIds.read(seen.headers).as_headers() if self.echo_ids else {}
        if self.answer_routing:
            # A request with half a pair of headers is refused, and its answer goes unaddressed.
            with suppress(InvalidParameters):
                headers |= RoutingHeaders.read(seen.headers).answered().as_headers()
        return headers
