"""The pages that export or erase a driver's data: which driver, why, and what was found.

docs/privacy.md. Ids are POSTed and never part of a URL; a worker erases.
"""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.http import content_disposition_header
from kombu.exceptions import OperationalError

from console import jobs
from console.base import action, page
from hub.privacy.drivers import CHARGED, Driver, charged, resolved, tokens
from hub.privacy.extract import extract
from hub.privacy.jobs import hand_over
from hub.tasks import housekeeping
from ocpi.types import one_line

_JOB = "hub_token_driver_job"
LONGEST_IDS = 2_000
"""Characters of the uids on the form."""
_ERASE, _EXPORT = "hub.erase_driver", "hub.export_driver"


class DriverForm(forms.Form):
    """The ids of the driver, and the reason."""

    uids = forms.CharField(required=False, max_length=LONGEST_IDS)
    contract = forms.CharField(required=False, max_length=100)
    party = forms.CharField(required=False, max_length=6)
    by_uid = forms.BooleanField(required=False)
    reason = forms.CharField(max_length=200)

    def clean(self) -> dict[str, Any]:
        """Find the driver by the ids; ids that name nobody are an error of the form."""
        given: dict[str, Any] = super().clean() or {}
        try:
            given["driver"] = resolved(
                Driver.named(
                    str(given.get("uids", "")).split(),
                    [given["contract"].strip()] if given.get("contract") else (),
                    party=given.get("party", ""),
                    by_uid=bool(given.get("by_uid")),
                )
            )
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
        return given


class DriverPages:
    """Adds the pages to the admin of tokens."""

    def get_urls(self: Any) -> list[URLPattern]:
        """Add the page of a job."""
        view = self.admin_site.admin_view(self.driver_job)
        own = [path("driver/job/<slug:name>/", view, name=_JOB)]
        urls: list[URLPattern] = own + super().get_urls()  # type: ignore[misc]
        return urls

    def has_driver_permission(self, request: HttpRequest, _: object = None) -> bool:
        """Allow the page to those who may export or erase."""
        user: Any = request.user
        return bool(user.has_perm(_ERASE) or user.has_perm(_EXPORT))

    @action(
        description="A driver's data",
        url_path="driver",
        icon="person_remove",
        permissions=["driver"],
    )
    def driver(self: Any, request: HttpRequest) -> HttpResponseBase:
        """Ask for the driver and show what was found; then export it, or have it erased."""
        if not self.has_driver_permission(request):
            raise PermissionDenied
        form = DriverForm(request.POST or None)
        if request.method != "POST" or not form.is_valid():
            return _form_page(self, request, form)
        chosen = request.POST.get("do", "")
        if not request.user.has_perm(_EXPORT if chosen == "export" else _ERASE):
            raise PermissionDenied
        given = form.cleaned_data
        if chosen == "export":
            return _export(given["driver"], one_line(given["reason"], longest=200))
        if chosen == "erase":
            return _start_erasure(self, request, form)
        return _form_page(self, request, form)

    def driver_job(self: Any, request: HttpRequest, name: str) -> HttpResponse:
        """Show how far an erasure is."""
        if not self.has_driver_permission(request):
            raise PermissionDenied
        back = reverse("admin:hub_token_changelist")
        return jobs.progress_page(self, request, name, title="A driver is erased", back=back)


def _form_page(admin: Any, request: HttpRequest, form: DriverForm) -> HttpResponse:  # noqa: ANN401 - of tokens
    """Show the form, and how much was found by its ids."""
    user: Any = request.user
    looked = request.method == "POST" and form.is_valid()
    shown = {
        "title": "A driver's data",
        "form": form,
        "found": _counts(form.cleaned_data["driver"]) if looked else (),
        "looked": looked,
        "may_export": user.has_perm(_EXPORT),
        "may_erase": user.has_perm(_ERASE),
        "back": reverse("admin:hub_token_changelist"),
    }
    return page(admin, request, "console/driver.html", **shown)


def _start_erasure(admin: Any, request: HttpRequest, form: DriverForm) -> HttpResponse:  # noqa: ANN401 - of tokens
    """Hand the erasure to a worker."""
    given = form.cleaned_data
    erasure = {
        "uids": given["uids"].split(),
        "contracts": [given["contract"].strip()] if given["contract"] else [],
        "party": given["party"],
        "by_uid": given["by_uid"],
        "reason": one_line(given["reason"], longest=200),
    }
    try:
        name = hand_over(housekeeping.erase_driver, erasure)
    except OperationalError as error:
        form.add_error(None, f"The broker does not answer: {error}")
        return _form_page(admin, request, form)
    return HttpResponseRedirect(reverse(f"admin:{_JOB}", args=[name]))


def _counts(driver: Driver) -> list[tuple[str, int]]:
    """Count what indexes find; other tables are only searched when data is exported or erased."""
    found = [("tokens", tokens(driver).count())]
    for model in CHARGED:
        name = str(model._meta.verbose_name_plural)  # noqa: SLF001 - a documented name of Django
        found.append((name, charged(driver, model).count()))
    return found


def _export(driver: Driver, reason: str) -> StreamingHttpResponse:
    answer = StreamingHttpResponse(
        extract(driver, reason=reason), content_type="application/json; charset=utf-8"
    )
    disposition = content_disposition_header(as_attachment=True, filename="driver.json")
    answer.headers["Content-Disposition"] = str(disposition)
    return answer
