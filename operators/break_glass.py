"""Breaking the glass: a link to a password log-in, where `HUB_OIDC_ONLY` allows none.

A command at the hub's machine makes a link that is good for some minutes and for one log-in; name,
password and second factor are asked for all the same.
"""

from django.contrib.auth.models import User
from django.core import signing
from django.http import HttpRequest

MOST_MINUTES_BROKEN = 15
"""Minutes for which such a link is good."""
_SALT = "operators.break_glass"
_ACCEPTED = "console_glass"
"""The key of a session's data for the key of the link that was opened in it."""


def key_for(user: User) -> str:
    """Return the signed key in a link, which is void after the account's next log-in."""
    return signing.dumps((user.get_username(), str(user.last_login)), salt=_SALT)


def accept(request: HttpRequest, key: str) -> bool:
    """Accept the key of a link for this session; return whether it is good."""
    if _account_of(key) is None:
        return False
    request.session[_ACCEPTED] = key
    return True


def is_broken(request: HttpRequest) -> bool:
    """Return whether this browser may give a password."""
    return _account_of(request.session.get(_ACCEPTED, "")) is not None


def is_broken_for(request: HttpRequest, account: str) -> bool:
    """Return whether this browser may give this account's password."""
    return _account_of(request.session.get(_ACCEPTED, "")) == account


def _account_of(key: str) -> str | None:
    try:
        name, last = signing.loads(key, salt=_SALT, max_age=MOST_MINUTES_BROKEN * 60)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    user = User.objects.filter(username=name).first()
    return name if user is not None and str(user.last_login) == last else None
