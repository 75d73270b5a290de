"""Passwords: asked for again where an open session is not proof enough, and changed.

OWASP ASVS 2.1, 2.2, 3.7. Each wrong one counts like a failed log-in, for this session alone:
whoever took over a browser cannot guess on, and locks nobody out elsewhere.
"""

from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from operators import login_events, login_throttle
from operators.client_ip import address_of, network_of
from operators.login_events import Event
from operators.sessions import hashed

if TYPE_CHECKING:
    from django.contrib.auth.forms import PasswordChangeForm
else:
    from unfold.forms import AdminOwnPasswordChangeForm as PasswordChangeForm

LONGEST_PASSWORD = 128
"""Characters of a password; longer ones only cost time."""


def refusal(request: HttpRequest, user: User, password: str) -> str | None:
    """Return why the password is not taken; None if it is right, or the account has none."""
    if not user.has_usable_password():
        return None
    name, address = user.get_username(), network_of(address_of(request))
    here = f"browser:{hashed(request.session.session_key)}"
    sentence = login_throttle.refusal(name, address, here)
    if sentence is not None:
        login_events.record_failure(Event.LOCKED_OUT, user, request, by_user=True)
        return sentence
    if not user.check_password(password):
        login_events.record_failure(Event.WRONG_PASSWORD, user, request, by_user=True)
        return "This password is not yours."
    login_throttle.succeeded(name, address, here)
    return None


class OwnPasswordForm(PasswordChangeForm):
    """A new password of one's own, in exchange for the old one."""

    request: HttpRequest

    def clean_old_password(self) -> str:
        """Check the old password; after some wrong ones nothing is checked for a while."""
        old = str(self.cleaned_data["old_password"])
        sentence = refusal(self.request, self.user, old)
        if sentence is not None or not self.user.has_usable_password():
            raise ValidationError(sentence or "Your account has no password.", code="password")
        return old


class LengthValidator:
    """Refuses what is too long to be a password."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Refuse a password that is too long."""
        del user
        if len(password) > LONGEST_PASSWORD:
            raise ValidationError(self.get_help_text(), code="password_too_long")

    def get_help_text(self) -> str:
        """Say how long one may be."""
        return f"Your password has {LONGEST_PASSWORD} characters at most."
