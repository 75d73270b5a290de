"""The platforms' pages, with deliveries to each and operations on its connection.

Every operation is a page that says what will happen, and a POST that does it.
"""

from collections import defaultdict
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from console.base import PageChangeList, Tone, action, badge, cached_per_row, column, may_view, page
from console.endpoints import EndpointPages
from console.forget_platform import ForgetPages
from console.lag import Lag, lags
from console.onboarding import OnboardingPages, invited
from console.platform_actions import ACTIONS, ConnectionAction
from console.platform_base import PlatformAdmin
from console.recent_messages import recent_of
from console.subscriptions import of_platform
from hub.gateway import circuit_breaker
from hub.models import Exchange, Subscription
from hub.statistics import dashboard
from ocpi.errors import OcpiError
from parties import rate_limits
from parties.connection_status import IllegalTransition
from parties.models import Platform
from parties.registration.invitation import Initiator, Invitation, invite


def _operation_page(name: str) -> Any:  # noqa: ANN401 - a method that the theme decorates
    """Make the page of one operation."""

    def confirm(own: "ConnectionAdmin", request: HttpRequest, object_id: str) -> HttpResponse:
        return own.confirm(request, object_id, operation=ACTIONS[name])

    confirm.__name__ = name
    return action(description=ACTIONS[name].title, url_path=name, icon=ACTIONS[name].icon)(confirm)


@admin.register(Platform)
class ConnectionAdmin(ForgetPages, EndpointPages, OnboardingPages, PlatformAdmin):
    """Platforms, with the lag of their receivers and operations on their connections."""

    list_display = (*PlatformAdmin.list_display, "lag")
    readonly_fields = (*PlatformAdmin.readonly_fields, "circuit", "rate", "subscriptions", "recent")
    fieldsets = (
        PlatformAdmin.fieldsets[0],
        ("Circuit", {"fields": ("circuit",)}),
        ("Rate", {"fields": ("rate",)}),
        ("Subscriptions", {"fields": ("subscriptions",)}),
        *PlatformAdmin.fieldsets[1:],
    )
    actions_list = ("onboard",)
    actions_detail = ("onboarding", *ACTIONS, "add_endpoint", "forget")
    invite, resume, retry, rotate, revoke, reset, suspend = (
        _operation_page(name)
        for name in ("invite", "resume", "retry", "rotate", "revoke", "reset", "suspend")
    )

    def get_changelist(self, request: HttpRequest, **kwargs: object) -> type[PageChangeList]:
        """Use the list that completes its rows."""
        del request, kwargs
        return PageChangeList

    def complete(self, rows: list[Platform]) -> None:
        """Sum up the lag of each platform's subscriptions."""
        subscriptions = Subscription.objects.filter(receiver__platform__in=rows)
        platforms = dict(subscriptions.values_list("pk", "receiver__platform"))
        behind, found = lags(platforms), defaultdict(list)
        for pk, platform_id in platforms.items():
            found[platform_id].append(behind.get(pk, Lag()))
        for row in rows:
            lag = Lag.total(found[row.pk]) if row.pk in found else None
            row.lag = lag  # type: ignore[attr-defined]

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Platform | None:
        """Read a platform once a request, for its page and its actions."""
        kept: dict[str, Platform | None] = request.__dict__.setdefault("_platforms", {})
        if object_id not in kept:
            kept[object_id] = super().get_object(request, object_id, from_field)
        return kept[object_id]

    def get_fieldsets(self, request: HttpRequest, obj: Platform | None = None) -> Any:  # noqa: ANN401 - a list of Django's
        """Show its last messages to operators who may see messages."""
        shown = super().get_fieldsets(request, obj)
        if obj is None or not may_view(request, Exchange):
            return shown
        return (*shown, ("Recent messages", {"fields": ("recent",)}))

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Add a platform; the handshake is on the next page."""
        only = {"title": "Onboard a platform", "show_save_and_add_another": False}
        only |= {"show_save_and_continue": False, **(extra_context or {})}
        return super().add_view(request, form_url, only)

    def response_post_save_add(  # type: ignore[override]  # any answer will do
        self, request: HttpRequest, obj: Platform
    ) -> HttpResponse:
        """Go on to the handshake: show token A, or ask for the one that the platform issued."""
        starts = Initiator(request.POST["starts"])
        if starts is Initiator.PLATFORM and self.has_change_permission(request, obj):
            return invited(self, request, invite(obj.name, roles=()))
        page = reverse("admin:parties_platform_onboarding", args=[obj.pk])
        return HttpResponseRedirect(f"{page}?starts={starts}")

    def get_actions_detail(self, request: HttpRequest, object_id: str | int) -> list[Any]:
        """Offer the operations that operator and status allow."""
        platform = self.get_object(request, str(object_id))
        if platform is None:
            return []
        may = self.has_change_permission(request, platform)
        offered = [
            name for name, operation in ACTIONS.items() if may and operation.possible(platform)
        ]
        offered += ["add_endpoint"] if may else []
        offered += ["forget"] if self.may_forget(request) else []
        return [self.get_unfold_action(name) for name in ("onboarding", *offered)]  # type: ignore[attr-defined]

    def confirm(
        self, request: HttpRequest, object_id: str, *, operation: ConnectionAction
    ) -> HttpResponse:
        """Show what will happen; do it on POST."""
        platform = self.get_object(request, object_id)
        if platform is None:
            raise Http404
        if not self.has_change_permission(request, platform):
            raise PermissionDenied
        back = reverse("admin:parties_platform_change", args=[platform.pk])
        if not operation.possible(platform):
            sentence = (
                f"{platform} is {platform.status}: “{operation.title}” has nothing to do now."
            )
            self.message_user(request, sentence, messages.ERROR)
            return HttpResponseRedirect(back)
        if request.method != "POST":
            shown = {"title": operation.title, "subtitle": str(platform), "platform": platform}
            return page(
                self, request, "console/confirm.html", **shown, operation=operation, back=back
            )
        return self._perform(request, platform, operation, back)

    def _perform(
        self, request: HttpRequest, platform: Platform, operation: ConnectionAction, back: str
    ) -> HttpResponse:
        try:
            outcome = operation.perform(platform)
        except (OcpiError, IllegalTransition, ValueError) as error:
            self.message_user(request, f"{operation.title} failed: {error}", messages.ERROR)
            return HttpResponseRedirect(back)
        self.log_change(request, platform, f"{operation.title}.")
        if isinstance(outcome, Invitation):
            return invited(self, request, outcome)
        self.message_user(request, outcome, messages.SUCCESS)
        return HttpResponseRedirect(back)

    @column("Lag")
    def lag(self, platform: Any) -> SafeString | str:  # noqa: ANN401 - a row with its lag
        """Show the lag of all its receivers together; nothing if it has none."""
        found: Lag | None = platform.lag
        return "-" if found is None else found.shown()

    @column("Requests it may send")
    def rate(self, platform: Platform) -> str:
        """Show how many requests a minute it may send, and how many were refused."""
        most = rate_limits.per_minute(platform.quirks)
        may = f"{most:,} a minute" if most else "as many as it likes"
        refused = dashboard.throttled_of(platform.name)
        return f"{may}; {refused:,} refused with 429 in the last {dashboard.HOURS} hours"

    @column("Circuit of relayed messages")
    def circuit(self, platform: Platform) -> SafeString:
        """Show whether messages are forwarded to it, and how many failures would stop that."""
        seconds, unanswered = circuit_breaker.seconds_open(platform), platform.unanswered
        if seconds:
            return format_html(
                "{} for {} s: messages for it are refused at once (4003)",
                badge("open", Tone.BAD),
                seconds,
            )
        if unanswered:
            return format_html(
                "{} {} messages in a row without an answer; {} open it",
                badge("closed", Tone.CARE),
                unanswered,
                circuit_breaker.FAILURES_TO_OPEN,
            )
        return badge("closed", Tone.GOOD)

    @column("")
    @cached_per_row
    def recent(self, platform: Platform) -> SafeString:
        """Show its last messages."""
        return recent_of(platform)

    @column("")
    @cached_per_row
    def subscriptions(self, platform: Platform) -> SafeString:
        """Show each receiver's position in each module's feed."""
        return of_platform(platform)
