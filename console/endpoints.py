"""The page that adds an endpoint which a platform has and does not advertise, or removes it again.

Spec: 2.2.1 versions, Endpoint class; `parties.registration.endpoints`.
"""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from console.base import action, page
from ocpi.errors import OcpiError
from ocpi.types import InterfaceRole
from ocpi.versions import known_modules
from parties.models import Platform
from parties.registration import endpoints

if TYPE_CHECKING:
    from django.forms import Select, TextInput
else:
    from unfold.widgets import UnfoldAdminSelectWidget as Select
    from unfold.widgets import UnfoldAdminTextInputWidget as TextInput


class EndpointForm(forms.Form):
    """One endpoint; without a URL it is removed."""

    module = forms.ChoiceField(
        choices=lambda: [(each, each) for each in known_modules()], widget=Select()
    )
    role = forms.ChoiceField(choices=[(each, each) for each in InterfaceRole], widget=Select())
    url = forms.CharField(
        label="URL",
        max_length=endpoints.LONGEST_URL,
        required=False,
        help_text="Empty removes what was added by hand.",
        widget=TextInput(),
    )


class EndpointPages:
    """Adds the page to the admin of platforms."""

    @action(description="Add an endpoint", url_path="add-endpoint", icon="add_link")
    def add_endpoint(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the form and what was added; do it on POST."""
        platform: Platform | None = self.get_object(request, object_id)
        if platform is None:
            raise Http404
        if not self.has_change_permission(request, platform):
            raise PermissionDenied
        form = EndpointForm(request.POST or None)
        back = reverse("admin:parties_platform_change", args=[platform.pk])
        if request.method == "POST" and form.is_valid():
            try:
                _change(platform, **form.cleaned_data)
            except (OcpiError, ValueError) as error:
                form.add_error("url", str(error))
            else:
                self.message_user(request, f"Endpoints of {platform} changed.", messages.SUCCESS)
                return HttpResponseRedirect(back)
        shown = {
            "title": f"An endpoint of {platform} that it does not advertise",
            "form": form,
            "back": back,
            "added": platform.endpoints.filter(by_hand=True),
        }
        return page(self, request, "console/endpoint.html", **shown)


def _change(platform: Platform, *, module: str, role: str, url: str) -> None:
    interface = endpoints.interface_of(module, role)
    if url:
        endpoints.add(platform, interface, url)
    else:
        endpoints.remove(platform, interface)
