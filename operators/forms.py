"""The console's log-in form: the theme's, bounded in how often it may fail."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest

from operators import break_glass, known_devices, login_events, login_throttle, sessions
from operators.client_ip import address_of, network_of
from operators.login_events import Event

if TYPE_CHECKING:
    from django.contrib.admin.forms import AdminAuthenticationForm as AuthenticationForm
else:
    from unfold.forms import AuthenticationForm

_PROVIDER_ONLY = "Log in by your identity provider: this hub takes no passwords."


class LoginForm(AuthenticationForm):
    """Name and password; too many wrong ones are refused before the password is looked at."""

    def clean(self) -> dict[str, Any]:
        """Refuse the attempt if there were too many; else check name and password."""
        request, account = self.request, str(self.cleaned_data.get("username", ""))
        if request is None:
            return super().clean()
        if settings.HUB_OIDC_ONLY and not break_glass.is_broken_for(request, account):
            login_events.record_failure(Event.LOG_IN_FAILED, _user_named(account), request)
            raise forms.ValidationError(_PROVIDER_ONLY, code="provider")
        address = network_of(address_of(request))
        known = known_devices.recognised_by(request, account)
        sentence = login_throttle.refusal(account, address, known)
        if sentence is not None:
            login_events.record_failure(Event.LOCKED_OUT, _user_named(account), request)
            raise forms.ValidationError(sentence, code="throttled")
        try:
            cleaned = super().clean()
        except forms.ValidationError:
            login_events.record_failure(Event.LOG_IN_FAILED, _user_named(account), request)
            raise
        login_throttle.succeeded(account, address, known)
        return cleaned


def logged_in(request: HttpRequest | None, user: User, **_: object) -> None:
    """Note the new session and record the log-in; a request without a method comes from code."""
    if request is None:
        return
    sessions.begin(request)
    if request.method is None:
        return
    if events := login_events.since_last_log_in(user):
        messages.info(request, events)
    backend = str(getattr(user, "backend", ""))
    if backend.startswith("operators."):
        login_events.record_event(Event.LOGGED_IN_BY_PROVIDER, user, request)
    else:
        known_devices.remember(request, user)
        login_events.record_event(Event.LOGGED_IN, user, request)


def logged_out(request: HttpRequest | None, user: User | None, **_: object) -> None:
    """Record the log-out."""
    if request is not None and request.method is not None and user is not None:
        login_events.record_event(Event.LOGGED_OUT, user, request)


def _user_named(account: str) -> User | None:
    return User.objects.filter(username=account).first()
