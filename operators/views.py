"""The pages of the second factor: give a code, and enrol an app.

Spec: none; architecture chapter 10.
"""

from typing import Any

import django_otp
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from operators import second_factor
from operators.second_factor import Owed

_WRONG = (
    "This code is not right, or it was used already. Each wrong one makes the next wait longer:"
    " look at the clock of your telephone, and try the next code."
)


@never_cache
@sensitive_post_parameters()
def verify(request: HttpRequest) -> HttpResponse:
    """Ask for a code of the app or of paper, and lead on to where the person wanted to go."""
    user: Any = request.user
    if not user.is_authenticated:
        return redirect_to_login(request.get_full_path(), reverse("admin:login"))
    if second_factor.owed(user) is not Owed.CODE:
        return HttpResponseRedirect(_wanted(request))
    if request.method != "POST":
        return _page(request, "verify")
    device = second_factor.verify(user, request.POST.get("code", ""))
    if device is None:
        return _page(request, "verify", error=_WRONG)
    _let_in(request, device)
    return HttpResponseRedirect(_wanted(request))


@never_cache
@sensitive_post_parameters()
def two_factor(request: HttpRequest) -> HttpResponse:
    """Enrol an app; with one enrolled: new recovery codes, or take it away."""
    user: Any = request.user
    if not user.is_authenticated:
        return redirect_to_login(request.get_full_path(), reverse("admin:login"))
    if not second_factor.is_enrolled(user):
        return _enrolment(request)
    if not user.is_verified():
        return HttpResponseRedirect(reverse("two_factor:verify"))
    return _enrolled(request)


def _enrolled(request: HttpRequest) -> HttpResponse:
    """Do either for a fresh code alone: a session that was left open is not the person."""
    user: Any = request.user
    shown = {"removable": _is_removable()}
    asked = "codes" in request.POST or ("remove" in request.POST and _is_removable())
    if not asked:
        return _page(request, "enrolled", **shown)
    if second_factor.verify(user, request.POST.get("code", "")) is None:
        return _page(request, "enrolled", error=_WRONG, **shown)
    if "codes" in request.POST:
        return _page(request, "codes", codes=second_factor.recovery_codes(user))
    second_factor.reset(user)
    messages.success(request, "Your log-in needs no second factor any more.")
    return HttpResponseRedirect(reverse("two_factor:two_factor"))


def _enrolment(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    error = ""
    if request.method == "POST":
        device = second_factor.enrol(user, request.POST.get("code", ""))
        if device is not None:
            _let_in(request, device)
            return _page(request, "codes", codes=second_factor.recovery_codes(user))
        error = _WRONG
    device = second_factor.prepared(user)
    drawn, text = second_factor.picture(device), second_factor.secret_text(device)
    return _page(
        request, "enrol", error=error, drawn=drawn, text=text, required=not _is_removable()
    )


def _let_in(request: HttpRequest, device: Any) -> None:  # noqa: ANN401 - of either kind
    django_otp.login(request, device)
    request.session.cycle_key()


def _is_removable() -> bool:
    return settings.HUB_CONSOLE_2FA != "required"


def _wanted(request: HttpRequest) -> str:
    """Return where the person was going, if that is a page of ours."""
    wanted = request.GET.get("next", "")
    ours = url_has_allowed_host_and_scheme(
        wanted, {request.get_host()}, require_https=request.is_secure()
    )
    return wanted if ours else reverse("admin:index")


def _page(request: HttpRequest, name: str, **context: object) -> TemplateResponse:
    shown = {**admin.site.each_context(request), "title": "Two-factor log-in", **context}
    return TemplateResponse(request, f"operators/{name}.html", shown)
