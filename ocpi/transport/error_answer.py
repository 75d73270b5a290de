"""The one place where an error becomes an answer.

Spec: status codes; docs/architecture.md#errors has the table of HTTP statuses. An error of the OCPI
tree says what its sender should change; the text of a HubError begins with `hub:`, so that nobody
takes it for the receiver's words (A-18). Anything else is the hub's own failure: logged here
with the request id, answered 3000 without its details.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from ocpi.errors import (
    HubError,
    MethodNotAllowed,
    OcpiError,
    ServerError,
    TooManyRequests,
    Unauthenticated,
)
from ocpi.status_codes import StatusCode
from ocpi.transport import envelope

log = logging.getLogger(__name__)

_SERVER_ERROR, _TOO_MANY = 500, 429


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """The answer that an error is: an envelope, and the headers that HTTP asks for beside it."""

    http_status: int
    body: bytes
    headers: Mapping[str, str]


def error_answer(error: OcpiError) -> ErrorAnswer:
    message = f"hub: {error}" if isinstance(error, HubError) else str(error)
    body = envelope.render(status_code=error.status_code, data=error.data, message=message)
    return ErrorAnswer(error.http_status, body, _headers(error))


def as_ocpi(error: Exception, *, request_id: str) -> OcpiError:
    """Return an error that may be answered: itself, or one that hides a failure of the hub."""
    if isinstance(error, OcpiError):
        return error
    log.error("request %s failed", request_id, exc_info=error)
    return ServerError("the hub failed to process this request; its operator has been told")


def is_failure(error: OcpiError) -> bool:
    """Whether the hub failed its sender: what it pushed is missing, though nothing was wrong."""
    too_much = error.http_status >= _SERVER_ERROR or error.http_status == _TOO_MANY
    return too_much or error.status_code == StatusCode.SERVER_ERROR


def _headers(error: OcpiError) -> dict[str, str]:
    if isinstance(error, MethodNotAllowed):
        return {"Allow": ", ".join(error.allowed)}
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": "Token"}
    if isinstance(error, TooManyRequests):
        return {"Retry-After": str(error.retry_after)}
    return {}
