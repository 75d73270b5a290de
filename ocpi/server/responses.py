"""The HTTP response that carries an OCPI envelope.

Spec: transport and format, response format.
"""

from collections.abc import Mapping

from django.http import HttpResponse

from ocpi.transport import envelope


class OcpiResponse(HttpResponse):
    """An envelope around `data`, which is JSON text already and goes out as it is."""

    def __init__(
        self,
        data: bytes | None = None,
        *,
        content: bytes | None = None,
        http_status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Carry the success with this data, or `content`, which is a whole envelope."""
        super().__init__(
            envelope.render(data=data) if content is None else content,
            status=http_status,
            content_type="application/json",
            headers=dict(headers or {}),
        )
