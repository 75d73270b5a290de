"""The onboarding page of a platform: a token A from either side, and a checklist of the handshake.

Spec: 2.2.1 credentials (registration). A script loads the checklist alone again and again; without
scripts the whole page is reloaded. A token is shown once, and no cache keeps it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.debug import sensitive_variables

from console.base import action, is_permitted, may_view, page
from console.message_links import LIST
from console.pulls import read_soon
from console.timeline import Hop
from hub.models import Exchange, PullState
from hub.onboarding import Checklist, Retry, Step, read
from ocpi.errors import OcpiError
from ocpi.transport import authorization
from parties import hub_identity
from parties.connection_status import IllegalTransition
from parties.models import Platform
from parties.registration import invitation_letter
from parties.registration.invitation import Initiator, Invitation
from parties.registration.outbound import register

if TYPE_CHECKING:
    from django.forms import PasswordInput, TextInput
else:
    from unfold.widgets import UnfoldAdminPasswordWidget as PasswordInput
    from unfold.widgets import UnfoldAdminTextInputWidget as TextInput

LONGEST_URL = 255
LONGEST_TOKEN = 255
_PAGE = "admin:parties_platform_onboarding"


class RegisterForm(forms.Form):
    """Versions URL and token A of a platform; the token is kept nowhere but in this form."""

    versions_url = forms.CharField(
        label="Its versions URL", max_length=LONGEST_URL, widget=TextInput()
    )
    token_a = forms.CharField(
        label="The token A it issued to us, as it is",
        max_length=LONGEST_TOKEN,
        widget=PasswordInput(render_value=True, attrs={"autocomplete": "off"}),
    )
    put = forms.BooleanField(
        label="It still holds a registration of the hub, and the token is good there: renew by PUT",
        required=False,
    )


@dataclass(frozen=True, slots=True)
class Button:
    """A button beside a step: where it leads or POSTs to, and the name it has there."""

    label: str
    url: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class ShownStep:
    """A step, with the messages that the operator may see and the button they may use."""

    step: Step
    hops: tuple[Hop, ...]
    button: Button | None


class OnboardingPages:
    """Adds onboarding to the platforms' admin: adding a platform first, then this page."""

    @action(
        description="Onboard a platform", url_path="onboard", icon="add_link", permissions=["add"]
    )
    def onboard(self, request: HttpRequest) -> HttpResponse:
        """Begin with its name, its parties and its quirks."""
        del request
        return HttpResponseRedirect(reverse("admin:parties_platform_add"))

    @action(description="Onboarding", url_path="onboarding", icon="checklist")
    def onboarding(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show how far the handshake is; a POST makes the hub start it, or read the lists."""
        platform = self.get_object(request, object_id)
        if platform is None:
            raise Http404
        if not self.has_view_permission(request, platform):
            raise PermissionDenied
        if request.method == "POST":
            if not self.has_change_permission(request, platform):
                raise PermissionDenied
            return (
                _read_lists(self, request, platform)
                if "pull" in request.POST
                else _register(self, request, platform)
            )
        if request.GET.get("part") == "checklist":
            shown = _checklist(self, request, platform, _requested_starter(request))
            return TemplateResponse(request, "console/checklist.html", shown)
        return _page(self, request, platform, _requested_starter(request))


def _page(
    admin: Any,  # noqa: ANN401 - the platforms' admin
    request: HttpRequest,
    platform: Platform,
    starts: Initiator | None = None,
    **context: object,
) -> HttpResponse:
    """Show the page of a platform."""
    shown = _checklist(admin, request, platform, starts)
    checklist: Checklist = shown["checklist"]
    asks = shown["may_change"] and checklist.starts is Initiator.HUB and not platform.is_registered
    here = reverse(_PAGE, args=[platform.pk])
    shown |= {
        "title": "Onboarding",
        "subtitle": str(platform),
        "form": RegisterForm() if asks else None,
        "here": here,
        "part": f"{here}?{urlencode({'part': 'checklist', 'starts': checklist.starts})}",
        "others": [starter.value for starter in Initiator if starter is not checklist.starts],
        **context,
    }
    # A page with a form or a token must not be reloaded: both would be lost.
    shown["refreshes"] = not (shown["form"] or shown.get("token") or checklist.is_complete)
    return page(admin, request, "console/onboarding.html", **shown)


def invited(admin: Any, request: HttpRequest, invitation: Invitation) -> HttpResponse:  # noqa: ANN401 - the platforms' admin
    """Show token A, this once, and the letter that goes to the platform with it."""
    return _page(
        admin,
        request,
        invitation.platform,
        Initiator.PLATFORM,
        token=invitation.token,
        token_in_base64=authorization.header(invitation.token),
        versions_url=hub_identity.versions_url(),
        letter=invitation_letter.letter(invitation),
    )


def _requested_starter(request: HttpRequest) -> Initiator | None:
    asked = request.GET.get("starts", "")
    return Initiator(asked) if asked in set(Initiator) else None


@sensitive_variables("form", "given")
def _register(admin: Any, request: HttpRequest, platform: Platform) -> HttpResponse:  # noqa: ANN401 - the platforms' admin
    """Start the handshake; if it fails the form is shown again, filled in."""
    form = RegisterForm(request.POST)
    if not form.is_valid():
        return _page(admin, request, platform, Initiator.HUB, form=form)
    given = form.cleaned_data
    method: Literal["POST", "PUT"] = "PUT" if given["put"] else "POST"
    try:
        register(
            platform, versions_url=given["versions_url"], token_a=given["token_a"], method=method
        )
    except (OcpiError, IllegalTransition, ValueError) as error:
        admin.message_user(request, f"The handshake failed: {error}", messages.ERROR)
        return _page(admin, request, platform, Initiator.HUB, form=form)
    admin.log_change(request, platform, "Registered by the hub.")
    admin.message_user(request, f"{platform} is connected.", messages.SUCCESS)
    return HttpResponseRedirect(reverse(_PAGE, args=[platform.pk]))


def _read_lists(admin: Any, request: HttpRequest, platform: Platform) -> HttpResponse:  # noqa: ANN401 - the platforms' admin
    if not is_permitted(request, PullState):
        raise PermissionDenied
    lists = PullState.objects.filter(party__platform=platform)
    admin.message_user(request, *read_soon(lists, full=True))
    return HttpResponseRedirect(reverse(_PAGE, args=[platform.pk]))


def _checklist(
    admin: Any,  # noqa: ANN401 - the platforms' admin
    request: HttpRequest,
    platform: Platform,
    starts: Initiator | None,
) -> dict[str, Any]:
    """Return the context of the checklist."""
    checklist = read(platform, starts)
    may_change = admin.has_change_permission(request, platform)
    may_see = may_view(request, Exchange)
    may_pull = may_change and is_permitted(request, PullState)
    buttons = dict(_buttons(platform)) if may_change else {}
    if not may_pull:
        buttons.pop(Retry.PULL, None)
    steps = [
        ShownStep(
            step,
            # Without bars: a checklist has no time axis.
            tuple(Hop(row, 0, 0, 0, has_bodies=True) for row in step.exchanges) if may_see else (),
            buttons.get(step.retry) if step.retry else None,
        )
        for step in checklist.steps
    ]
    return {
        "platform": platform,
        "checklist": checklist,
        "summary": _progress(platform, checklist),
        "steps": steps,
        "may_change": may_change,
        "log": reverse(LIST) if may_see else "",
    }


def _progress(platform: Platform, checklist: Checklist) -> str:
    """Return the checklist as one sentence."""
    done = (
        f"{platform} is {platform.status}: {checklist.done} of {len(checklist.steps)} steps done."
    )
    return f"{done} Nothing is left to wait for." if checklist.is_complete else done


def _buttons(platform: Platform) -> Iterator[tuple[Retry, Button]]:
    """Return the button for each `Retry`; REGISTER has the form instead."""
    here = reverse(_PAGE, args=[platform.pk])
    rotate = reverse("admin:parties_platform_rotate", args=[platform.pk])
    operation = "resume" if platform.status == "SUSPENDED" else "invite"
    invite = reverse(f"admin:parties_platform_{operation}", args=[platform.pk])
    yield Retry.INVITE, Button("Issue a new token A", invite)
    yield Retry.ROTATE, Button("Ask for them again (renews the tokens)", rotate)
    yield Retry.PULL, Button("Read its lists now", here, "pull")
