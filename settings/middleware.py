"""The first link of the chain: OCPI calls carry a token and no cookie, and skip the console's."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import resolve

_OCPI = "/ocpi/"
Handler = Callable[[HttpRequest], HttpResponseBase]


def ocpi_first(get_response: Handler) -> Handler:
    """Answer paths below `/ocpi/` without sessions and CSRF: a tenth of a request's cost."""

    def handle(request: HttpRequest) -> HttpResponseBase:
        path = _OCPI if request.path_info == _OCPI.rstrip("/") else request.path_info
        if not path.startswith(_OCPI):
            return get_response(request)
        match = resolve(path)
        request.resolver_match = match
        response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
        return response

    return handle
