"""Sessions at the console: everybody sees their own, administrators see all.

OWASP ASVS 3.3.
"""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from console.base import ModelAdmin, ReadOnly, Tone, ago, badge, column, is_permitted
from operators import sessions
from operators.actor import actor
from operators.audit import record
from operators.login_events import Event
from operators.models import ConsoleSession


@admin.register(ConsoleSession)
class ConsoleSessionAdmin(ReadOnly, ModelAdmin[ConsoleSession]):
    """Sessions that are neither over nor idle, the last used first."""

    list_display = ("whose", "address", "browser", "begun", "used")
    list_display_links = None
    fields = readonly_fields = ("whose", "address", "browser", "begun", "used")
    list_select_related = ("user",)
    search_fields = ("user__username",)
    list_per_page = 50
    show_full_result_count = False
    ordering = ("-seen",)
    actions = ("end",)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Leave it out of Django's index for those who see only their own."""
        return _may_see_all(request)

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Let everybody see their own."""
        del obj
        return bool(request.user.is_staff)

    def has_end_permission(self, request: HttpRequest) -> bool:
        """Let everybody end what they see."""
        return bool(request.user.is_staff)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ConsoleSession]:
        """Select the operator's own sessions, or all if they may see all."""
        rows = sessions.alive().exclude(user=None)
        return rows if _may_see_all(request) else rows.filter(user=request.user.pk)

    @admin.action(description="End the selected sessions", permissions=["end"])
    def end(self, request: HttpRequest, queryset: QuerySet[ConsoleSession]) -> None:
        """End the sessions; the audit names whose they were."""
        users = {row.user for row in queryset.select_related("user") if row.user is not None}
        number = sessions.end(queryset)
        for user in sorted(users, key=str):
            record(Event.ENDED_SESSIONS, user)
        self.message_user(request, f"{number} sessions are ended.", messages.SUCCESS)

    @column("Who", order="user__username")
    def whose(self, row: ConsoleSession) -> SafeString:
        """Name who is logged in, and mark the session that asks for the page."""
        present = actor()
        is_own = present is not None and row.session_key == present.session
        return format_html("{} {}", row.user, badge("this one", Tone.GOOD) if is_own else "")

    @column("Since", order="since")
    def begun(self, row: ConsoleSession) -> SafeString | str:
        """Show since when."""
        return ago(row.since)

    @column("Last used", order="seen")
    def used(self, row: ConsoleSession) -> SafeString | str:
        """Show when it was used."""
        return ago(row.seen)


def _may_see_all(request: HttpRequest) -> bool:
    return is_permitted(request, ConsoleSession, verb="view")
