"""The console's part of the chain: whoever is logged in acts until the answer is made."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from operators.acting import Actor, Channel, acting
from operators.addresses import address_of

Handler = Callable[[HttpRequest], HttpResponseBase]


def console(get_response: Handler) -> Handler:
    """Let what a request changes be changed by its user."""

    def handle(request: HttpRequest) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return get_response(request)
        doing = f"{request.method} {request.path}"
        name = request.user.get_username()
        with acting(Actor(name, Channel.CONSOLE, address_of(request), doing)):
            return get_response(request)

    return handle
