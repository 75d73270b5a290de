"""The console's part of the chain: the second factor is asked for, and whoever is in acts.

Spec: none; architecture chapter 10.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import urlencode

from operators import second_factor
from operators.acting import Actor, Channel, acting
from operators.addresses import address_of

Handler = Callable[[HttpRequest], HttpResponseBase]

_OPEN = ("two_factor:two_factor", "two_factor:verify", "admin:logout")
"""What may be opened with the password alone."""


def console(get_response: Handler) -> Handler:
    """Let what a request changes be changed by its user, once it is known who that is."""

    def handle(request: HttpRequest) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return get_response(request)
        owed = second_factor.owed(request.user)
        if owed is not None and request.path not in map(reverse, _OPEN):
            page = reverse(f"two_factor:{owed.value}")
            return HttpResponseRedirect(f"{page}?{urlencode({'next': request.get_full_path()})}")
        doing = f"{request.method} {request.path}"
        name = request.user.get_username()
        with acting(Actor(name, Channel.CONSOLE, address_of(request), doing)):
            return get_response(request)

    return handle
