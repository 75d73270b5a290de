"""The message log in the console: what came in and went out, and what belongs together.

Spec: none; architecture chapter 10. What a page shows is masked already: secrets are never stored.
"""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from hub.admin.filters import word_filter
from hub.admin.links import link, short
from hub.admin.paging import BoundedChangeList, BoundedPaginator
from hub.message_log import reading
from hub.message_log.under_way import Way
from hub.models import Exchange
from ocpi.status_codes import StatusCode, is_success
from ocpi.types import ModuleID
from parties.admin.console import ModelAdmin, ReadOnly, Tone, ago, badge, column, pretty, table
from parties.models import Party

_NARROW = 24
_JOURNEY = ("When", "", "Parties", "Message", "Route", "Answer", "ms")


class _PartyFilter(SimpleListFilter):
    """By who said it or was told it."""

    title = parameter_name = "party"

    def lookups(self, request: HttpRequest, model_admin: object) -> Iterable[tuple[str, str]]:
        """Offer the parties by key and name."""
        del request, model_admin
        names = Party.objects.order_by("key").values_list("key", "name")
        return list({key: f"{key} {name}" for key, name in names}.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what it said or was told."""
        del request
        value = self.value()
        return reading.of_party(queryset, value) if value else queryset


@admin.register(Exchange)
class ExchangeAdmin(ReadOnly, ModelAdmin[Exchange]):
    """Requests and their answers, newest first."""

    list_display = ("when", "way", "parties", "message", "route", "answer", "took", "journey")
    list_filter = (
        _PartyFilter,
        word_filter("module", ("versions", *(module.value for module in ModuleID))),
        word_filter("status_code", (str(code.value) for code in StatusCode)),
        word_filter("direction", ("in", "out")),
        word_filter("route", Way),
    )
    search_fields = ("correlation_id",)
    search_help_text = "Whole correlation id, request id, or id of an object"
    list_per_page = 50
    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    ordering = ("-at", "-id")
    actions = None
    fields = (
        ("moment", "took"),
        ("way", "parties"),
        ("version", "interface"),
        "message",
        "endpoint",
        ("route", "answer"),
        "status_message",
        ("request_id", "correlation_id"),
        "asked",
        "answered",
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
        "correlation_id",
        "asked",
        "answered",
        "hops",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Exchange]:
        """Read the bodies of one at a time."""
        return super().get_queryset(request).defer("request_body", "response_body")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Exchange], search_term: str
    ) -> tuple[QuerySet[Exchange], bool]:
        """Search by whole ids."""
        del request
        words = search_term.replace("\x00", "").strip()
        if not words:
            return queryset, False
        ids = Q(correlation_id=words) | Q(request_id=words)
        return queryset.filter(ids | Q(object_key__in=reading.keys(words))), False

    def get_changelist(self, request: HttpRequest, **kwargs: object) -> type[BoundedChangeList]:
        """Use the list that counts no further than its pages."""
        del request, kwargs
        return BoundedChangeList

    def complete(self, rows: list[Exchange]) -> None:
        """Add nothing: a row shows its columns."""

    @column("When", order="at")
    def when(self, row: Exchange) -> SafeString | str:
        """Show when it began."""
        return ago(row.at)

    @column("When")
    def moment(self, row: Exchange) -> str:
        """Show exactly when it began."""
        return f"{row.at:%Y-%m-%d %H:%M:%S.%f} UTC"

    @column("")
    def way(self, row: Exchange) -> SafeString:
        """Show who asked whom: a platform the hub, or the hub a platform."""
        platform = row.platform or "unknown"
        return short(f"{platform} → hub" if row.direction == "in" else f"hub → {platform}")

    @column("Parties")
    def parties(self, row: Exchange) -> str:
        """Show which party speaks to which."""
        return f"{row.sender or '-'} → {row.receiver or '-'}"

    @column("Message")
    def message(self, row: Exchange) -> SafeString:
        """Show method, module and path."""
        place = "/".join(filter(None, (row.module, row.path)))
        return format_html("{} {}", row.method, short(place, longest=2 * _NARROW))

    @column("Answer", order="status_code")
    def answer(self, row: Exchange) -> SafeString:
        """Show both statuses; the words appear under the pointer."""
        http = "no answer" if row.http_status is None else f"HTTP {row.http_status}"
        code = row.status_code
        good = code is not None and is_success(code)
        tone = Tone.GOOD if good else Tone.BAD
        return badge(f"{http}, {code}" if code else http, tone, title=row.status_message)

    @column("ms", order="milliseconds")
    def took(self, row: Exchange) -> str:
        """Show how long it took."""
        return f"{row.milliseconds:,.1f} ms"

    @column("Journey")
    def journey(self, row: Exchange) -> SafeString:
        """Lead to all that carried the same correlation id."""
        query = urlencode({"q": row.correlation_id})
        url = f"{reverse('admin:hub_exchange_changelist')}?{query}"
        shown = short(row.correlation_id, longest=_NARROW // 2)
        return format_html('<a class="hub-link" href="{}">{}</a>', url, shown)

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
        """Show the whole journey, with ways to its hops."""
        return table(_JOURNEY, map(self._hop, reading.journey(row.correlation_id)))

    def _hop(self, hop: Exchange) -> tuple[object, ...]:
        when = link(hop, f"{hop.at:%H:%M:%S.%f}"[:-3])
        cells = (self.way(hop), self.parties(hop), self.message(hop), hop.route, self.answer(hop))
        return (when, *cells, f"{hop.milliseconds:,.1f}")
