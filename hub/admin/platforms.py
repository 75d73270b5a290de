"""The platforms' page, with what is delivered to each and what may be done with it.

Spec: none; architecture chapter 10. Every deed is a page that says what will happen and a POST.
"""

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache

from hub.admin.connections import ACTIONS, ConnectionAction
from hub.admin.lags import Lag, lags
from hub.admin.subscriptions import of_platform
from hub.models import Subscription
from ocpi.errors import OcpiError
from parties.admin.console import PageChangeList, column, once
from parties.admin.platforms import PlatformAdmin
from parties.announcement import versions_url
from parties.invitation import Invitation
from parties.models import Platform
from parties.status import IllegalTransition

if TYPE_CHECKING:
    from collections.abc import Callable

    def action(**_: object) -> Callable[[Any], Any]:
        """Stand for the theme's decorator, which has no types."""
else:
    from unfold.decorators import action


def _deed(name: str) -> Any:  # noqa: ANN401 - a method for the theme to find
    """Make the page of one deed."""

    def page(admin_page: "ConnectionAdmin", request: HttpRequest, object_id: str) -> HttpResponse:
        return admin_page.confirm(request, object_id, deed=ACTIONS[name])

    page.__name__ = name
    return action(description=ACTIONS[name].title, url_path=name, icon=ACTIONS[name].icon)(page)


@admin.register(Platform)
class ConnectionAdmin(PlatformAdmin):
    """Platforms with their lag and their deeds."""

    list_display = (*PlatformAdmin.list_display, "lag")
    readonly_fields = (*PlatformAdmin.readonly_fields, "subscriptions")
    fieldsets = (
        PlatformAdmin.fieldsets[0],
        ("Subscriptions", {"fields": ("subscriptions",)}),
        *PlatformAdmin.fieldsets[1:],
    )
    actions_detail = tuple(ACTIONS)
    invite, rotate, reset, suspend = (
        _deed(name) for name in ("invite", "rotate", "reset", "suspend")
    )

    def get_changelist(self, request: HttpRequest, **kwargs: object) -> type[PageChangeList]:
        """Use the list that completes its rows."""
        del request, kwargs
        return PageChangeList

    def complete(self, rows: list[Platform]) -> None:
        """Sum up the lag of each platform's subscriptions."""
        theirs = Subscription.objects.filter(receiver__platform__in=rows)
        platforms = dict(theirs.values_list("pk", "receiver__platform"))
        behind, found = lags(platforms), defaultdict(list)
        for pk, platform_id in platforms.items():
            found[platform_id].append(behind.get(pk, Lag()))
        for row in rows:
            lag = Lag.together(found[row.pk]) if row.pk in found else None
            row.lag = lag  # type: ignore[attr-defined]

    def get_actions_detail(self, request: HttpRequest, object_id: str | int) -> list[Any]:
        """Offer what the operator may do and the status allows."""
        platform = self.get_object(request, str(object_id))
        if platform is None or not self.has_change_permission(request, platform):
            return []
        offered = [name for name, deed in ACTIONS.items() if deed.possible(platform)]
        return [self.get_unfold_action(name) for name in offered]  # type: ignore[attr-defined]

    def confirm(
        self, request: HttpRequest, object_id: str, *, deed: ConnectionAction
    ) -> HttpResponse:
        """Say what will happen; do it on POST."""
        platform = get_object_or_404(Platform, pk=object_id)
        if not self.has_change_permission(request, platform):
            raise PermissionDenied
        back = reverse("admin:parties_platform_change", args=[platform.pk])
        if not deed.possible(platform):
            sentence = f"{platform} is {platform.status}: “{deed.title}” is not possible now."
            self.message_user(request, sentence, messages.ERROR)
            return HttpResponseRedirect(back)
        if request.method != "POST":
            return self._page(
                request, "hub/confirm.html", platform, title=deed.title, deed=deed, back=back
            )
        return self._perform(request, platform, deed, back)

    def _perform(
        self, request: HttpRequest, platform: Platform, deed: ConnectionAction, back: str
    ) -> HttpResponse:
        try:
            outcome = deed.perform(platform)
        except (OcpiError, IllegalTransition, ValueError) as error:
            self.message_user(request, f"{deed.title} failed: {error}", messages.ERROR)
            return HttpResponseRedirect(back)
        self.log_change(request, platform, f"{deed.title}.")
        if isinstance(outcome, Invitation):
            return self._invited(request, outcome, back)
        self.message_user(request, outcome, messages.SUCCESS)
        return HttpResponseRedirect(back)

    def _invited(self, request: HttpRequest, invitation: Invitation, back: str) -> HttpResponse:
        """Show token A: here, once, and to no cache."""
        shown = {"token": invitation.token, "versions_url": versions_url(), "back": back}
        answer = self._page(
            request, "hub/invited.html", invitation.platform, title="Token A", **shown
        )
        return never_cache(lambda _: answer)(request)

    def _page(
        self, request: HttpRequest, template: str, platform: Platform, **context: object
    ) -> TemplateResponse:
        shown = {"opts": self.opts, "platform": platform, "subtitle": str(platform), **context}
        return TemplateResponse(
            request, template, {**self.admin_site.each_context(request), **shown}
        )

    @column("Lag")
    def lag(self, platform: Any) -> SafeString | str:  # noqa: ANN401 - a row with its lag
        """Show how far its receivers are behind, together; nothing if it has none."""
        found: Lag | None = platform.lag
        return "-" if found is None else found.shown()

    @column("")
    @once
    def subscriptions(self, platform: Platform) -> SafeString:
        """Show each receiver's place in each module's feed."""
        return of_platform(platform)
