"""The one place where an error becomes an answer.

Spec: status codes; docs/architecture.md#errors has the table of HTTP statuses. An error of the OCPI
tree says what its sender should change; the text of a HubError begins with `hub:`, so that nobody
takes it for the receiver's words (A-18). Anything else is the hub's own failure: logged here
with the request id, answered 3000 without its details.
"""

import logging
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpResponse
from rest_framework import exceptions

from ocpi.errors import (
    HubError,
    InvalidParameters,
    MethodNotAllowed,
    NotFound,
    OcpiError,
    ServerError,
    TooManyRequests,
    Unauthenticated,
)
from ocpi.server.responses import OcpiResponse

log = logging.getLogger(__name__)


def answer(error: Exception, context: dict[str, Any]) -> HttpResponse:
    """Turn any exception of a view into an envelope."""
    found = _as_ocpi(error, context)
    return OcpiResponse(
        found.data,
        http_status=found.http_status,
        status_code=found.status_code,
        message=f"hub: {found}" if isinstance(found, HubError) else str(found),
        headers=_headers(found),
    )


def _headers(error: OcpiError) -> dict[str, str]:
    """Return the header that HTTP asks for beside this error."""
    if isinstance(error, MethodNotAllowed):
        return {"Allow": ", ".join(error.allowed)}
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": "Token"}
    if isinstance(error, TooManyRequests):
        return {"Retry-After": str(error.retry_after)}
    return {}


def _as_ocpi(error: Exception, context: dict[str, Any]) -> OcpiError:
    if isinstance(error, OcpiError):
        return error
    view = context["view"]
    if isinstance(error, exceptions.MethodNotAllowed):
        method = context["request"].method
        return MethodNotAllowed(f"{method} is not supported here", allowed=view.allowed_methods)
    if isinstance(error, Http404):
        return NotFound("there is nothing at this URL")
    if isinstance(error, SuspiciousOperation):
        return InvalidParameters(f"the request cannot be read: {error}", http_status=400)
    log.error("request %s failed", view.message_ids.request_id, exc_info=error)
    return ServerError("the hub failed to process this request; its operator has been told")
