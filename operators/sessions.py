"""Whose session a cookie is, asked before a request is read."""

from http.cookies import CookieError, SimpleCookie
from importlib import import_module

from django.conf import settings
from django.contrib.auth import SESSION_KEY


def is_logged_in(cookie: str) -> bool:
    """Tell whether a Cookie header brings the session of somebody who gave a password."""
    try:
        morsel = SimpleCookie(cookie).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return False
    if morsel is None:
        return False
    store = import_module(settings.SESSION_ENGINE).SessionStore
    return SESSION_KEY in store(morsel.value)
