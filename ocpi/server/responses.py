"""The HTTP response that carries an OCPI envelope.

Spec: transport and format, response format.
"""

from collections.abc import Mapping

from django.http import HttpResponse

from ocpi.status_codes import StatusCode
from ocpi.transport import envelope


class OcpiResponse(HttpResponse):
    """An envelope around `data`, which is JSON text already and goes out as it is."""

    def __init__(
        self,
        data: bytes | None = None,
        *,
        http_status: int = 200,
        status_code: int = StatusCode.SUCCESS,
        message: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(
            envelope.render(status_code=status_code, data=data, message=message),
            status=http_status,
            content_type="application/json",
            headers=dict(headers or {}),
        )
