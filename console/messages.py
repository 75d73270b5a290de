"""The message log in the console: what came in and went out, and what belongs together.

Secrets are never stored: the log masks before it writes.
"""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from console import timeline
from console.base import (
    ModelAdmin,
    ReadOnly,
    Tone,
    action,
    ago,
    badge,
    cached_per_row,
    column,
    page,
    pretty,
    table,
)
from console.message_links import object_of, timeline_of
from console.message_search import ExplorerChangeList
from console.object_links import link, short
from hub.message_log import journey as message_log_journey
from hub.message_log.curl import as_curl
from hub.models import Exchange
from ocpi.status_codes import is_success

_NARROW = 24
"""Characters; a path has twice as many, an id half."""
_JOURNEY = ("When", "Platform", "Message", "Answer", "ms")


@admin.register(Exchange)
class ExchangeAdmin(ReadOnly, ModelAdmin[Exchange]):
    """Requests and their answers, newest first."""

    list_display = ("when", "way", "parties", "message", "route", "answer", "took", "journey")
    list_before_template = "console/explorer.html"
    list_per_page = 50
    sortable_by = ()
    ordering = ("-at", "-id")
    actions = None
    actions_list = ("timeline",)
    fields = (
        ("moment", "took"),
        ("way", "parties"),
        ("version", "interface"),
        "message",
        "endpoint",
        ("route", "answer"),
        "status_message",
        ("request_id", "journey"),
        "about",
        "asked",
        "answered",
        "curl",
        "hops",
    )
    readonly_fields = (
        "moment",
        "took",
        "way",
        "parties",
        "version",
        "interface",
        "message",
        "endpoint",
        "route",
        "answer",
        "status_message",
        "request_id",
        "journey",
        "about",
        "asked",
        "answered",
        "curl",
        "hops",
    )

    class Media:
        js = ("console-copy.js",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Exchange]:
        """Leave out the bodies: the page of one message reads its own."""
        return super().get_queryset(request).defer("request_body", "response_body")

    def get_changelist(self, request: HttpRequest, **kwargs: object) -> type[ExplorerChangeList]:
        """Use the list that searches, and counts nothing."""
        del request, kwargs
        return ExplorerChangeList

    @action(description="Timeline", url_path="timeline", icon="timeline")
    def timeline(self, request: HttpRequest) -> HttpResponse:
        """Show a journey across all its hops."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = request.GET.get("correlation_id", "").replace("\x00", "").strip()
        shown = {"title": "Timeline", "asked": asked, "journey": timeline.read(asked)}
        return page(self, request, "console/timeline.html", **shown)

    @column("When")
    def when(self, row: Exchange) -> SafeString | str:
        """Show when it began."""
        return ago(row.at)

    @column("When")
    def moment(self, row: Exchange) -> str:
        """Show exactly when it began."""
        return f"{row.at:%Y-%m-%d %H:%M:%S.%f} UTC"

    @column("Platform")
    def way(self, row: Exchange) -> SafeString:
        """Show who asked whom: a platform the hub, or the hub a platform."""
        platform = row.platform or "unknown"
        return short(f"{platform} → hub" if row.direction == "in" else f"hub → {platform}")

    @column("Parties")
    def parties(self, row: Exchange) -> str:
        """Show sender and receiver."""
        return f"{row.sender or '-'} → {row.receiver or '-'}"

    @column("Message")
    def message(self, row: Exchange) -> SafeString:
        """Show method, module and path."""
        path = "/".join(filter(None, (row.module, row.path)))
        return format_html("{} {}", row.method, short(path, longest=2 * _NARROW))

    @column("Answer")
    def answer(self, row: Exchange) -> SafeString:
        """Show HTTP status and OCPI status code; the status message is in the tooltip."""
        http = "no answer" if row.http_status is None else f"HTTP {row.http_status}"
        code = row.status_code
        good = code is not None and is_success(code)
        tone = Tone.GOOD if good else Tone.BAD
        return badge(f"{http}, {code}" if code else http, tone, title=row.status_message)

    @column("ms")
    def took(self, row: Exchange) -> str:
        """Show how long it took."""
        return f"{row.milliseconds:,.1f} ms"

    @column("Journey")
    def journey(self, row: Exchange) -> SafeString | str:
        """Link to all messages with the same correlation id; those of strangers have none."""
        if not row.correlation_id:
            return "-"
        shown = short(row.correlation_id, longest=_NARROW // 2)
        url = timeline_of(row.correlation_id)
        return format_html('<a class="hub-link" href="{}">{}</a>', url, shown)

    @column("Object")
    @cached_per_row
    def about(self, row: Exchange) -> SafeString | str:
        """Link to the object that it is about."""
        return object_of(row)

    @column("As curl")
    def curl(self, row: Exchange) -> SafeString:
        """Show the request as a command, in which the token has to be filled in."""
        return format_html(
            '<div class="hub-wide"><button type="button" class="hub-copy" hidden>Copy</button>'
            '<pre class="hub-json hub-command" tabindex="0">{}</pre></div>',
            as_curl(row),
        )

    @column("Request")
    def asked(self, row: Exchange) -> SafeString | str:
        """Show the request's body."""
        return pretty(row.request_body.encode()) if row.request_body else "none"

    @column("Answer")
    def answered(self, row: Exchange) -> SafeString | str:
        """Show the answer's body."""
        return pretty(row.response_body.encode()) if row.response_body else "none"

    @column("The same correlation id")
    def hops(self, row: Exchange) -> SafeString:
        """Show the whole journey, with links to its messages."""
        return table(_JOURNEY, map(self._hop, message_log_journey.journey(row.correlation_id)))

    def _hop(self, hop: Exchange) -> tuple[object, ...]:
        when = link(hop, f"{hop.at:%H:%M:%S.%f}"[:-3])
        cells = (self.way(hop), self.message(hop), self.answer(hop))
        return (when, *cells, f"{hop.milliseconds:,.1f}")
