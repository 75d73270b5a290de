"""The page that forgets a platform: what will be removed and kept, confirmed by typing its name.

docs/privacy.md.
"""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from kombu.exceptions import OperationalError

from console import jobs
from console.base import action, page
from hub.privacy import departure
from hub.privacy.jobs import hand_over
from hub.tasks import housekeeping
from parties.models import Platform

_JOB = "parties_platform_forget_job"


class ForgetPages:
    """Adds the action and its page to the admin of platforms."""

    def get_urls(self: Any) -> list[URLPattern]:
        """Add the page of a job."""
        view = self.admin_site.admin_view(self.forget_job)
        own = [path("forget/job/<slug:name>/", view, name=_JOB)]
        urls: list[URLPattern] = own + super().get_urls()  # type: ignore[misc]
        return urls

    def may_forget(self, request: HttpRequest) -> bool:
        """Return whether the operator may: only administrators delete platforms."""
        user: Any = request.user
        return bool(user.has_perm("parties.delete_platform"))

    @action(description="Forget", url_path="forget", icon="delete_forever")
    def forget(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what will happen; on POST have a worker do it."""
        platform: Platform | None = self.get_object(request, object_id)
        if platform is None:
            raise Http404
        if not self.may_forget(request):
            raise PermissionDenied
        wrong = ""
        if request.method == "POST":
            if request.POST.get("name", "").strip() == platform.name:
                return _hand_over(self, request, platform)
            wrong = "That is not its name."
        counts = departure.survey(platform)
        shown = {
            "title": f"Forget {platform}",
            "platform": platform,
            "wrong": wrong,
            "removed": sorted((+counts.removed).items()),
            "kept": sorted((+counts.kept).items()),
            "remains": departure.REMAINS,
            "back": reverse("admin:parties_platform_change", args=[platform.pk]),
        }
        return page(self, request, "console/forget.html", **shown)

    def forget_job(self: Any, request: HttpRequest, name: str) -> HttpResponse:
        """Show how far it is."""
        if not self.may_forget(request):
            raise PermissionDenied
        back = reverse("admin:parties_platform_changelist")
        return jobs.progress_page(self, request, name, title="A platform is forgotten", back=back)


def _hand_over(admin: Any, request: HttpRequest, platform: Platform) -> HttpResponse:  # noqa: ANN401 - of platforms
    try:
        name = hand_over(housekeeping.forget_platform, {"name": platform.name})
    except OperationalError as error:
        admin.message_user(request, f"The broker does not answer: {error}", messages.ERROR)
        back = reverse("admin:parties_platform_change", args=[platform.pk])
        return HttpResponseRedirect(back)
    return HttpResponseRedirect(reverse(f"admin:{_JOB}", args=[name]))
