"""The console's middleware: bounds log-ins, asks for the second factor, sets the actor."""

import math
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import urlencode

from operators import known_devices, login_events, second_factor, sessions
from operators.actor import Actor, Channel, acting
from operators.client_ip import address_of, network_of
from operators.login_events import Event
from operators.token_bucket import buckets

Handler = Callable[[HttpRequest], HttpResponseBase]

_LOG_IN_PAGES = ("admin:login", "two_factor:verify", "oidc:start", "oidc:callback")
_OPEN = ("two_factor:two_factor", "two_factor:verify", "admin:logout")
"""What may be opened with the password alone."""


def log_in_rate(get_response: Handler) -> Handler:
    """Bound how often a network may ask for the pages of a log-in."""

    def handle(request: HttpRequest) -> HttpResponseBase:
        if request.path not in map(reverse, _LOG_IN_PAGES):
            return get_response(request)
        most: int = settings.HUB_LOGIN_REQUESTS_PER_MINUTE
        network = network_of(address_of(request))
        seconds = math.ceil(buckets.wait(f"log-in:{network}", per_minute=most))
        if not seconds:
            return get_response(request)
        sentence = f"Too many requests from this network. Try again in {seconds} s.\n"
        headers = {"Content-Type": "text/plain; charset=utf-8", "Retry-After": str(seconds)}
        return HttpResponse(sentence, status=HTTPStatus.TOO_MANY_REQUESTS, headers=headers)

    return handle


def console(get_response: Handler) -> Handler:
    """Ask for the second factor, and make the user the actor of all that the request changes."""

    def handle(request: HttpRequest) -> HttpResponseBase:
        response = _let_in(request) if request.user.is_authenticated else get_response(request)
        known_devices.set_cookie(request, response)
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
        if response.status_code == HTTPStatus.FORBIDDEN:
            login_events.record_failure(Event.DENIED, user, request, by_user=True)
        return response

    return handle


def _actor(request: HttpRequest) -> Actor:
    doing = f"{request.method} {request.path}"
    here = sessions.hashed(request.session.session_key)
    return Actor(
        request.user.get_username(), Channel.CONSOLE, address_of(request), doing, session=here
    )
