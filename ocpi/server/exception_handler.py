"""The errors of a view, each as the answer that `ocpi.transport.error_answer` makes of it.

Spec: status codes.
"""

from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpResponse
from rest_framework import exceptions

from ocpi.errors import InvalidParameters, MethodNotAllowed, NotFound, OcpiError
from ocpi.server.responses import OcpiResponse
from ocpi.transport.error_answer import as_ocpi, error_answer


def answer(error: Exception, context: dict[str, Any]) -> HttpResponse:
    """Turn any exception of a view into an envelope."""
    failure = context["view"].error = _as_ocpi(error, context)
    found = error_answer(failure)
    return OcpiResponse(content=found.body, http_status=found.http_status, headers=found.headers)


def _as_ocpi(error: Exception, context: dict[str, Any]) -> OcpiError:
    view = context["view"]
    if isinstance(error, exceptions.MethodNotAllowed):
        method = context["request"].method
        return MethodNotAllowed(f"{method} is not supported here", allowed=view.allowed_methods)
    if isinstance(error, Http404):
        return NotFound("there is nothing at this URL")
    if isinstance(error, SuspiciousOperation):
        return InvalidParameters(f"the request cannot be read: {error}", http_status=400)
    return as_ocpi(error, request_id=view.message_ids.request_id)
