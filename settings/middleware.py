"""The first middleware: headers for all answers, and OCPI past the console's part."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import resolve

from settings.security_headers import always

_OCPI = "/ocpi/"
Handler = Callable[[HttpRequest], HttpResponseBase]


def secured(get_response: Handler) -> Handler:
    """Put the security headers on every answer, errors included."""

    def handle(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        headers = always(settings.SECURE_HSTS_SECONDS, settings.SECURE_REFERRER_POLICY)
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        return response

    return handle


def ocpi_first(get_response: Handler) -> Handler:
    """Answer paths below `/ocpi/` without the rest of the chain.

    They carry a token and no cookie, and sessions and CSRF would cost a tenth of a request.
    """

    def handle(request: HttpRequest) -> HttpResponseBase:
        path = _OCPI if request.path_info == _OCPI.rstrip("/") else request.path_info
        if not path.startswith(_OCPI):
            return get_response(request)
        match = resolve(path)
        request.resolver_match = match
        response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
        return response

    return handle


def in_utf8(get_response: Handler) -> Handler:
    """Read forms as UTF-8 whatever they claim: `charset=hex` names a codec that makes no text."""

    def handle(request: HttpRequest) -> HttpResponseBase:
        if request.encoding is not None:
            request.encoding = "utf-8"
        return get_response(request)

    return handle
