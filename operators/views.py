"""The pages of a log-in: second factor, its enrolment, another password, log-out."""

from contextlib import suppress
from typing import Any

import django_otp
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import PasswordChangeView, redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from operators import break_glass as operators_break_glass
from operators import login_events, oidc_views, passwords, second_factor
from operators.login_events import Event
from operators.second_factor import Owed

_WRONG = (
    "This code is not right, or it was used already. Each wrong one makes the next wait longer:"
    " look at the clock of your telephone, and try the next code."
)
_OF_THE_PROVIDER = "Your identity provider lets you in: the second factor is its business."


@never_cache
@sensitive_post_parameters()
def verify(request: HttpRequest) -> HttpResponse:
    """Ask for a code of the app or a recovery code, then lead on to where the person was going."""
    user: Any = request.user
    if not user.is_authenticated:
        return redirect_to_login(request.get_full_path(), reverse("admin:login"))
    if second_factor.owed(request) is not Owed.CODE:
        return HttpResponseRedirect(_target(request))
    if request.method != "POST":
        return _page(request, "verify")
    device = second_factor.verify(user, request.POST.get("code", ""))
    if device is None:
        login_events.record_failure(Event.WRONG_CODE, user, request, by_user=True)
        return _page(request, "verify", error=_WRONG)
    _let_in(request, device)
    login_events.record_event(Event.GAVE_CODE, user, request)
    return HttpResponseRedirect(_target(request))


@never_cache
@sensitive_post_parameters()
def two_factor(request: HttpRequest) -> HttpResponse:
    """Enrol an app; once there is one, make new recovery codes or remove it."""
    user: Any = request.user
    if not user.is_authenticated:
        return redirect_to_login(request.get_full_path(), reverse("admin:login"))
    if not second_factor.is_enrolled(user):
        return _enrolment(request)
    if not user.is_verified():
        return HttpResponseRedirect(reverse("two_factor:verify"))
    return _enrolled(request)


@never_cache
@sensitive_post_parameters()
def change_password(request: HttpRequest) -> HttpResponseBase:
    """Change the password, given the old one."""
    form = type("OwnPasswordForm", (passwords.OwnPasswordForm,), {"request": request})
    view = PasswordChangeView.as_view(
        form_class=form,
        success_url=reverse("admin:password_change_done"),
        extra_context=admin.site.each_context(request),
    )
    return view(request)


@sensitive_post_parameters()
def log_in(request: HttpRequest) -> HttpResponse:
    """Offer passwords, the identity provider, or both."""
    target = request.GET.get(REDIRECT_FIELD_NAME, "")
    start = f"{reverse('oidc:start')}?{urlencode({REDIRECT_FIELD_NAME: target})}"
    shown = {
        "provider": start if settings.HUB_OIDC_ISSUER else "",
        "takes_passwords": not settings.HUB_OIDC_ONLY or operators_break_glass.is_broken(request),
    }
    return admin.site.login(request, shown)


@never_cache
def log_out(request: HttpRequest) -> HttpResponse:
    """End the session; the provider's too, with `HUB_OIDC_LOGOUT`."""
    everywhere = settings.HUB_OIDC_LOGOUT and second_factor.came_by_provider(request)
    if request.method == "POST" and everywhere:
        with suppress(OSError):
            if (answer := oidc_views.end_session(request)) is not None:
                return answer
    return admin.site.logout(request)


@never_cache
def break_glass(request: HttpRequest, key: str) -> HttpResponse:
    """Open the password log-in to one account, where passwords are not taken otherwise."""
    if not operators_break_glass.accept(request, key):
        messages.error(request, "This link is not good any more: manage.py break_glass makes one.")
    return HttpResponseRedirect(reverse("admin:login"))


def _enrolled(request: HttpRequest) -> HttpResponse:
    """Make codes or remove the app, for password and a new code: an open session is no proof."""
    user: Any = request.user
    shown = {"removable": _is_removable()}
    asked = "codes" in request.POST or ("remove" in request.POST and _is_removable())
    if not asked:
        return _page(request, "enrolled", **shown)
    error = passwords.refusal(request, user, request.POST.get("password", ""))
    if error is None and second_factor.verify(user, request.POST.get("code", "")) is None:
        login_events.record_failure(Event.WRONG_CODE, user, request, by_user=True)
        error = _WRONG
    if error is not None:
        return _page(request, "enrolled", error=error, **shown)
    if "codes" in request.POST:
        return _page(request, "codes", codes=second_factor.recovery_codes(user))
    second_factor.reset(user)
    messages.success(request, "Your log-in needs no second factor any more.")
    return HttpResponseRedirect(reverse("two_factor:two_factor"))


def _enrolment(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    if second_factor.came_by_provider(request):
        messages.info(request, _OF_THE_PROVIDER)
        return HttpResponseRedirect(reverse("admin:index"))
    error: str | None = None
    if request.method == "POST":
        error = passwords.refusal(request, user, request.POST.get("password", ""))
        if error is None:
            device = second_factor.enrol(request, user, request.POST.get("code", ""))
            if device is not None:
                _let_in(request, device)
                return _page(request, "codes", codes=second_factor.recovery_codes(user))
            login_events.record_failure(Event.WRONG_CODE, user, request, by_user=True)
            error = _WRONG
    device = second_factor.pending_device(request, user)
    drawn, text = second_factor.qr_code(device), second_factor.secret_text(device)
    return _page(
        request, "enrol", error=error, drawn=drawn, text=text, required=not _is_removable()
    )


def _let_in(request: HttpRequest, device: Any) -> None:  # noqa: ANN401 - of either kind
    django_otp.login(request, device)
    request.session.cycle_key()


def _is_removable() -> bool:
    return settings.HUB_CONSOLE_2FA != "required"


def _target(request: HttpRequest) -> str:
    """Return where the person was going, if that is a page of ours."""
    target = request.GET.get(REDIRECT_FIELD_NAME, "")
    ours = url_has_allowed_host_and_scheme(
        target, {request.get_host()}, require_https=request.is_secure()
    )
    return target if ours else reverse("admin:index")


def _page(request: HttpRequest, name: str, **context: object) -> TemplateResponse:
    shown = {**admin.site.each_context(request), "title": "Two-factor log-in", **context}
    return TemplateResponse(request, f"operators/{name}.html", shown)
