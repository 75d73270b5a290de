"""The base view: one exception handler, bounded bodies, message ids on every answer."""

import io
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.test import RequestFactory
from rest_framework.request import Request

from ocpi.errors import (
    HubError,
    InvalidParameters,
    MethodNotAllowed,
    ReceiverTimeout,
    Unauthenticated,
    UnknownLocation,
)
from ocpi.server import OcpiResponse, OcpiView

Action = Callable[[OcpiView], object]


def _answer(action: Action, request: HttpRequest | None = None) -> tuple[HttpResponse, Any]:
    """Let a view do something on GET or PUT; give its response and the envelope."""

    class View(OcpiView):
        def get(self, request: Request) -> OcpiResponse:
            del request
            return OcpiResponse(json.dumps(action(self)).encode())

        put = get

    response = View.as_view()(request or RequestFactory().get("/"))
    return response, json.loads(response.content)


def _raising(error: Exception) -> Action:
    def action(_: OcpiView) -> object:
        raise error

    return action


@pytest.mark.parametrize(
    "error, http_status, status_code, message",
    [
        (InvalidParameters("x: required"), 200, 2001, "x: required"),
        (UnknownLocation("no L1", http_status=404), 404, 2003, "no L1"),
        (Unauthenticated("who?"), 401, 2001, "who?"),
        (HubError("no way"), 200, 4000, "hub: no way"),
        (ReceiverTimeout("too late"), 200, 4002, "hub: too late"),
        (Http404(), 404, 2001, "there is nothing at this URL"),
        (SuspiciousOperation("odd"), 400, 2001, "the request cannot be read: odd"),
    ],
)
def test_an_error_becomes_an_envelope(
    error: Exception, http_status: int, status_code: int, message: str
) -> None:
    """Each error has its statuses and its sentence; what the hub could not route says so (A-18)."""
    response, envelope = _answer(_raising(error))

    assert (response.status_code, envelope["status_code"]) == (http_status, status_code)
    assert envelope["status_message"] == message
    assert "data" not in envelope


def test_a_bug_is_logged_with_the_request_id_and_told_to_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Anything unexpected is 3000 without details; the log has them."""
    request = RequestFactory().get("/", headers={"X-Request-ID": "r-1"})

    response, envelope = _answer(_raising(KeyError("secret")), request)

    assert (response.status_code, envelope["status_code"]) == (200, 3000)
    assert "secret" not in response.content.decode()
    (record,) = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert record.getMessage() == "request r-1 failed"
    assert record.exc_info


def test_an_unsupported_method_names_the_supported_ones() -> None:
    """405 lists the methods there are, also for methods nobody has heard of."""
    for method in ("POST", "OPTIONS", "TRACE", "BREW"):
        response, envelope = _answer(lambda _: 1, RequestFactory().generic(method, "/"))
        assert (response.status_code, envelope["status_code"]) == (405, 2001)
        assert response["Allow"] == "GET, PUT"
    response, _ = _answer(_raising(MethodNotAllowed("no", allowed=("PUT", "GET"))))
    assert response["Allow"] == "PUT, GET"


def test_a_401_names_the_scheme() -> None:
    """HTTP asks for WWW-Authenticate on a 401."""
    assert _answer(_raising(Unauthenticated("who?")))[0]["WWW-Authenticate"] == "Token"


def test_message_ids_are_echoed_on_success_and_error() -> None:
    """Both ids of the request are on the response."""
    headers = {"X-Request-ID": "r-1", "X-Correlation-ID": "c-1"}
    for action in (lambda _: 1, _raising(KeyError())):
        response, _ = _answer(action, RequestFactory().get("/", headers=headers))
        assert (response["X-Request-ID"], response["X-Correlation-ID"]) == ("r-1", "c-1")


def _put(length: int, stream: Any) -> HttpRequest:
    request = RequestFactory().put("/")
    request.META |= {"CONTENT_LENGTH": str(length)}
    request._stream = stream
    return request


@pytest.mark.parametrize("size", [1001, 1002, 10_000_000])
def test_a_body_beyond_the_limit_is_413(settings: LazySettings, size: int) -> None:
    """One byte too many, or a length Django refuses to read: the same answer."""
    settings.HUB_MAX_BODY_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

    response, envelope = _answer(lambda view: len(view.body()), _put(size, io.BytesIO(b"x" * size)))

    assert (response.status_code, envelope["status_code"]) == (413, 2001)
    assert "1000 bytes" in envelope["status_message"]


def test_a_body_at_the_limit_is_read(settings: LazySettings) -> None:
    """Exactly as many bytes as allowed."""
    settings.HUB_MAX_BODY_BYTES = 1000

    assert (
        _answer(lambda view: len(view.body()), _put(1000, io.BytesIO(b"x" * 1000)))[1]["data"]
        == 1000
    )


class _Broken(io.RawIOBase):
    """A connection that breaks off."""

    def readable(self) -> bool:
        return True

    def read(self, _size: int = -1) -> bytes:
        raise OSError("connection reset")


def test_a_body_that_breaks_off_is_400() -> None:
    """The sender went away in the middle: nothing was understood."""
    response, envelope = _answer(lambda view: len(view.body()), _put(100, _Broken()))

    assert (response.status_code, envelope["status_code"]) == (400, 2001)
