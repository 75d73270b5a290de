"""The console's part of the chain: the second factor is asked for, and whoever is in acts.

Spec: none; architecture chapter 10.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import urlencode

from operators import devices, events, second_factor, sessions
from operators.acting import Actor, Channel, acting
from operators.addresses import address_of
from operators.events import Event

Handler = Callable[[HttpRequest], HttpResponseBase]

_OPEN = ("two_factor:two_factor", "two_factor:verify", "admin:logout")
"""What may be opened with the password alone."""
_FORBIDDEN = 403


def console(get_response: Handler) -> Handler:
    """Let what a request changes be changed by its user, once it is known who that is."""

    def handle(request: HttpRequest) -> HttpResponseBase:
        response = _let_in(request) if request.user.is_authenticated else get_response(request)
        devices.leave(request, response)
        return response

    def _let_in(request: HttpRequest) -> HttpResponseBase:
        owed = second_factor.owed(request)
        if owed is not None and request.path not in map(reverse, _OPEN):
            page = reverse(f"two_factor:{owed.value}")
            return HttpResponseRedirect(f"{page}?{urlencode({'next': request.get_full_path()})}")
        user: Any = request.user
        sessions.touch(request)
        with acting(_actor(request)):
            response = get_response(request)
        if response.status_code == _FORBIDDEN:
            events.failed(Event.DENIED, user, request, by_user=True)
        return response

    return handle


def _actor(request: HttpRequest) -> Actor:
    doing = f"{request.method} {request.path}"
    here = sessions.hashed(request.session.session_key)
    return Actor(
        request.user.get_username(), Channel.CONSOLE, address_of(request), doing, session=here
    )
